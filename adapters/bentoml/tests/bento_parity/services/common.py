"""Services as most are: one api, and the names that everybody uses."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator
from typing import Any

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route


@bentoml.service
class Predicting:
    """One api, with the network's own name."""

    @bentoml.api
    def predict(self, text: str = "none") -> str:
        return text.upper()


async def page(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"page {request.url.path}")


async def models(_: Request) -> JSONResponse:
    return JSONResponse({"data": []})


application = Starlette(routes=[Route("/", page), Route("/page", page), Route("/v1/models", models)])


@bentoml.asgi_app(application)
@bentoml.service
class Rooted:
    """An application at the root, and apis with names that a server might want for itself."""

    @bentoml.api
    def predict(self, text: str) -> str:
        return text

    @bentoml.api(route="/v1/chat/completions")
    def chat(self, messages: list[dict[str, Any]], stream: bool = False, **more: Any) -> dict[str, Any]:
        return {"messages": messages, "stream": stream, "more": more}

    @bentoml.api
    def slow(self) -> str:
        time.sleep(1)
        return "slept"

    @bentoml.api
    async def slow_async(self) -> str:
        await asyncio.sleep(1)
        return "slept"

    @bentoml.api
    def run(self) -> str:
        return "ran"

    @bentoml.api
    def info(self) -> str:
        return "told"

    @bentoml.api
    def generate(self, prompt: str = "a b") -> Generator[str, None, None]:
        yield from prompt.split()
