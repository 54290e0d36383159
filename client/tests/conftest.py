"""A network on loopback that behaves as the BYOC contract says, and both faces of the client behind one."""

import base64
import json
import socket
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest
import uvicorn
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from livepeer.client import Capability, Event, Gateway

from . import live_runner


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Seen:
    """What a worker was sent."""

    path: str
    job: dict[str, Any]
    headers: Mapping[str, str]
    body: bytes

    @property
    def input(self) -> Any:
        return json.loads(self.body)


@dataclass
class Worker:
    """A container behind an orchestrator: `answer` is its code."""

    answer: Callable[[Seen], Awaitable[Response]]
    seen: list[Seen] = field(default_factory=list[Seen])


Handler = Callable[[Seen], Awaitable[Response]]


class Loopback:
    """One real server whose paths' first segment says which node of the network is asked."""

    def __init__(self) -> None:
        self.nodes: dict[str, ASGIApp] = {}
        self.live: set[str] = set()
        self.url = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        _, name, rest = scope["path"].split("/", 2)
        if rest == "discovery" and name not in self.live:
            await PlainTextResponse("404 page not found\n", 404)(scope, receive, send)
            return
        await self.nodes[name]({**scope, "path": "/" + rest}, receive, send)

    def add(self, app: ASGIApp, *, speaks_live_runner: bool = False) -> str:
        name = f"node-{len(self.nodes)}"
        self.nodes[name] = app
        if speaks_live_runner:
            self.live.add(name)
        return f"{self.url}/{name}"

    def orchestrator(self, answer: Handler) -> tuple[str, Worker]:
        """An orchestrator: passes the media type, inserts the balance, never closes a stream by itself."""
        worker = Worker(answer)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen = await _seen(scope, receive)
            sig = seen.job.get("sig", "0x")
            if not seen.job.get("id") or not seen.job.get("sender") or sig in ("0x", "0x00"):
                await PlainTextResponse("Could not verify job creds", 400)(scope, receive, send)
                return
            response = await _answer(worker, seen)
            if not isinstance(response, StreamingResponse):
                response = _sent_on(response)
                if response.status_code == 401:
                    response = PlainTextResponse("job not able to be processed", 500)
            elif response.media_type == "text/event-stream":
                lines = _lines(response.body_iterator)
                response = StreamingResponse(_with_balance(lines), media_type="text/event-stream")
            await response(scope, receive, send)

        return self.add(app), worker

    def live_orchestrator(self) -> live_runner.Orchestrator:
        """An orchestrator that speaks Live Runner alone."""
        orchestrator = live_runner.Orchestrator()
        orchestrator.url = self.add(orchestrator.app, speaks_live_runner=True)
        return orchestrator

    def signer(self) -> live_runner.Signer:
        """A remote signer that pays everything."""
        signer = live_runner.Signer()
        signer.url = self.add(signer.app)
        return signer

    def gateway(self, *answers: Handler, capability: str = "model") -> tuple[str, list[Worker]]:
        """A gateway before one orchestrator for each answer: tries them in turn, drops the media type."""
        workers = [Worker(answer) for answer in answers]

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            seen = await _seen(scope, receive)
            await (await _gateway_answer(workers, capability, seen))(scope, receive, send)

        return self.add(app), workers


async def _seen(scope: Scope, receive: Receive) -> Seen:
    request = Request(scope, receive)
    assert request.method == "POST"
    prefix = "/process/request/"
    assert scope["path"].startswith(prefix), scope["path"]
    job = json.loads(base64.b64decode(request.headers["Livepeer"], validate=True))
    return Seen("/" + scope["path"].removeprefix(prefix), job, dict(request.headers), await request.body())


async def _answer(worker: Worker, seen: Seen) -> Response:
    worker.seen.append(seen)
    return await worker.answer(seen)


def _sent_on(response: Response) -> Response:
    """What both hops make of an error: Go's http.Error."""
    if response.status_code < 400:
        return response
    return PlainTextResponse(bytes(response.body).decode() + "\n", response.status_code)


async def _gateway_answer(workers: list[Worker], capability: str, seen: Seen) -> Response:
    if seen.job["capability"] != capability:
        return PlainTextResponse(f"No orchestrators found for capability {seen.job['capability']}\n", 400)
    if not seen.job["timeout_seconds"]:
        return PlainTextResponse("no timeout set\n", 400)
    json.loads(seen.job["request"])
    json.loads(seen.job["parameters"])
    for index, worker in enumerate(workers):
        response = await _answer(worker, seen)
        headers = {"X-Orchestrator-Url": f"https://orchestrator-{index}:8935", "Livepeer-Balance": ""}
        if isinstance(response, StreamingResponse) and response.media_type == "text/event-stream":
            lines = _without_end(_with_balance(_lines(response.body_iterator)))
            return StreamingResponse(lines, media_type="text/event-stream", headers=headers)
        if response.status_code >= 500 or response.status_code == 401:
            continue
        if response.status_code >= 400:
            return _sent_on(response)
        body = bytes(response.body)
        return Response(body, headers=headers | {"Content-Type": _sniff(body)})
    return Response(b"")


