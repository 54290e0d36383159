"""A network with short deadlines, a real worker behind it, and a caller in front of it."""

import base64
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Protocol

import anyio
import httpx2
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from livepeer.devnet import DevNet, Timings
from livepeer.devnet._serving import AppServer

# A job's deadline of n seconds lasts n tenths; one of 600 outlasts every test.
FAST = Timings(timeout_scale=0.1, gateway_grace_seconds=0.3, gateway_stream_grace_seconds=0.3)


class Worker:
    """A worker that tells what it was asked and whether its caller left.

    `/echo` answers what arrived, `/answer` what the body or `orders` say, `/hang` never, `/sse` the stream in the
    body, `/gated` what is put into `release`, and `/upload` how much it was sent. `/talk` is a WebSocket that echoes.
    """

    def __init__(self) -> None:
        self.url = ""
        self.server: AppServer
        self.calls: list[dict[str, Any]] = []
        self.orders: list[dict[str, Any]] = []
        self.called = anyio.Event()
        self.left = anyio.Event()
        self.sent_bytes = 0
        self.uploaded_bytes = 0
        self.closed_with: tuple[int, str] | None = None
        self.release, self.released = anyio.create_memory_object_stream[bytes](100)
        self.app = Starlette(
            routes=[
                Route("/answer", self._answer, methods=["POST"]),
                Route("/hang", self._hang, methods=["POST"]),
                Route("/sse", self._sse, methods=["POST"]),
                Route("/gated", self._gated, methods=["POST"]),
                Route("/moved", self._moved, methods=["POST"]),
                Route("/upload", self._upload, methods=["POST"]),
                WebSocketRoute("/talk", self._talk),
                WebSocketRoute("/no", self._refuse_talk),
                Route("/{path:path}", self._echo, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
            ]
        )

    async def app_with_watch(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def watched() -> Any:
            message = await receive()
            if message["type"].endswith(".disconnect"):
                self.left.set()
            return message

        await self.app(scope, receive if scope["type"] == "lifespan" else watched, send)

    async def _echo(self, request: Request) -> Response:
        await self._note(request)
        return Response(json.dumps(self.calls[-1]), media_type="application/json", headers={"X-Metadata": "meta"})

    async def _answer(self, request: Request) -> Response:
        await self._note(request)
        order = self.orders.pop() if self.orders else json.loads(self.calls[-1]["body"])
        return Response(order.get("body", ""), order.get("status", 200), order.get("headers"))

    async def _moved(self, request: Request) -> Response:
        await self._note(request)
        return Response(status_code=307, headers={"Location": "/echo"})

    async def _hang(self, request: Request) -> Response:
        await self._note(request)
        await self._wait_for_leave(request)
        return Response()

    async def _sse(self, request: Request) -> Response:
        await self._note(request)
        body = self.calls[-1]["body"].encode()

        async def stream() -> AsyncIterator[bytes]:
            yield body

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def _gated(self, request: Request) -> Response:
        await self._note(request)

        async def stream() -> AsyncIterator[bytes]:
            async for part in self.released:
                yield part
                self.sent_bytes += len(part)

        return StreamingResponse(stream(), media_type="text/event-stream; charset=utf-8")

    async def _upload(self, request: Request) -> Response:
        self.called.set()
        with suppress(ClientDisconnect):
            async for part in request.stream():
                self.uploaded_bytes += len(part)
        return Response(str(self.uploaded_bytes))

    async def _talk(self, socket: WebSocket) -> None:
        self.calls.append({"headers": dict(socket.headers), "query": socket.url.query, "path": socket.url.path})
        subprotocols = socket.scope["subprotocols"]
        await socket.accept(subprotocols[-1] if subprotocols else None, headers=[(b"x-answer", b"yes")])
        self.called.set()
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    raise WebSocketDisconnect(message["code"], message.get("reason"))
                if (text := message.get("text")) is None:
                    await socket.send_bytes(message["bytes"])
                elif text.startswith("close "):
                    await socket.close(int(text.split()[1]), "bye")
                else:
                    await socket.send_text(text)
        except WebSocketDisconnect as error:
            self.closed_with = error.code, error.reason

    async def _refuse_talk(self, socket: WebSocket) -> None:
        await socket.send_denial_response(Response("not here", 418, headers={"X-Answer": "no"}))

    async def _note(self, request: Request) -> None:
        self.calls.append(
            {
                "method": request.method,
                "path": request.url.path,
                "query": request.url.query,
                "headers": [[name.decode(), value.decode()] for name, value in request.scope["headers"]],
                "body": (await request.body()).decode("latin-1"),
            }
        )
        self.called.set()

    async def _wait_for_leave(self, request: Request) -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass


class HasUrl(Protocol):
    """A worker as it registers."""

    url: str


class Network:
    """A running network and a caller of it."""

    def __init__(self, net: DevNet, http: httpx2.AsyncClient) -> None:
        self.net = net
        self.http = http

    async def register(self, worker: "HasUrl", *, at: int = 0, **fields: object) -> httpx2.Response:
        body = {"name": "model", "url": worker.url, "capacity": 1, "currency": "wei"} | fields
        return await self.http.post(
            self.net.orchestrator_urls[at] + "/capability/register",
            headers={"Authorization": self.net.secret},
            json=body,
        )

    async def heartbeat(
        self, worker: Worker | None = None, *, secret: str | None = None, at: int = 0, **fields: object
    ) -> httpx2.Response:
        """Register a live runner, or send its heartbeat; a field given as None is left out."""
        body = {"runner_url": worker.url if worker else "http://127.0.0.1:9", "app": "me/model"} | fields
        return await self.http.post(
            self.net.orchestrator_urls[at] + "/runners/heartbeat",
            headers={"Authorization": self.net.secret if secret is None else secret},
            content=json.dumps({name: value for name, value in body.items() if value is not None}).encode(),
        )

    async def discover(self, at: int = 0) -> list[dict[str, Any]]:
        [entry] = (await self.http.get(self.net.orchestrator_urls[at] + "/discovery")).json()
        assert entry["address"] == self.net.orchestrator_urls[at]
        return entry.get("runners", [])

    def url(self, route: str, *, direct: bool = False) -> str:
        base = self.net.orchestrator_url if direct else self.net.gateway_url
        return f"{base}/process/request/{route}"

    async def call(
        self, route: str = "echo", body: Any = b"", *, direct: bool = False, header: str | None = None, **fields: object
    ) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        header = job_header(**fields) if header is None else header
        return await self.http.post(self.url(route, direct=direct), content=content, headers={"Livepeer": header})

    @asynccontextmanager
    async def open(
        self, route: str = "sse", body: bytes = b"", *, direct: bool = False, **fields: object
    ) -> AsyncIterator[httpx2.Response]:
        headers = {"Livepeer": job_header(**fields)}
        async with self.http.stream("POST", self.url(route, direct=direct), content=body, headers=headers) as response:
            yield response

    @property
    def load(self) -> int:
        return self.net.capabilities["model"].load


def job_header(**fields: object) -> str:
    """Return a Livepeer header; a field given as None is left out."""
    job = {"request": "{}", "parameters": "{}", "capability": "model", "timeout_seconds": 600} | fields
    return encode({name: value for name, value in job.items() if value is not None})


def encode(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; nothing tells when it does."""
    with anyio.fail_after(5):
        while not condition():
            await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[AppServer]:
    """Serve an application on any free port."""
    server = AppServer(app, host="127.0.0.1", port=0)
    async with anyio.create_task_group() as tasks:
        await tasks.start(server.run)
        try:
            yield server
        finally:
            await server.stop()


@asynccontextmanager
async def running_worker() -> AsyncIterator[Worker]:
    worker = Worker()
    async with serving(worker.app_with_watch) as worker.server:
        worker.url = worker.server.url
        with worker.release, worker.released:
            yield worker


@asynccontextmanager
async def running_network(**options: Any) -> AsyncIterator[Network]:
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=0)
    async with (
        DevNet(**({"timings": FAST} | options)) as net,
        httpx2.AsyncClient(trust_env=False, timeout=None, limits=limits) as http,
    ):
        yield Network(net, http)
