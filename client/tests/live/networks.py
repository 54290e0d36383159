"""A network with one worker of live streams, on a real trickle server: BYOC's two hops, and Live Runner."""

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
import anyio.abc
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from livepeer.trickle import (
    AsyncJSONLReader,
    AsyncJSONLWriter,
    AsyncPublisher,
    AsyncSubscriber,
    TrickleError,
)
from livepeer.trickle.server import TrickleServer, serve

TRICKLE = "/ai/trickle/"
KINDS = {"": "video/MP2T", "-out": "video/MP2T", "-control": "application/json", "-events": "application/json"}


@dataclass
class Session:
    """A stream as the worker has it."""

    id: str
    base: str
    params: Any
    channels: set[str]
    job: dict[str, Any] = field(default_factory=dict[str, Any])
    stopped: anyio.Event = field(default_factory=anyio.Event)
    reporting: anyio.Lock = field(default_factory=anyio.Lock)
    heard: list[Any] = field(default_factory=list[Any])

    def url(self, suffix: str) -> str:
        return f"{self.base}{self.id}{suffix}"

    async def report(self, event: object) -> None:
        """Report once, as a segment of its own."""
        async with self.reporting, AsyncPublisher(self.url("-events"), create=False, delete=False) as events:
            await events.publish(json.dumps(event).encode())


Behaviour = Callable[[Session], Awaitable[None]]


async def relay(session: Session) -> None:
    """Send the input back, echo messages as data, and say how it goes."""
    await session.report({"type": "status", "state": "running", "frames_dropped": 0})
    async with anyio.create_task_group() as tasks:
        if "-data" in session.channels:
            tasks.start_soon(_echo, session)
        if {"", "-out"} <= session.channels:
            await _copy(session)
        else:
            await session.stopped.wait()
        tasks.cancel_scope.cancel()
    await session.report({"type": "status", "state": "ended", "reason": "input_ended", "frames_dropped": 7})


async def _copy(session: Session) -> None:
    async with (
        AsyncSubscriber(session.url(""), start="earliest") as source,
        AsyncPublisher(session.url("-out"), create=False, delete=False) as output,
    ):
        async for segment in source:
            async with await output.segment() as copy:
                async for part in segment:
                    await copy.write(part)


async def _echo(session: Session) -> None:
    async with (
        AsyncJSONLReader(session.url("-control"), start="earliest") as control,
        AsyncJSONLWriter(session.url("-data"), create=False, delete=False) as data,
    ):
        async for message in control:
            session.heard.append(message)
            await data.write({"heard": message})


