"""A service behind middlewares of its own and CORS."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import bentoml
from bentoml.exceptions import NotFound
from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse


class Stamped:
    """Puts a header on each answer, and refuses those who ask for it."""

    def __init__(self, app: Any, stamp: str) -> None:
        self.app, self.stamp = app, stamp

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if (b"x-refuse", b"yes") in scope["headers"]:
            await PlainTextResponse("refused", status_code=402)(scope, receive, send)
            return

        async def stamped(message: Any) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("x-stamp", self.stamp)
            await send(message)

        scope["headers"] = [*scope["headers"], (b"x-added", self.stamp.encode())]
        await self.app(scope, receive, stamped)


@bentoml.service(
    http={
        "cors": {
            "enabled": True,
            "access_control_allow_origins": ["https://page.example"],
            "access_control_allow_methods": ["GET", "POST", "OPTIONS"],
            "access_control_allow_credentials": True,
            "access_control_allow_headers": ["x-own"],
            "access_control_max_age": 60,
        }
    }
)
class Guarded:
    """Few apis."""

    @bentoml.api
    def added(self, ctx: bentoml.Context) -> str:
        return ctx.request.headers["x-added"]

    @bentoml.api
    def answered(self, ctx: bentoml.Context, status: int = 200) -> str:
        ctx.response.status_code = status
        ctx.response.headers["x-own"] = "here"
        ctx.response.headers["x-stamp"] = "own"
        ctx.response.set_cookie("own", "here")
        return "answered"

    @bentoml.api
    def size(self, file: Path) -> int:
        return len(file.read_bytes())

    @bentoml.api
    def written(self, ctx: bentoml.Context) -> Path:
        path = Path(ctx.temp_dir) / "a.html"
        path.write_text("written")
        os.utime(path, (1_700_000_000, 1_700_000_000))
        return path

    @bentoml.api
    async def headed(self, ctx: bentoml.Context) -> AsyncGenerator[str, None]:
        ctx.response.status_code = 202
        ctx.response.headers["x-own"] = "here"
        yield "one"

    @bentoml.api
    async def missing_stream(self) -> AsyncGenerator[str, None]:
        raise NotFound("nowhere")
        yield "never"

    @bentoml.api
    async def broken_stream(self) -> AsyncGenerator[str, None]:
        yield "one"
        raise ValueError("secret")

    @bentoml.task
    async def squared(self, number: int) -> int:
        return number**2

    @bentoml.api
    async def echo(self, value: Any) -> Any:
        return value

    @bentoml.api
    async def words(self, text: str = "one two") -> AsyncGenerator[str, None]:
        for word in text.split():
            yield word

    @bentoml.api
    def missing(self) -> str:
        raise NotFound("nowhere")


Guarded.add_asgi_middleware(Stamped, stamp="outer")
Guarded.add_asgi_middleware(Stamped, stamp="inner")
