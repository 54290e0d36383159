"""The subscriber that waits in the running event loop, of asyncio or trio."""

from collections.abc import AsyncIterator
from types import TracebackType

from livepeer.trickle._wire.connecting import Transport

from .async_driver import AsyncSubscriberDriver
from .base_subscriber import BaseSubscriber
from .search import EndOfStreamError
from .segments import Cursor, Segment, SegmentFacts


class AsyncSegmentReader(SegmentFacts):
    """Reads one segment: an iterator over its bytes as they come, in parts of any size.

    Raises SegmentInterruptedError when the segment broke off, after what came of it.
    """

    def __init__(self, driver: AsyncSubscriberDriver, segment: Segment, cursor: Cursor) -> None:
        super().__init__(segment)
        self._driver = driver
        self._cursor = cursor

    async def read(self) -> bytes:
        """Return the rest of the segment, once it is whole."""
        return b"".join([part async for part in self])

    def readers(self, count: int) -> tuple["AsyncSegmentReader", ...]:
        """Return several readers of the segment, in place of this one, each from the first byte.

        What they read is kept once, until the slowest has it, and no more of it than the subscriber's
        `max_buffered_bytes`: a reader that is further ahead waits. So read each in a task of its own; a reader that
        waits for one that is not read raises StalledError. Close those that are not needed any more.

        Args:
            count: How many.

        Raises:
            ClosedError: The segment is being read already.
        """
        return tuple(AsyncSegmentReader(self._driver, self._segment, cursor) for cursor in self._segment.split(count))

    async def close(self) -> None:
        """Read no more; other readers of the segment go on."""
        self._driver.drop(self._segment, self._cursor)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if part := await self._driver.pull(self._segment, self._cursor):
            return part
        raise StopAsyncIteration


class AsyncSubscriber(BaseSubscriber):
    __doc__ = BaseSubscriber.__doc__

    async def close(self) -> None:
        """Close its connections; once more does nothing."""
        await self._driver.close()

    def __aiter__(self) -> AsyncIterator[AsyncSegmentReader]:
        return self

    async def __anext__(self) -> AsyncSegmentReader:
        try:
            segment = await self._driver.take()
        except EndOfStreamError:
            raise StopAsyncIteration from None
        return AsyncSegmentReader(self._driver, segment, segment.cursor)

    async def __aenter__(self) -> "AsyncSubscriber":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _set_up(self, transport: Transport, *, idle_seconds: float) -> None:
        self._driver = AsyncSubscriberDriver(self._subscription, transport, idle_seconds=idle_seconds)