class Network(TrickleServer):
    """Everything between caller and worker, and the worker, on one port."""

    def __init__(self, *, behaviour: Behaviour = relay, runners: bool = False, has_ts: bool = True) -> None:
        super().__init__(path=TRICKLE, autocreate=False)
        self.behaviour = behaviour
        self.runners = runners
        self.has_ts = has_ts
        self.refusal: Response | None = None
        self.url = ""
        self.sessions: dict[str, Session] = {}
        self.asked: list[str] = []
        self.bodies: list[bytes] = []
        self.asked_params: list[Any] = []
        self.hold_start: anyio.Event | None = None
        self.hold_stop: anyio.Event | None = None
        self.start_came = anyio.Event()
        self.stop_came = anyio.Event()
        self.status: Response | None = None
        self.status_asked = anyio.Event()
        self.tasks: anyio.abc.TaskGroup
        self._routes = Starlette(
            routes=[
                Route("/discovery", self._discovery),
                Route("/ai/stream/start", self._start, methods=["POST"]),
                Route("/ai/stream/stop", self._stop, methods=["POST"]),
                Route("/ai/stream/update", self._update, methods=["POST"]),
                Route("/apps/r/session", self._reserve, methods=["POST"]),
                Route("/apps/r/session/s/app/live", self._start_live, methods=["POST"]),
                Route("/apps/r/session/s/app/live/params", self._live_params, methods=["POST"]),
                Route("/apps/r/session/s/stop", self._release, methods=["POST"]),
                Route("/process/stream/start", self._gateway_start, methods=["POST"]),
                Route("/process/stream/{id}/stop", self._gateway_stop, methods=["POST"]),
                Route("/process/stream/{id}/update", self._gateway_update, methods=["POST"]),
                Route("/process/stream/{id}/status", self._gateway_status),
                Route("/process/stream/{id}/data", self._gateway_data),
                Route("/process/stream/{id}/ts", self._gateway_ts, methods=["GET", "POST"]),
            ]
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(TRICKLE):
            if scope["path"] != "/discovery":
                self.asked.append(f"{scope['method']} {scope['path']}")
            await self._routes(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    @property
    def session(self) -> Session:
        (session,) = self.sessions.values()
        return session

    def end_channels(self, session: Session) -> None:
        for suffix in session.channels:
            self.delete(session.id + suffix)

    # The worker, and the orchestrator's part of it.

    async def _begin(self, id: str, params: Any, channels: set[str], job: dict[str, Any]) -> Response | None:
        self.start_came.set()
        if self.hold_start is not None:
            await self.hold_start.wait()
        if self.refusal is not None:
            return self.refusal
        self.asked_params.append(params)
        session = Session(id=id, base=self.url + TRICKLE, params=params, channels=channels, job=job)
        for suffix in channels:
            self.create(id + suffix, KINDS.get(suffix, "application/jsonl"))
        self.sessions[id] = session
        self.tasks.start_soon(self._run, session)
        return None

    async def _run(self, session: Session) -> None:
        with anyio.CancelScope() as scope:
            self.tasks.start_soon(self._end_when_stopped, session, scope)
            try:
                await self.behaviour(session)
            except* TrickleError:
                pass  # the channels are gone, and so is the stream

    async def _end_when_stopped(self, session: Session, scope: anyio.CancelScope) -> None:
        await session.stopped.wait()
        scope.cancel()

    async def _finish(self, id: str) -> None:
        self.stop_came.set()
        if self.hold_stop is not None:
            await self.hold_stop.wait()
        session = self.sessions.get(id)
        if session is None or session.stopped.is_set():
            return
        session.stopped.set()
        with suppress(TrickleError):
            await session.report({"type": "status", "state": "ended", "reason": "stopped", "frames_dropped": 3})
        self.end_channels(session)

    def _give_params(self, id: str, params: Any) -> Response:
        session = self.sessions.get(id)
        if session is None or session.stopped.is_set():
            return JSONResponse({"title": "no such session", "code": "unknown_session", "status": 404}, 404)
        if isinstance(params, dict) and "bad" in params:
            errors = [{"field": "bad", "reason": "is no field"}]
            problem = {"title": "invalid input", "code": "invalid_input", "status": 422, "errors": errors}
            return JSONResponse(problem, 422)
        session.params = params
        return JSONResponse({"params": params})

    # BYOC, straight at the orchestrator.

    async def _start(self, request: Request) -> Response:
        job = _job(request)
        wanted = json.loads(job["parameters"])
        body = await request.json()
        channels = {"-control", "-events"}
        channels |= {""} if wanted.get("enable_video_ingress") else set()
        channels |= {"-out"} if wanted.get("enable_video_egress") else set()
        channels |= {"-data"} if wanted.get("enable_data_output") else set()
        if refusal := await self._begin(job["id"], body["params"], channels, job):
            return refusal
        session = self.sessions[job["id"]]
        names = {"": "Publish", "-out": "Subscribe", "-control": "Control", "-events": "Events", "-data": "Data"}
        return Response(headers={f"X-{names[suffix]}-Url": session.url(suffix) for suffix in channels})

    async def _stop(self, request: Request) -> Response:
        await self._finish(json.loads(_job(request)["request"])["stream_id"])
        return Response(b"stopped")

    async def _update(self, request: Request) -> Response:
        self.bodies.append(await request.body())
        return self._give_params(json.loads(_job(request)["request"])["stream_id"], await request.json())

    # Live Runner.

    async def _discovery(self, request: Request) -> Response:
        if not self.runners:
            return PlainTextResponse("404 page not found\n", 404)
        entry = {"url": f"{self.url}/apps/r/session", "app": "me/model", "mode": "persistent", "capacity_available": 1}
        return JSONResponse([{"address": self.url, "runners": [entry]}])

    async def _reserve(self, request: Request) -> Response:
        base = f"{self.url}/apps/r/session/s"
        return JSONResponse({"session_id": "s", "app_url": f"{base}/app", "control_url": base})

    async def _start_live(self, request: Request) -> Response:
        channels = {"", "-out", "-control", "-events", "-data"}
        if refusal := await self._begin("live-1", (await request.json())["params"], channels, {}):
            return refusal
        names = {"": "subscribe", "-out": "publish", "-control": "control", "-events": "events", "-data": "data"}
        session = self.session
        urls = {f"{names[suffix]}_url": session.url(suffix) for suffix in channels}
        return JSONResponse({"stream_id": session.id, **urls})

    async def _live_params(self, request: Request) -> Response:
        return self._give_params("live-1", (await request.json())["params"])

    async def _release(self, request: Request) -> Response:
        await self._finish("live-1")
        return Response(status_code=204)

    # A BYOC gateway.

    async def _gateway_start(self, request: Request) -> Response:
        job, body = _job(request), await request.json()
        id = body["stream_id"]
        wanted = json.loads(job["parameters"])
        params = json.loads(body["params"]) if body["params"] else None
        channels = {"", "-out", "-control", "-events", "-data"}
        self.tasks.start_soon(self._begin, id, params, channels, job)  # it answers before the worker has
        answer = {"stream_id": id, "stop_url": f"https://elsewhere/process/stream/{id}/stop"}
        if wanted.get("enable_video_ingress"):
            answer |= {"whip_url": f"https://elsewhere/process/stream/{id}/whip", "rtmp_url": "rtmp://elsewhere/in"}
        if wanted.get("enable_data_output"):
            answer |= {"data_url": f"https://elsewhere/process/stream/{id}/data"}
        if self.has_ts:
            answer |= {"ts_url": f"{self.url}/process/stream/{id}/ts"}
        return JSONResponse(answer)

    async def _gateway_stop(self, request: Request) -> Response:
        await self._finish(request.path_params["id"])
        return Response(b"")

    async def _gateway_update(self, request: Request) -> Response:
        assert json.loads(_job(request)["request"]) == {"stream_id": request.path_params["id"]}
        return self._give_params(request.path_params["id"], await request.json())

    async def _gateway_status(self, request: Request) -> Response:
        self.status_asked.set()
        session = self.sessions.get(request.path_params["id"])
        if session is None or session.stopped.is_set():
            return PlainTextResponse("Stream not found\n", 404)
        if self.status is not None:
            return self.status
        return JSONResponse({"state": "running", "whep_url": "", "params": session.params})

    async def _gateway_data(self, request: Request) -> Response:
        session = self.sessions.get(request.path_params["id"])
        if session is None or session.stopped.is_set():
            return PlainTextResponse("Stream not found\n", 404)

        async def events() -> AsyncIterator[bytes]:
            with suppress(TrickleError):
                async with AsyncJSONLReader(session.url("-data"), start="earliest") as reader:
                    async for message in reader:
                        yield b"data: %s\n\n" % json.dumps(message).encode()
            # As Go writes it: an empty event, and backslashes that are no newlines.
            yield b"data: \n\n"
            yield rb'event: end\ndata: {"type":"stream_ended"}\n\n'

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _gateway_ts(self, request: Request) -> Response:
        session = self.sessions.get(request.path_params["id"])
        if session is None:
            return PlainTextResponse("Stream not found\n", 404, {"Connection": "close"})
        if request.method == "POST":
            async with AsyncPublisher(session.url(""), create=False, delete=True) as publisher:
                segment = await publisher.segment()
                async for chunk in request.stream():
                    if chunk:
                        await segment.write(chunk)
            return Response(status_code=204)

        async def chunks() -> AsyncIterator[bytes]:
            with suppress(TrickleError):
                async with AsyncSubscriber(session.url("-out"), start="earliest") as source:
                    async for segment in source:
                        async for part in segment:
                            yield part

        return StreamingResponse(chunks(), media_type="video/MP2T")


@asynccontextmanager
async def cancelled_at(event: anyio.Event) -> AsyncGenerator[anyio.CancelScope]:
    """Cancel what is within as soon as an event is set."""

    async def cancel(scope: anyio.CancelScope) -> None:
        await event.wait()
        scope.cancel()

    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            tasks.start_soon(cancel, scope)
            yield scope


def _job(request: Request) -> dict[str, Any]:
    return json.loads(base64.b64decode(request.headers["Livepeer"], validate=True))


@asynccontextmanager
async def running(**options: Any) -> AsyncGenerator[Network]:
    """Serve a network on a port of its own."""
    network = Network(**options)
    async with anyio.create_task_group() as network.tasks, serve(network, port=0) as base:
        network.url = base.removesuffix(TRICKLE)
        yield network
        network.tasks.cancel_scope.cancel()
