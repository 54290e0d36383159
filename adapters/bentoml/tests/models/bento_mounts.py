"""Services with HTTP of their own beside their apis."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import bentoml
import fastapi
from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

LIFE: list[str] = []

fast = fastapi.FastAPI()


@fast.get("/greet/{name}")
async def greet(name: str) -> dict[str, str]:
    return {"message": f"hello {name}"}


@fast.post("/length")
async def length(request: Request) -> int:
    return len(await request.body())


@fast.websocket("/socket")
async def socket(websocket: fastapi.WebSocket) -> None:
    await websocket.accept()
    async for text in websocket.iter_text():
        await websocket.send_text(text.upper())


@asynccontextmanager
async def alive(app: Starlette) -> AsyncGenerator[None]:
    LIFE.append("begins")
    yield
    LIFE.append("ends")


async def life(request: Request) -> Response:
    return JSONResponse(LIFE)


star = Starlette(routes=[Route("/life", life)], lifespan=alive)


async def plain(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": [(b"x-path", scope["path"].encode())]})
    await send({"type": "http.response.body", "body": scope.get("root_path", "").encode()})


def wsgi(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    start_response("200 OK", [("content-type", "text/plain")])
    return [environ["PATH_INFO"].encode(), b" ", environ["wsgi.input"].read()]


@bentoml.service
@bentoml.asgi_app(fast, path="/fast")
@bentoml.asgi_app(star, path="/star/")
@bentoml.asgi_app(plain, path="/{tenant}/plain")
class Mounted:
    @bentoml.api
    def shout(self, text: str) -> str:
        return text.upper()

    @fast.get("/service")
    async def of_the_service(self) -> dict[str, str]:
        return {"shouted": self.shout("hello")}


Mounted.mount_wsgi_app(wsgi, path="/wsgi")


@bentoml.service(path_prefix="/v1")
@bentoml.asgi_app(plain, path="/plain")
class Prefixed:
    @bentoml.api
    def shout(self, text: str) -> str:
        return text.upper()

    @bentoml.task
    def later(self) -> str:
        return "done"


rooted = fastapi.FastAPI()


@rooted.get("/{name}")
async def anything(name: str) -> str:
    return name


@bentoml.service(metrics={"enabled": True})
@bentoml.asgi_app(rooted, path="/")
class Rooted:
    @bentoml.api
    def shout(self, text: str) -> str:
        return text.upper()


@bentoml.service
@bentoml.asgi_app(rooted, path="/only")
class MountedAlone:
    """Nothing but an application."""


class Stamp:
    def __init__(self, app: Any, word: str) -> None:
        self.app = app
        self.word = word

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def stamp(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-stamp", self.word.encode())]
            await send(message)

        await self.app(scope, receive, stamp)


class Door(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        if request.headers.get("x-closed"):
            return JSONResponse({"error": "closed"}, status_code=423)
        return await call_next(request)


@bentoml.service(
    http={"cors": {"enabled": True, "access_control_allow_origins": ["https://app.example"],
                   "access_control_allow_methods": ["POST"], "access_control_allow_headers": ["x-own"]}}
)  # fmt: skip
@bentoml.asgi_app(plain, path="/plain")
class Guarded:
    @bentoml.api
    def shout(self, text: str) -> str:
        return text.upper()

    @bentoml.task
    def later(self) -> str:
        return "done"

    @bentoml.task
    async def never(self) -> str:
        await asyncio.Event().wait()
        return "never"


Guarded.add_asgi_middleware(Stamp, word="seen")
Guarded.add_asgi_middleware(Door)


@bentoml.service
class AtTheRoot:
    @bentoml.api
    def beside(self, text: str) -> str:
        return text.lower()

    @bentoml.api(route="/")
    def shout(self, text: str) -> str:
        return text.upper()
