"""A trickle server with the channels of streams, and whoever watches them."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import Any

import anyio
import av.error
import httpx2
from anyio.abc import TaskGroup, TaskStatus
from trickle_servers import RunningServer, running_server

from livepeer.core import Call, CallError, Live, SessionReport, SessionStart
from livepeer.runner import LiveCapability, LivePipeline
from livepeer.trickle import AsyncJSONLReader, AsyncPublisher, AsyncSubscriber
from livepeer.trickle.media import Segmenter

from .clips import look_into

LIMIT_SECONDS = 20.0
RING = 5
"""So many segments a channel keeps."""

MIME_TYPES = {
    "subscribe": "video/MP2T",
    "publish": "video/MP2T",
    "control": "application/json",
    "events": "application/json",
    "data": "application/jsonl",
}


class Network:
    """Makes and ends channels, as an orchestrator does."""

    def __init__(self, server: RunningServer) -> None:
        self.base_url = server.base_url
        self._server = server

    def open(self, *kinds: str, id: str = "cam", params: Any = None) -> SessionStart:
        """Make a stream's channels, and say what its session begins with."""
        urls: dict[str, Any] = {}
        for kind in kinds:
            self._server.app.create(f"{id}-{kind}", MIME_TYPES[kind])
            urls[f"{kind}_url"] = f"{self.base_url}/{id}-{kind}"
        return SessionStart(stream_id=id, params=params, **urls)

    def content(self, url: str | None) -> bytes:
        """All that was published, of a channel to which no more than five segments were."""
        assert url is not None
        channel = self._server.app.channel(url.rpartition("/")[2])
        assert channel is not None
        assert channel.next_seq <= RING
        return b"".join(httpx2.get(f"{url}/{seq}").content for seq in range(channel.next_seq))

    async def feed(self, publisher: AsyncPublisher, url: str | None, segments: list[bytes]) -> None:
        """Publish segments; return when whoever reads the channel asks for one more, so that it would miss none."""
        assert url is not None
        channel = self._server.app.channel(url.rpartition("/")[2])
        assert channel is not None
        for segment in segments:
            await (await publisher.publish(segment)).outcome()
        with anyio.fail_after(LIMIT_SECONDS):
            while (next_one := channel.held(channel.next_seq)) is None or not next_one.growing:
                await anyio.to_thread.run_sync(httpx2.get, f"{url}/next")

    def end(self, url: str | None) -> None:
        """End a channel."""
        assert url is not None
        httpx2.delete(url).raise_for_status()


@contextmanager
def network() -> Iterator[Network]:
    with running_server(autocreate=False) as server:
        yield Network(server)


