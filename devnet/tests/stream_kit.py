"""A worker that takes live streams, and a caller that starts them."""

import itertools
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import anyio
import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livepeer.trickle import AsyncPublisher, AsyncSubscriber
from livepeer.trickle.media import Demuxer, Muxer

from .kit import FAST, Network, job_header, running_network, serving, until

TICKS = 9_000  # ten pictures a second
PICTURES_PER_SEGMENT = 10

ALL = {"enable_video_ingress": True, "enable_video_egress": True, "enable_data_output": True}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came to the worker."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class LiveWorker:
    """A worker that remembers what it was asked, and answers a start as it is told."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.gate = anyio.Event()
        self.gate.set()
        self._changed = anyio.Event()
        self.app = Starlette(routes=[Route("/stream/{what}", self._answer, methods=["POST"])])

    def of(self, what: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == f"/stream/{what}"]

    async def until(self, what: str, times: int = 1) -> Asked:
        """Return a request once so many of its kind have come."""
        while len(self.of(what)) < times:
            await self._changed.wait()
        return self.of(what)[times - 1]

    async def until_started(self) -> dict[str, Any]:
        """Return the body of the first start."""
        return (await self.until("start")).json

    async def _answer(self, request: Request) -> Response:
        body = await request.body()
        self.asked.append(Asked(path=request.url.path, headers=request.headers, body=body))
        self._changed.set()
        self._changed = anyio.Event()
        await self.gate.wait()
        status, answer = self.answers.get(request.path_params["what"], (200, b"fine"))
        return Response(answer, status)


class StreamNetwork:
    """A network with a live worker that is registered as `model`."""

    def __init__(self, network: Network, worker: LiveWorker) -> None:
        self.network = network
        self.net = network.net
        self.http = network.http
        self.worker = worker

    @property
    def load(self) -> int:
        return self.network.load

    async def start(self, channels: Mapping[str, bool] = ALL, **fields: object) -> httpx2.Response:
        """Start a stream at the gateway; the fields are the body's."""
        body = {"stream_name": "s", "stream_id": "1"} | fields
        return await self.http.post(
            self.net.gateway_url + "/process/stream/start", json=body, headers=self.header(channels)
        )

    async def started(self, channels: Mapping[str, bool] = ALL, **fields: object) -> dict[str, Any]:
        """Start a stream, and return what the worker was told, once the gateway waits at the channels that it reads."""
        answer = await self.start(channels, **fields)
        assert answer.status_code == 200, answer.text
        told = await self.worker.until_started()
        for name in ("events", "publish", "data"):
            if (url := told.get(f"{name}_url")) is not None:
                await self.until_read(url)
        return told

    async def until_read(self, url: str, seq: int = 0) -> None:
        """Wait until somebody waits for a segment that has not begun."""
        at = next(at for at, base in enumerate(self.net.orchestrator_urls) if url.startswith(base))
        trickle = self.net.orchestrators[at]._trickle
        await until(lambda: (channel := trickle.channel(url.rpartition("/")[2])) is None or bool(channel.held(seq)))

    async def start_direct(
        self, channels: Mapping[str, bool] = ALL, *, body: Any = None, **job: object
    ) -> httpx2.Response:
        """Start a stream straight at the orchestrator."""
        content = json.dumps({"params": {}}).encode() if body is None else body
        headers = self.header(channels, **({"id": "s-1"} | job)) | {"Content-Type": "application/json"}
        return await self.http.post(self.net.orchestrator_url + "/ai/stream/start", content=content, headers=headers)

    async def call_direct(self, what: str, body: bytes = b"", **job: object) -> httpx2.Response:
        request = {"request": '{"stream_id": "s-1"}'} | job
        return await self.http.post(
            f"{self.net.orchestrator_url}/ai/stream/{what}", content=body, headers=self.header(**request)
        )

    def header(self, channels: Mapping[str, bool] = ALL, **job: object) -> dict[str, str]:
        return {"Livepeer": job_header(**({"parameters": json.dumps(channels)} | job))}

    def url(self, what: str, stream_id: str = "s-1") -> str:
        return f"{self.net.gateway_url}/process/stream/{stream_id}/{what}"

    async def stop(self, body: bytes = b"") -> httpx2.Response:
        return await self.http.post(self.url("stop"), content=body)

    async def status(self) -> httpx2.Response:
        return await self.http.get(self.url("status"))

    async def until_status(self, **expected: object) -> dict[str, Any]:
        """Return the status once it has these fields."""
        while True:
            answer = await self.status()
            status = answer.json() if answer.status_code == 200 else {}
            if expected.items() <= status.items():
                return status
            await anyio.lowlevel.checkpoint()

    async def until_ended(self, stream_id: str = "s-1") -> str:
        """Return why a stream has ended, once the gateway has no part in it any more."""
        while (await self.http.post(self.url("whip"))).status_code != 404:
            await anyio.lowlevel.checkpoint()
        while (reason := self.net.streams[stream_id].ended) is None:
            await anyio.lowlevel.checkpoint()
        return reason