def _sniff(body: bytes) -> str:
    if body.startswith(b"\x89PNG"):
        return "image/png"
    control = bytes(range(9)) + b"\x0b" + bytes(range(14, 27)) + bytes(range(28, 32))
    return "application/octet-stream" if set(body[:512]) & set(control) else "text/plain; charset=utf-8"


async def _lines(chunks: Any) -> AsyncIterator[bytes]:
    tail = b""
    async for chunk in chunks:
        *whole, tail = (tail + chunk).split(b"\n")
        for line in whole:
            yield line
    if tail:
        yield tail


async def _with_balance(lines: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for line in lines:
        if b"[DONE]" in line:
            yield b'data: {"balance": 1234.000}\n\n'
            yield line + b"\n"
            async for blank in _flood():
                yield blank
        yield line + b"\n"


async def _without_end(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        yield chunk
        if b"[DONE]" in chunk:
            async for blank in _flood():
                yield blank


async def _flood() -> AsyncIterator[bytes]:
    while True:
        yield b"\n" * 4096
        await anyio.lowlevel.checkpoint()


@pytest.fixture
def dead_url() -> Iterator[str]:
    """A bound port that nobody listens on, so that no other process can take it."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.fixture(scope="session")
def server() -> Iterator[Loopback]:
    loopback = Loopback()
    ready = threading.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            ready.set()
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await loopback(scope, receive, send)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        loopback.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
        uvicorn_server = uvicorn.Server(config)
        thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]})
        thread.start()
        assert ready.wait(10)
        yield loopback
        uvicorn_server.should_exit = True
        thread.join()


@dataclass
class Caller:
    """One face of the client, asked the same way whichever it is."""

    face: str
    gateways: list[Gateway] = field(default_factory=list[Gateway])

    def gateway(self, **settings: Any) -> Gateway:
        self.gateways.append(Gateway(**settings))
        return self.gateways[-1]

    async def run(self, gateway: Gateway, *args: Any, **kwargs: Any) -> Any:
        with anyio.fail_after(10):
            if self.face == "async":
                return await gateway.run_async(*args, **kwargs)
            return await _in_thread(lambda: gateway.run(*args, **kwargs))

    async def discover(self, gateway: Gateway, *args: Any, **kwargs: Any) -> list[Capability]:
        with anyio.fail_after(10):
            if self.face == "async":
                return await gateway.discover_async(*args, **kwargs)
            return await _in_thread(lambda: gateway.discover(*args, **kwargs))

    async def schema(self, gateway: Gateway, capability: Capability) -> dict[str, Any]:
        with anyio.fail_after(10):
            if self.face == "async":
                return await gateway.schema_async(capability)
            return await _in_thread(lambda: gateway.schema(capability))

    async def in_session(
        self, gateway: Gateway, *args: Any, runs: Sequence[Any] = (), streams: Sequence[Any] = (), **kwargs: Any
    ) -> list[Any]:
        """Keep a session for some calls, of inputs to run and of inputs to stream."""
        with anyio.fail_after(10):
            if self.face == "async":
                async with gateway.session_async(*args, **kwargs) as session:
                    results = [await session.run(value) for value in runs]
                    return results + [[event.json() async for event in session.stream(value)] for value in streams]

            def call() -> list[Any]:
                with gateway.session(*args, **kwargs) as session:
                    results = [session.run(value) for value in runs]
                    return results + [[event.json() for event in session.stream(value)] for value in streams]

            return await _in_thread(call)

    async def stream(self, gateway: Gateway, *args: Any, into: list[Event] | None = None, **kwargs: Any) -> list[Event]:
        """Put the events into a list, so that those before an error are seen as well."""
        into = [] if into is None else into
        with anyio.fail_after(10):
            if self.face == "async":
                async for event in gateway.stream_async(*args, **kwargs):
                    into.append(event)
            else:
                await _in_thread(lambda: into.extend(gateway.stream(*args, **kwargs)))
        return into

    async def first(self, gateway: Gateway, *args: Any, **kwargs: Any) -> Event:
        """Take one event and leave."""
        with anyio.fail_after(10):
            if self.face == "async":
                async with gateway.stream_async(*args, **kwargs) as events:
                    return await anext(events)

            def take() -> Event:
                with gateway.stream(*args, **kwargs) as events:
                    return next(events)

            return await _in_thread(take)


async def _in_thread(work: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


@pytest.fixture(params=["sync", "async"])
async def caller(request: pytest.FixtureRequest) -> AsyncIterator[Caller]:
    caller = Caller(request.param)
    yield caller
    for gateway in caller.gateways:
        await gateway.aclose()
