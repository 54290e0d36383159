"""A service under a prefix, with other applications beside its apis."""

from __future__ import annotations

from typing import Any

import bentoml
from a2wsgi import WSGIMiddleware
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

api = FastAPI()


@api.get("/greet/{name}")
def greet(name: str, times: int = 1) -> dict[str, str]:
    return {"message": "hello " + name * times}


@api.post("/echo")
async def echo(document: dict[str, Any]) -> dict[str, Any]:
    return document


async def described(request: Request) -> JSONResponse:
    return JSONResponse(
        {"method": request.method, "path": request.url.path, "body": (await request.body()).decode()},
        headers={"x-mounted": "yes"},
    )


async def streamed(_: Request) -> StreamingResponse:
    return StreamingResponse(iter(["a", "b"]), media_type="text/x-parts")


async def refused(_: Request) -> PlainTextResponse:
    return PlainTextResponse("who?", status_code=401, headers={"www-authenticate": "Basic"})


def wsgi(environ: Any, start_response: Any) -> list[bytes]:
    start_response("203 Fine", [("Content-Type", "text/x-wsgi"), ("X-Path", environ["PATH_INFO"])])
    return [environ["REQUEST_METHOD"].encode(), b" ", environ["wsgi.input"].read()]


asgi = Starlette(
    routes=[
        Route("/described", described, methods=["GET", "PUT", "PATCH"]),
        Route("/streamed", streamed),
        Route("/refused", refused),
    ]
)


@bentoml.asgi_app(api, path="/fast")
@bentoml.asgi_app(asgi, path="/asgi")
@bentoml.asgi_app(WSGIMiddleware(wsgi), path="/wsgi")  # type: ignore[arg-type]
@bentoml.service(path_prefix="/under/here")
class Mounted:
    """All below one prefix."""

    word = "own"

    @api.get("/own/{name}")
    def own(self, name: str) -> dict[str, str]:
        """A route of FastAPI's that is a method."""
        return {name: self.word}

    @api.post("/asked")
    async def asked(self, document: dict[str, int]) -> list[Any]:
        return [await self.to_async.deeper(**document), bentoml.get_current_service() is self]

    @bentoml.api
    def ping(self) -> str:
        return "pong"

    @bentoml.api(route="/a/b")
    def deeper(self, x: int) -> int:
        return x

    @bentoml.task
    async def squared(self, number: int) -> int:
        return number**2
