"""A stream's trickle channels, used straight at the orchestrator that serves them (trickle, section 1)."""

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, suppress
from typing import Any, TypeVar

import anyio

from livepeer.client._clients import Verify
from livepeer.client._errors import LivepeerError, SettingsError, StreamOverError, TimedOutError
from livepeer.trickle import (
    AsyncJSONLReader,
    AsyncPublisher,
    AsyncSegmentReader,
    AsyncSegmentWriter,
    AsyncSubscriber,
    ChannelClosedError,
    ChannelNotFoundError,
    ClosedError,
    LineError,
    SegmentError,
    SegmentInterruptedError,
)

from .events import EventLog
from .lines import Part, Start
from .orders import Channels
from .trickle_failures import trickle_errors

T = TypeVar("T")

_KEEPALIVE = b'{"keep":"alive"}'
_KEEPALIVE_SECONDS = 10.0
_QUIET_SECONDS = 0.5
"""After so long without anything, a channel of a stream that is over has nothing more."""

_LINGER_SECONDS = 0.5
"""How long the input's channel stays once all is sent: it takes along what its reader has not come to yet."""

_SILENT_SECONDS = 0.003


class TrickleLines:
    """The lines of a stream whose channels are known.

    Args:
        channels: Where they are.
        log: Takes the reports.
        verify: How the server's certificate is checked.
        silence_seconds: How long the worker may report nothing; it has to say something every ten seconds.
    """

    def __init__(self, channels: Channels, log: EventLog, verify: Verify, *, silence_seconds: float = 30.0) -> None:
        self.tells_end = channels.events_url is not None
        self._channels = channels
        self._log = log
        self._silence_seconds = silence_seconds
        self._tls: dict[str, Any] = (
            {"ssl_context": verify} if isinstance(verify, ssl.SSLContext) else {"verify": verify}
        )
        self._readers: set[AsyncSubscriber | AsyncJSONLReader] = set()
        self._control: AsyncPublisher | None = None
        self._control_known = anyio.Event()
        self._telling = anyio.Lock()

    async def watch(self) -> None:
        """Take reports, and keep the control channel alive, until the stream is over."""
        async with anyio.create_task_group() as tasks:
            if self._channels.control_url is not None:
                tasks.start_soon(self._hold_control, self._channels.control_url)
            await self._take_reports()
            tasks.cancel_scope.cancel()

    async def tell(self, message: bytes) -> None:
        """Send a message to the worker, as a segment of its own."""
        url = self._channels.control_url
        if url is None:
            raise SettingsError("the stream has no control channel")
        await self._control_known.wait()
        async with self._telling:
            if self._control is None:
                raise StreamOverError("the stream is over")
            with trickle_errors():
                await self._control.publish(message)
                await self._control.flush()

    async def data(self) -> AsyncGenerator[Any]:
        """Give what the worker sends as data, from its beginning as far as the server still has it."""
        url = self._channels.data_url
        if url is None:
            raise SettingsError("the stream has no data channel: see data")
        reader = self._reader(url)
        async with self._open(reader):
            while (message := await self._next(reader.__anext__)) is not None:
                yield message[0]

    @asynccontextmanager
    async def sink(self, *, ends_input: bool) -> AsyncGenerator["TrickleSink"]:
        """Open the input channel."""
        url = self._channels.publish_url
        if url is None:
            raise SettingsError("the stream takes no media: see video")
        publisher = AsyncPublisher(url, create=False, delete=ends_input, **self._tls)
        async with AsyncExitStack() as stack:
            with trickle_errors():
                await stack.enter_async_context(publisher)
            yield TrickleSink(publisher)
            if ends_input and not self._log.over.is_set():
                with trickle_errors():
                    await publisher.flush()
                await anyio.sleep(_LINGER_SECONDS)

    async def parts(self, start: Start) -> AsyncGenerator[Part]:
        """Give the output channel."""
        url = self._channels.subscribe_url
        if url is None:
            raise SettingsError("the stream gives no media: see output")
        subscriber = AsyncSubscriber(url, start=start, **self._tls)
        async with self._open(subscriber):
            while (segment := await self._next(subscriber.__anext__)) is not None:
                if segment[0].gap is not None:
                    yield Part(is_gap=True)
                async with aclosing(self._segment(segment[0])) as parts:
                    async for part in parts:
                        yield part

    async def leave(self) -> None:
        """End every reading, also one that waits."""
        self._log.end()
        self._control_known.set()
        for reader in tuple(self._readers):
            await reader.close()

    async def _segment(self, segment: AsyncSegmentReader) -> AsyncGenerator[Part]:
        try:
            while True:
                data = await _within(_SILENT_SECONDS, segment.__anext__)
                if data is None:
                    yield Part(is_silent=True)
                    data = await self._next(segment.__anext__)
                if data is None:
                    break
                yield Part(data[0])
            yield Part(ends_segment=True)
        except StopAsyncIteration:
            yield Part(ends_segment=True)
        except SegmentInterruptedError:
            yield Part(is_gap=True)

    async def _take_reports(self) -> None:
        url = self._channels.events_url
        if url is None:
            await anyio.sleep_forever()
            return
        failure: LivepeerError | None = None
        reader = self._reader(url)
        try:
            async with self._open(reader):
                while (report := await self._report(reader)) is not None:
                    self._log.add(report[0])
        except StreamOverError:
            pass  # the channel has ended, and with it the stream
        except TimeoutError:
            failure = TimedOutError(f"the worker has reported nothing for {self._silence_seconds:g} s")
        except LivepeerError as error:
            failure = error
        self._log.end(failure)

    async def _report(self, reader: AsyncJSONLReader) -> tuple[Any] | None:
        with anyio.fail_after(self._silence_seconds):
            try:
                return (await anext(reader),)
            except StopAsyncIteration:
                return None

    async def _hold_control(self, url: str) -> None:
        # It is silent for as long as the caller is, and servers delete what is silent for minutes.
        publisher = AsyncPublisher(url, content_type="application/json", create=False, delete=False, **self._tls)
        try:
            with suppress(LivepeerError), trickle_errors():
                async with publisher as self._control:
                    self._control_known.set()
                    while True:
                        await anyio.sleep(_KEEPALIVE_SECONDS)
                        await self.tell(_KEEPALIVE)
        finally:
            self._control = None
            self._control_known.set()

    def _reader(self, url: str) -> AsyncJSONLReader:
        return AsyncJSONLReader(url, start="earliest", on_bad_line=_ignore, **self._tls)

    @asynccontextmanager
    async def _open(self, reader: AsyncSubscriber | AsyncJSONLReader) -> AsyncGenerator[None]:
        self._readers.add(reader)
        try:
            with trickle_errors():
                async with reader:
                    yield
        finally:
            self._readers.discard(reader)

    async def _next(self, take: Callable[[], Awaitable[T]]) -> tuple[T] | None:
        """Take what comes next, None where nothing more does: a call that is cut short has taken nothing."""
        while True:
            try:
                taken = await _within(_QUIET_SECONDS, take)
            except (StopAsyncIteration, ChannelNotFoundError, ChannelClosedError):
                return None
            except ClosedError:
                if not self._log.over.is_set():
                    raise
                return None
            if taken is not None or self._log.over.is_set():
                return taken


class TrickleSink:
    """The input channel of a stream.

    Args:
        publisher: Of it.
    """

    def __init__(self, publisher: AsyncPublisher) -> None:
        self._publisher = publisher
        self._segment: AsyncSegmentWriter | None = None

    async def write(self, data: bytes, *, starts_segment: bool) -> None:
        """Send MPEG-TS; the rest of a segment that is lost is left out."""
        if starts_segment:
            with trickle_errors():
                self._segment = await self._publisher.segment()
        if self._segment is None:
            return
        with trickle_errors():
            try:
                await self._segment.write(data)
            except SegmentError:
                self._segment = None


def _ignore(error: LineError) -> None:
    del error  # the worker's fault; the lines after it are read


async def _within(seconds: float, take: Callable[[], Awaitable[T]]) -> tuple[T] | None:
    with anyio.move_on_after(seconds):
        return (await take(),)
    return None
