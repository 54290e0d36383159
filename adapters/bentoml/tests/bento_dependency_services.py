"""Services that depend on each other in every way that BentoML knows."""

import asyncio
import sys
import threading
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import bentoml
import numpy as np
import numpy.typing as npt
from bento_alive import Log
from pydantic import BaseModel

LOG = Log()


class Voice(BaseModel):
    name: str
    pitch: float = 1.0


class OwnError(Exception):
    """Of no framework."""


@bentoml.service
class Base:
    """The one that everybody depends on."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    @bentoml.api
    def thread(self) -> str:
        return threading.current_thread().name

    @bentoml.api
    def double(self, x: int) -> int:
        return 2 * x

    @bentoml.api
    async def triple(self, x: int) -> int:
        return 3 * x

    @bentoml.api
    def count(self, count: int) -> Generator[int, None, None]:
        try:
            yield from range(count)
        finally:
            LOG.say("count closed")

    @bentoml.api
    async def count_async(self, count: int) -> AsyncGenerator[int, None]:
        try:
            async with asyncio.timeout(30):  # is of the task that entered it
                for each in range(count):
                    yield each
        finally:
            LOG.say("count_async closed")

    @bentoml.api
    def breaks_off(self) -> Generator[int, None, None]:
        yield 1
        raise OwnError("between two items")

    @bentoml.api
    async def fails(self) -> None:
        raise OwnError("the dependency's own")

    @bentoml.api
    async def exits(self) -> None:
        sys.exit("enough")

    @bentoml.api
    def fails_sync(self) -> None:
        raise bentoml.exceptions.InvalidArgument("no such voice")

    @bentoml.api
    async def waits(self) -> None:
        LOG.say("waits")
        try:
            await asyncio.Event().wait()
        finally:
            LOG.say("let go")

    @bentoml.api
    def says(self, voice: Voice, words: list[str]) -> Voice:
        return Voice(name=" ".join([voice.name, *words]), pitch=voice.pitch * 2)

    @bentoml.api
    def sums(self, values: npt.NDArray[np.float64]) -> float:
        return float(values.sum())

    @bentoml.api
    def reads(self, file: Path, ctx: bentoml.Context) -> Path:
        copy = Path(ctx.temp_dir) / "copy.txt"
        copy.write_text(file.read_text() * 2)
        ctx.response.status_code = 404
        ctx.response.background.add_task(LOG.say, "read")
        return copy

    @bentoml.task
    def later(self, x: int) -> int:
        return x


@bentoml.service
class Left:
    base = bentoml.depends(Base)

    @bentoml.api
    def double(self, x: int) -> int:
        return self.base.double(x=x)


@bentoml.service(threads=2)
class Top:
    """Depends on `Base` directly, and once more over `Left`."""

    base = bentoml.depends(Base)
    left = bentoml.depends(Left)

    @bentoml.api
    def threads(self) -> list[str]:
        return [threading.current_thread().name, self.base.thread()]

    @bentoml.api
    def from_sync(self, x: int) -> list[int]:
        return [self.base.double(x=x), self.base.to_sync.triple(x=x), self.left.double(x)]

    @bentoml.api
    async def from_async(self, x: int) -> list[int]:
        return [await self.base.to_async.double(x=x), await self.base.triple(x=x)]

    @bentoml.api
    async def from_loop(self, x: int) -> list[int]:
        """Blocks its loop, as much code does."""
        return [self.base.double(x=x), self.base.to_sync.triple(x=x), self.left.double(x=x), *self.base.count(count=2)]

    @bentoml.api
    def counts(self, count: int) -> Generator[int, None, None]:
        yield from self.base.count(count=count)
        yield from self.base.to_sync.count_async(count=count)

    @bentoml.api
    async def counts_async(self, count: int) -> AsyncGenerator[int, None]:
        async for each in self.base.to_async.count(count=count):
            yield each
        async for each in self.base.count_async(count=count):
            yield each

    @bentoml.api
    def breaks_off(self) -> list[int]:
        return list(self.base.breaks_off())

    @bentoml.api
    def fails(self, how: str) -> None:
        getattr(self.base.to_sync, how)()

    @bentoml.api
    async def awaits(self) -> None:
        await self.base.waits()

    @bentoml.api
    def blocks(self) -> None:
        try:
            self.base.to_sync.waits()
        finally:
            LOG.say("unblocked")

    @bentoml.api
    def wrong(self) -> int:
        return self.base.double(x="many")

    @bentoml.api
    def says(self, name: str) -> Voice:
        return self.base.says({"name": name}, words=["a", "b"])

    @bentoml.api
    def sums(self) -> float:
        return self.base.sums(np.ones(4))

    @bentoml.api
    def reads(self, text: str, ctx: bentoml.Context) -> Path:
        path = Path(ctx.temp_dir) / "mine.txt"
        path.write_text(text)
        return self.base.reads(file=path)

    @bentoml.api
    def submits(self) -> None:
        self.base.later.submit(x=1)

    @bentoml.api
    async def asks(self) -> list[bool]:
        return [await self.base.is_ready(), await self.left.is_ready()]


@bentoml.service
class Deployed:
    there = bentoml.depends(deployment="voices")

    @bentoml.api
    def name(self) -> str:
        return "never"


@bentoml.service(name="Base")
class Impostor:
    @bentoml.api
    def name(self) -> str:
        return "impostor"


@bentoml.service
class Confused:
    base = bentoml.depends(Base)
    impostor = bentoml.depends(Impostor)

    @bentoml.api
    def name(self) -> str:
        return "never"


@bentoml.service
class Far:
    """Depends on a `Base` elsewhere; a test says where."""

    typed = bentoml.depends(Base, url="http://127.0.0.1:1")
    untyped = bentoml.depends(url="http://127.0.0.1:1")

    @bentoml.api
    def from_sync(self, x: int) -> int:
        return self.typed.double(x=x)

    @bentoml.api
    async def from_async(self, x: int) -> list[int]:
        return [await self.typed.triple(x=x), await self.untyped.to_async.double(x=x)]