class Channel:
    """What has come on a channel of JSON."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.messages: list[Any] = []
        self._grown = anyio.Event()

    async def read(self, *, task_status: TaskStatus[None]) -> None:
        async with AsyncJSONLReader(self.url, start="earliest") as reader:
            task_status.started()
            async for message in reader:
                self.messages.append(message)
                grown, self._grown = self._grown, anyio.Event()
                grown.set()

    async def wait_for(self, **fields: Any) -> Any:
        """The first message that has these fields."""
        return await self.wait_until(lambda message: fields.items() <= message.items())

    async def wait_until(self, fits: Callable[[Any], bool]) -> Any:
        """The first message that fits."""
        with anyio.fail_after(LIMIT_SECONDS):
            while True:
                for message in self.messages:
                    if fits(message):
                        return message
                await self._grown.wait()

    async def next(self) -> Any:
        """The next message to come."""
        with anyio.fail_after(LIMIT_SECONDS):
            await self._grown.wait()
        return self.messages[-1]

    async def wait_for_end(self) -> Any:
        """The last status."""
        return await self.wait_for(type="status", state="ended")


class Running:
    """A session that runs, watched."""

    def __init__(self, live: Live, start: SessionStart) -> None:
        self.live = live
        self.start = start
        self.events = Channel(start.events_url or "")
        self.data = Channel(start.data_url or "")
        self.reports: list[SessionReport] = []
        self.call = Call(id="request-1")
        self.tasks: TaskGroup
        """What runs beside the session, and ends with it."""

        self._ended = anyio.Event()

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        async with aclosing(self.live.run(self.start, self.call)) as reports:
            async for report in reports:
                self.reports.append(report)
                if report.state == "running":
                    task_status.started()
        self._ended.set()

    async def end(self) -> SessionReport:
        """Wait until it has ended by itself; its last report."""
        with anyio.fail_after(LIMIT_SECONDS):
            await self._ended.wait()
        return self.reports[-1]

    async def stop(self) -> SessionReport:
        with anyio.fail_after(LIMIT_SECONDS):
            await self.live.stop(self.start.stream_id, "the test says so")
        return await self.end()

    async def control(self, *messages: bytes) -> None:
        """Send control messages, each a segment of its own, as the gateway does."""
        assert self.start.control_url is not None
        async with AsyncPublisher(self.start.control_url, create=False, delete=False) as publisher:
            for message in messages:
                await publisher.publish(message)


@asynccontextmanager
async def running(pipeline: LivePipeline | type[LivePipeline] | Live, start: SessionStart) -> AsyncIterator[Running]:
    """A running session; stopped in the end."""
    live = pipeline if not isinstance(pipeline, LivePipeline | type) else LiveCapability(pipeline).live
    session = Running(live, start)
    with anyio.fail_after(3 * LIMIT_SECONDS):
        async with anyio.create_task_group() as tasks:
            for channel in (session.events, session.data):
                if channel.url:
                    await tasks.start(channel.read)
            session.tasks = tasks
            await tasks.start(session.run)
            try:
                yield session
            finally:
                with anyio.CancelScope(shield=True):
                    await session.stop()
                    tasks.cancel_scope.cancel()


async def refusal(pipeline: LivePipeline | type[LivePipeline] | Live, start: SessionStart) -> CallError:
    """Why a session does not start."""
    live = pipeline if not isinstance(pipeline, LivePipeline | type) else LiveCapability(pipeline).live
    with anyio.fail_after(LIMIT_SECONDS):
        try:
            report = await anext(live.run(start, Call()))
        except CallError as error:
            return error
    raise AssertionError(f"it started: {report}")


class Media:
    """What has come on a channel of media."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.parts: list[bytes] = []
        self._grown = anyio.Event()

    async def read(self, *, task_status: TaskStatus[None]) -> None:
        async with AsyncSubscriber(self.url, start="earliest") as subscriber:
            task_status.started()
            async for segment in subscriber:
                async for part in segment:
                    self.parts.append(part)
                    grown, self._grown = self._grown, anyio.Event()
                    grown.set()

    async def wait_for_pictures(self, count: int) -> None:
        """Wait until there are so many of them."""
        with anyio.fail_after(LIMIT_SECONDS):
            while self._pictures() < count:
                await self._grown.wait()

    def _pictures(self) -> int:
        try:
            return len(look_into(b"".join(self.parts)).pictures)
        except av.error.FFmpegError:
            return 0  # Not enough has come to tell what it is.


async def transformed(
    network: Network,
    pipeline: LivePipeline | type[LivePipeline] | Live,
    clip: bytes,
    *,
    id: str = "cam",
    params: Any = None,
    ends: bool = True,
) -> tuple[bytes, Running]:
    """What a pipeline makes of a clip, and its session, which has ended: with its input, or else by itself."""
    start = network.open("subscribe", "publish", "events", "data", id=id, params=params)
    async with running(pipeline, start) as session:
        async with AsyncPublisher(start.subscribe_url or "", create=False) as publisher:
            if ends:
                await network.feed(publisher, start.subscribe_url, cut(clip))
            else:
                for segment in cut(clip):
                    await publisher.publish(segment)
                await session.end()
        await session.end()
        await session.events.wait_for_end()
    return network.content(start.publish_url), session


def cut(clip: bytes) -> list[bytes]:
    """The segments of a clip, as a gateway publishes them."""
    segmenter = Segmenter()
    segments: list[bytes] = []
    for piece in (*segmenter.feed(clip), *segmenter.finish()):
        if piece.starts_segment:
            segments.append(b"")
        segments[-1] += piece.data
    return segments
