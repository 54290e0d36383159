"""Apis that stream."""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import bentoml
import numpy as np
from bentoml.exceptions import BadInput
from PIL import Image
from pydantic import BaseModel
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

MARKS: list[str] = []
REACHED = threading.Event()
LET_GO = threading.Event()


def text_of(path: Path) -> str:
    return path.read_text()


class Step(BaseModel):
    index: int


@bentoml.service(threads=2)
class Streams:
    @bentoml.api
    async def texts(self, count: int = 2) -> AsyncGenerator[str, None]:
        for index in range(count):
            yield f"item {index} [DONE]"

    @bentoml.api
    def steps(self, count: int = 2) -> Generator[Step, None, None]:
        for index in range(count):
            yield Step(index=index)

    @bentoml.api
    async def unannotated(self):
        for item in ("a", b"\x00\xff\xfe", {"x": [1]}, None, Step(index=1), 1.5, "x"):
            yield item

    @bentoml.api
    async def arrays(self) -> AsyncGenerator[np.ndarray, None]:
        yield np.array([1, 2])

    @bentoml.api
    async def files(self, ctx: bentoml.Context):
        file = Path(ctx.temp_dir) / "part"
        file.write_bytes(b"part")
        yield file
        yield Image.new("RGB", (1, 1))

    @bentoml.api
    async def lines(self, path: Path, image: Image.Image):
        for line in text_of(path).split(","):
            yield line
        yield image.resize((3, 2)).size

    @bentoml.api
    async def by_hand(self, kind: str = "plain") -> AsyncGenerator[str, None]:
        yield 'event: step\nid: 1\ndata: {"a": 1}\n\n'
        yield b": comment\r\n\r\n"
        match kind:
            case "plain":
                yield "data: one\n\ndata: two\n\n"
                yield "data: no end"
            case "done":
                yield 'data: {"text": "[DONE]"}\n\n'
                yield "data: it is [DONE]\n\n"
            case "long":
                yield f'data: {{"text": "{"x" * 70_000}"}}\n\n'
                yield f"data: {'x' * 70_000}\n\n"
            case _:
                pass
        yield "data: [DONE]\n\n"

    @bentoml.api
    async def wrong(self) -> AsyncGenerator[int, None]:
        yield 1
        yield ["two"]

    @bentoml.api
    async def fails(self, after: int = 1, kind: str = "value") -> AsyncGenerator[int, None]:
        for index in range(after):
            yield index
        raise {"value": ValueError("secret"), "bad": BadInput("enough"), "late": TimeoutError("own")}[kind]

    @bentoml.api
    async def nothing(self) -> AsyncGenerator[int, None]:
        return
        yield 1

    @bentoml.api
    async def endless(self) -> AsyncGenerator[int, None]:
        try:
            index = 0
            while True:
                yield index
                index += 1
                await asyncio.sleep(0.001)
        finally:
            MARKS.append("endless closed")

    @bentoml.api
    def endless_sync(self) -> Generator[int, None, None]:
        try:
            index = 0
            while True:
                yield index
                index += 1
                time.sleep(0.001)
        finally:
            MARKS.append("endless_sync closed")


@bentoml.service(traffic={"timeout": 1}, threads=4)
class Slow:
    @bentoml.api
    async def first(self) -> AsyncGenerator[int, None]:
        try:
            await asyncio.sleep(60)
            yield 1
        except asyncio.CancelledError:
            MARKS.append("first cancelled")
            raise

    @bentoml.api
    async def second(self) -> AsyncGenerator[int, None]:
        yield 1
        await asyncio.sleep(1.2)
        yield 2

    @bentoml.api
    async def whole(self) -> str:
        try:
            REACHED.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            MARKS.append("whole cancelled")
            raise
        return "never"

    @bentoml.api
    def sync(self) -> str:
        REACHED.set()
        LET_GO.wait(30)
        MARKS.append("sync ended")
        return "late"


class Marking:
    """A middleware that sees heads, and turns away who asks it to."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (b"x-refuse", b"1") in scope["headers"]:
            await send({"type": "http.response.start", "status": 451, "headers": [(b"content-type", b"text/plain")]})
            await send({"type": "http.response.body", "body": b"not you"})
            return

        if scope["type"] == "http" and (b"x-refuse", b"break") in scope["headers"]:
            raise ValueError("a broken middleware")

        if scope["type"] == "http" and (b"x-refuse", b"exit") in scope["headers"]:
            sys.exit("of its own")

        async def marked(message):
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-marked", b"1")]
            await send(message)

        await self.app(scope, receive, marked)


@bentoml.service
class Wrapped(Streams.inner):
    @bentoml.api
    async def later(self, ctx: bentoml.Context) -> str:
        file = Path(ctx.temp_dir) / "kept"
        file.write_text("kept")
        ctx.response.background.add_task(self._work, file)
        return "now " * 1000

    @bentoml.api
    async def stream_later(self, ctx: bentoml.Context) -> AsyncGenerator[str, None]:
        ctx.response.status_code = 206
        ctx.response.background.add_task(MARKS.append, "streamed")
        yield ctx.request.url.path

    @bentoml.api
    async def waits(self) -> str:
        return await self._wait()

    async def _wait(self) -> str:
        try:
            REACHED.set()
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            MARKS.append("waits cancelled")
            raise
        return "never"

    @bentoml.api
    async def waits_to_stream(self) -> AsyncGenerator[str, None]:
        yield await self._wait()

    @bentoml.api
    async def exits(self) -> str:
        sys.exit("of its own")

    @bentoml.api
    async def exits_later(self) -> AsyncGenerator[int, None]:
        yield 1
        sys.exit("of its own")

    @bentoml.api
    async def exits_afterwards(self, ctx: bentoml.Context) -> str:
        ctx.response.background.add_task(sys.exit, "of its own")
        return "now"

    @bentoml.api
    async def denies(self) -> str:
        raise BadInput("denied")

    def _work(self, file: Path) -> None:
        MARKS.append(file.read_text())


Wrapped.add_asgi_middleware(Marking)
Wrapped.add_asgi_middleware(GZipMiddleware)


@bentoml.service
class Single:
    @bentoml.api
    def held(self) -> str:
        REACHED.set()
        LET_GO.wait(30)
        return "ended"

    @bentoml.api
    def other(self) -> str:
        return "other"

    @bentoml.api
    async def free(self) -> str:
        return "free"
