"""Writing messages to a JSONL channel in an event loop."""

from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack, suppress
from time import monotonic
from types import TracebackType
from typing import Self, Unpack

import anyio

from livepeer.trickle._errors import SegmentError, TrickleError
from livepeer.trickle._outcomes import Outcome
from livepeer.trickle._publish.async_publisher import AsyncPublisher, AsyncSegmentWriter

from .lines import KEEPALIVE, Batch
from .state import BATCH_BYTES, MIB, JSONLWriterStats, PublisherOptions, Writing


class AsyncJSONLWriter:
    """Writes messages to a JSONL channel, each as a line.

    Messages that are written in one turn of the event loop leave together. Segments rotate at the end of a line, so
    that a reader who comes late finds recent ones. Several tasks may write.

    A segment that does not arrive takes its messages with it: the next `write` or `flush` raises that, once for each
    such segment, and the messages after it go to a new one. Those that were being sent just then are sent again, and
    may come twice. With `overflow="drop_oldest"` what is dropped is counted and logged, but not raised.

    Args:
        url: Of the channel.
        content_type: Of the channel, if it is created.
        rotate_seconds: How long a segment takes messages.
        rotate_bytes: How long a segment becomes; a longer message has one to itself.
        keepalive_seconds: After how much silence a keepalive line is written, for servers delete a channel that is
            silent for minutes (trickle, table 1, row 34); None for never.
        keepalive: What a keepalive line says.
        on_outcome: Called with each segment's outcome.
        options: The publisher's, as `AsyncPublisher` has them.

    Raises:
        ValueError: An argument is none; says what to change.
    """

    def __init__(
        self,
        url: str,
        *,
        content_type: str = "application/jsonl",
        rotate_seconds: float = 10.0,
        rotate_bytes: int = MIB,
        keepalive_seconds: float | None = 10.0,
        keepalive: object = KEEPALIVE,
        on_outcome: Callable[[Outcome], None] | None = None,
        **options: Unpack[PublisherOptions],
    ) -> None:
        self._writing = Writing(
            rotate_seconds=rotate_seconds,
            rotate_bytes=rotate_bytes,
            keepalive_seconds=keepalive_seconds,
            keepalive=keepalive,
            on_outcome=on_outcome,
        )
        self._publisher = AsyncPublisher(url, content_type=content_type, on_outcome=self._writing.note, **options)
        self._segment: AsyncSegmentWriter | None = None
        self._stack = AsyncExitStack()
        self._managed = False
        self._started = False
        self._flushes_wanted = self._flushes_done = 0
        self._closing = False

    @property
    def stats(self) -> JSONLWriterStats:
        """What was done so far."""
        return self._writing.stats(self._publisher.stats)

    async def start(self) -> None:
        """Connect, and create the channel if that is wanted.

        The task that starts a writer without a `with` block has to close it as well.

        Raises:
            TrickleError: As `AsyncPublisher.start` does.
        """
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._publisher)
            tasks = await stack.enter_async_context(anyio.create_task_group())
            self._wake, self._moved, self._ended = anyio.Event(), anyio.Event(), anyio.Event()
            self._sending = anyio.CancelScope()
            self._started = True
            self._writing.start(monotonic())
            tasks.start_soon(self._send_all)
            self._stack = stack.pop_all()

    async def write(self, message: object) -> None:
        """Write a message; it leaves after this turn of the event loop. Waits only while too many wait already.

        Args:
            message: Any JSON value; or bytes, which are a line already, but for its end.

        Raises:
            ValueError: It has no JSON form; nothing was written.
            SegmentLostError: A segment with earlier messages was lost; this message was not written.
            SegmentRefusedError: The server refused one, the same otherwise.
            TrickleError: The channel has failed; every call raises that from now on.
        """
        self._writing.check()
        while self._writing.queue.bytes >= BATCH_BYTES:
            await self._moved.wait()
            self._writing.check()
        self._writing.add(message, monotonic())
        self._wake.set()

    async def write_all(self, messages: Iterable[object]) -> None:
        """Write messages, as `write` does."""
        for message in messages:
            await self.write(message)

    async def flush(self) -> None:
        """Wait until the network has what was written; raises as `write` does."""
        self._writing.check()
        self._flushes_wanted += 1
        mine = self._flushes_wanted
        self._wake.set()
        while self._flushes_done < mine:
            await self._moved.wait()
            self._writing.check()

    async def close(self, timeout_seconds: float = 5.0) -> JSONLWriterStats:
        """Send what was written, wait for the server to have it, and delete the channel if that is wanted.

        Args:
            timeout_seconds: How long all of that may take; what is left then is lost, counted and logged.
        """
        give_up_at = monotonic() + timeout_seconds
        try:
            await self._finish(timeout_seconds)
            await self._publisher.close(max(0.0, give_up_at - monotonic()))
        finally:
            if not self._managed:
                await self._stack.aclose()
        return self._writing.end(self._publisher.stats)

    async def __aenter__(self) -> Self:
        self._managed = True
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, anyio.get_cancelled_exc_class()):
                self._writing.stop()
                self._sending.cancel()
                await self._stack.__aexit__(kind, error, trace)
            else:  # Another error is the caller's own, which a task group would wrap.
                await self.close()
        finally:
            await self._stack.aclose()
            self._writing.end(self._publisher.stats)

    async def _finish(self, seconds: float) -> None:
        """Let the task send what there is, and end it."""
        self._writing.stop()
        if not self._started:
            return
        self._closing = True
        self._wake.set()
        try:
            with anyio.move_on_after(seconds):
                await self._ended.wait()
        finally:
            self._sending.cancel()

    async def _send_all(self) -> None:
        try:
            with self._sending:
                while not (self._closing and not self._writing.queue.bytes):
                    await self._wait()
                    await self._send_batches()
                    self._tell()
        except TrickleError as error:
            self._writing.fail(error)
        finally:
            self._ended.set()
            self._tell()

    async def _wait(self) -> None:
        with anyio.move_on_after(self._writing.silence_left(monotonic())):
            await self._wake.wait()
        self._wake = anyio.Event()
        self._writing.keep_alive(monotonic())

    async def _send_batches(self) -> None:
        wanted = self._flushes_wanted  # Others may write, and flush, while these batches are sent.
        for batch in self._writing.queue.take():
            await self._send(batch)
            self._writing.queue.sent(batch)
        if self._flushes_done < wanted:
            await self._publisher.flush()
            self._flushes_done = wanted

    async def _send(self, batch: Batch) -> None:
        if self._segment is None or batch.begins:
            self._segment = await self._publisher.segment()
        try:
            await self._segment.write(batch.data)
        except SegmentError:  # It has ended; its outcome was noted.
            self._segment = await self._publisher.segment()
            with suppress(SegmentError):
                await self._segment.write(batch.data)

    def _tell(self) -> None:
        moved, self._moved = self._moved, anyio.Event()
        moved.set()