@asynccontextmanager
async def stream_network(
    *, workers: int = 1, dashboard_port: int | None = None, **timings: float
) -> AsyncIterator[StreamNetwork]:
    """A network of as many orchestrators as there are to be, each with the same worker."""
    worker = LiveWorker()
    async with serving(worker.app) as server:
        worker.url = server.url
        options = {"orchestrators": workers, "dashboard_port": dashboard_port, "timings": replace(FAST, **timings)}
        async with running_network(**options) as network:
            for index in range(workers):
                await network.register(worker, at=index, token="hush", capacity=10)
            yield StreamNetwork(network, worker)


def publisher(url: str) -> AsyncPublisher:
    """A worker's end of a channel that it writes."""
    return AsyncPublisher(url, create=False, delete=False)


def subscriber(url: str, start: Any = "earliest") -> AsyncSubscriber:
    """A worker's end of a channel that it reads."""
    return AsyncSubscriber(url, start=start)


def picture(number: int) -> bytes:
    """An access unit that can be told from others; every tenth is a keyframe."""
    kind = b"\x65" if number % PICTURES_PER_SEGMENT == 0 else b"\x41"
    return b"\x00\x00\x00\x01\x09\xf0\x00\x00\x00\x01" + kind + b"\x88" + b"picture %06d" % number + b"\x99" * 300


def video() -> Iterator[bytes]:
    """A transport stream without an end, each picture on its own."""
    muxer = Muxer(video="h264", audio=None)
    for number in itertools.count():
        is_keyframe, ticks = number % PICTURES_PER_SEGMENT == 0, number * TICKS
        yield muxer.write("video", picture(number), pts=ticks, dts=ticks, is_keyframe=is_keyframe)


def clip(seconds: int) -> list[bytes]:
    """Whole seconds of video, each picture on its own."""
    return list(itertools.islice(video(), seconds * PICTURES_PER_SEGMENT))


def pictures(data: bytes) -> list[bytes]:
    """The access units in a transport stream."""
    demuxer = Demuxer()
    return [unit.data for unit in [*demuxer.feed(data, 0.0), *demuxer.end_segment()]]


class Input:
    """A caller's body that is sent piece by piece."""

    def __init__(self) -> None:
        self._sender, self.pieces = anyio.create_memory_object_stream[bytes](100)

    async def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            await self._sender.send(piece)

    async def flow(self) -> None:
        """Send video, ten times as fast as live, until cancelled or nobody takes it."""
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            for piece in video():
                await self.send(piece)
                await anyio.sleep(0.01)

    def end(self) -> None:
        self._sender.close()

    async def body(self) -> AsyncIterator[bytes]:
        async for piece in self.pieces:
            yield piece


@asynccontextmanager
async def sending() -> AsyncIterator[Input]:
    body = Input()
    with body.pieces:
        try:
            yield body
        finally:
            body.end()
