"""A worker that answers as it is told, and remembers what it was asked."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from ._listening import FreePort, listening

Script = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    """Below the worker's own base URL."""

    query: str
    headers: Mapping[str, str]
    """By lower-case name."""

    body: bytes


class ScriptedWorker:
    """A worker at a base URL of its own; until it is told otherwise, it answers `{}`."""

    def __init__(self, url: str) -> None:
        self.url = url
        """Its base URL, without a final slash."""
        self.asked: list[Asked] = []
        """What has arrived, in order."""
        self.left = 0
        """How many callers left before their answer was whole."""
        self._changed = anyio.Event()
        self._released = anyio.Event()
        self.answers()

    def answers(self, status: int = 200, body: bytes = b"{}", **headers: str) -> None:
        """Answer everything like this; a header's name is written with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}

        async def script(_: Request) -> Response:
            return Response(body, status, named)

        self._script: Script = script

    def holds(self, body: bytes = b"{}") -> None:
        """Answer only once it is released."""

        async def script(_: Request) -> Response:
            await self._released.wait()
            return Response(body)

        self._script = script

    def streams(self, *chunks: bytes, then_hold: bool = False) -> None:
        """Answer with an event stream.

        Args:
            chunks: What it sends; from the second on only once it is released, one after another.
            then_hold: Whether the stream stays open after the last chunk.
        """

        async def script(_: Request) -> Response:
            return StreamingResponse(self._chunks(chunks, then_hold), media_type="text/event-stream")

        self._script = script

    def release(self) -> None:
        """Let go of what is held, now and from now on."""
        self._released.set()

    async def until_asked(self, times: int = 1) -> Asked:
        """Wait until so many requests have arrived, and return the last of them."""
        while len(self.asked) < times:
            await self._changed.wait()
        return self.asked[times - 1]

    async def until_left(self) -> None:
        """Wait until a caller has left before its answer was whole."""
        while not self.left:
            await self._changed.wait()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope, whose path begins below the base URL."""
        request = Request(scope, receive)
        body = await request.body()
        self.asked.append(
            Asked(
                method=request.method,
                path=scope["path"],
                query=scope["query_string"].decode(),
                headers=dict(request.headers),
                body=body,
            )
        )
        self._notify()
        is_whole = False

        async def send_on(message: Message) -> None:
            nonlocal is_whole
            is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._answer, request, send_on)
            await _disconnect(receive)
            tasks.cancel_scope.cancel()
        if not is_whole:
            self.left += 1
            self._notify()

    async def _answer(self, request: Request, send: Send) -> None:
        response = await self._script(request)
        await response(request.scope, _never, send)

    async def _chunks(self, chunks: tuple[bytes, ...], then_hold: bool) -> AsyncIterator[bytes]:
        for place, chunk in enumerate(chunks):
            if place:
                await self._released.wait()
            yield chunk
        if then_hold:
            await anyio.sleep_forever()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class Workers:
    """Scripted workers on one port, each below a path of its own."""

    def __init__(self, port: FreePort) -> None:
        self._port = port
        self._workers: dict[str, ScriptedWorker] = {}

    def worker(self, name: str) -> ScriptedWorker:
        """Make a worker at a path of its own."""
        self._workers[name] = found = ScriptedWorker(f"{self._port.url}/{name}")
        return found

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request to its worker."""
        name, slash, path = scope["path"].lstrip("/").partition("/")
        if scope["type"] == "websocket":
            await _echo_websocket(WebSocket(scope, receive, send))
        elif (worker := self._workers.get(name)) is not None:
            await worker({**scope, "path": slash + path}, receive, send)
        else:
            await Response("no such worker", 404)(scope, receive, send)


@asynccontextmanager
async def scripted_workers(host: str) -> AsyncGenerator[Workers]:
    """Serve scripted workers within the block."""
    port = FreePort(host)
    workers = Workers(port)
    async with listening(workers, port):
        yield workers


async def _disconnect(receive: Receive) -> None:
    """Return once the caller has left, or has its whole answer."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _never() -> dict[str, str]:
    await anyio.sleep_forever()
    return {}


async def _echo_websocket(websocket: WebSocket) -> None:
    await websocket.accept()
    message = await websocket.receive_text()
    await websocket.send_text(f"{websocket.query_params.get('mark', '')}:{message}")
    await websocket.close()
