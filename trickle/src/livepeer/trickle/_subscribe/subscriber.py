"""The subscriber that waits on its caller's thread."""

from collections.abc import Iterator
from types import TracebackType

from livepeer.trickle._wire.connecting import Transport

from .base_subscriber import BaseSubscriber
from .blocking_driver import SubscriberDriver
from .search import EndOfStreamError
from .segments import Cursor, Segment, SegmentFacts


class SegmentReader(SegmentFacts):
    """Reads one segment: an iterator over its bytes as they come, in parts of any size.

    Raises SegmentInterruptedError when the segment broke off, after what came of it.
    """

    def __init__(self, driver: SubscriberDriver, segment: Segment, cursor: Cursor) -> None:
        super().__init__(segment)
        self._driver = driver
        self._cursor = cursor

    def read(self) -> bytes:
        """Return the rest of the segment, once it is whole."""
        return b"".join(self)

    def readers(self, count: int) -> tuple["SegmentReader", ...]:
        """Return several readers of the segment, in place of this one, each from the first byte.

        What they read is kept once, until the slowest has it, and no more of it than the subscriber's
        `max_buffered_bytes`: a reader that is further ahead waits. So read each on a thread of its own; a reader that
        waits for one that is not read raises StalledError. Close those that are not needed any more.

        Args:
            count: How many.

        Raises:
            ClosedError: The segment is being read already.
        """
        return tuple(SegmentReader(self._driver, self._segment, cursor) for cursor in self._segment.split(count))

    def close(self) -> None:
        """Read no more; other readers of the segment go on."""
        self._driver.drop(self._segment, self._cursor)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if part := self._driver.pull(self._segment, self._cursor):
            return part
        raise StopIteration


class Subscriber(BaseSubscriber):
    """Reads a channel on the caller's own thread, segment by segment, each while it is still written.

        with Subscriber(url) as subscriber:
            for segment in subscriber:
                for part in segment:
                    ...

    Otherwise as `AsyncSubscriber`, which says what the arguments mean. All work is done in the calls, on the thread
    that makes them. Another thread may `close` it; who waits then raises ClosedError.
    """

    def close(self) -> None:
        """Close its connections; once more does nothing."""
        self._driver.close()

    def __iter__(self) -> Iterator[SegmentReader]:
        return self

    def __next__(self) -> SegmentReader:
        try:
            segment = self._driver.take()
        except EndOfStreamError:
            raise StopIteration from None
        return SegmentReader(self._driver, segment, segment.cursor)

    def __enter__(self) -> "Subscriber":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set_up(self, transport: Transport, *, idle_seconds: float) -> None:
        self._driver = SubscriberDriver(self._subscription, transport, idle_seconds=idle_seconds)
