"""A segment while it is read: by one reader, or by several at their own pace."""

from collections import deque

from livepeer.trickle._errors import ClosedError, SegmentInterruptedError, StalledError
from livepeer.trickle._outcomes import Gap

from .sequence import Arrival

_SMALL_BYTES = 4096


class Cursor:
    """How far one reader is in a segment."""

    def __init__(self) -> None:
        self.at = 0
        """The number of the part that is next for it."""

        self.owner: object = None
        """Who read with it last: a thread or a task."""


class Segment:
    """The parts of a segment that have come, each kept until the slowest reader has it.

    Args:
        arrival: Its number, and how it follows on the one before.
        content_type: What the channel's maker says that it holds.
    """

    def __init__(self, arrival: Arrival, *, content_type: str) -> None:
        self.arrival = arrival
        self.content_type = content_type
        self.held_bytes = 0
        """How many bytes are kept."""

        self.received_bytes = 0
        """How many bytes have come."""

        self.over = False
        """Whether nothing more comes."""

        self._why: str | None = None
        self._parts: deque[bytes] = deque()
        self._freed = 0  # How many parts came before those.
        self._first = Cursor()
        self._cursors = [self._first]
        self._begun = False

    @property
    def cursor(self) -> Cursor:
        """The cursor of a segment with one reader."""
        return self._first

    def split(self, count: int) -> list[Cursor]:
        """Return cursors for several readers, each of which begins at the first byte.

        Raises:
            ValueError: There are to be none.
            ClosedError: The segment is being read already.
        """
        if count < 1:
            raise ValueError(f"a segment has one reader or more, not {count}")
        if self._begun or not self._cursors or self._cursors[0] is not self._first:
            raise ClosedError(f"segment {self.arrival.seq} is being read already: ask for its readers first")
        self._cursors = [Cursor() for _ in range(count)]
        return list(self._cursors)

    def add(self, parts: list[bytes]) -> None:
        """Take bytes as they came."""
        size = sum(map(len, parts))
        if len(parts) > 1 and size < len(parts) * _SMALL_BYTES:
            parts = [b"".join(parts)]
        self._parts.extend(parts)
        self.held_bytes += size
        self.received_bytes += size

    def finish(self) -> None:
        """Take it that the segment is whole."""
        self.over = True

    def interrupt(self, why: str) -> None:
        """Take it that the segment broke off; readers are told once they have what came of it."""
        if not self.over:
            self.over = True
            self._why = why

    def take(self, cursor: Cursor) -> bytes | None:
        """Return the next part for a reader: no bytes at the end, None if it has not come yet.

        Raises:
            SegmentInterruptedError: There is no more, and it is not all.
            ClosedError: The reader was closed, or gave way to several.
        """
        if cursor not in self._cursors:
            raise ClosedError(f"this reader of segment {self.arrival.seq} is closed")
        if cursor.at < self._freed + len(self._parts):
            self._begun = True
            part = self._parts[cursor.at - self._freed]
            cursor.at += 1
            self._free()
            return part
        if not self.over:
            return None
        if self._why is None:
            return b""
        detail = f"segment {self.arrival.seq} broke off after {self.received_bytes} bytes: {self._why}"
        raise SegmentInterruptedError(detail, seq=self.arrival.seq, bytes_read=self.received_bytes)

    def drop(self, cursor: Cursor) -> None:
        """Forget a reader, so that nobody waits for it."""
        if cursor in self._cursors:
            self._cursors.remove(cursor)
            self._free()

    @property
    def shared(self) -> bool:
        """Whether it has several readers."""
        return len(self._cursors) > 1

    def slowest(self) -> Cursor:
        """Return the cursor that is furthest behind."""
        return min(self._cursors, key=lambda cursor: cursor.at)

    def stalled(self) -> StalledError:
        """Return what to tell a reader that waits for another one in vain."""
        return StalledError(
            f"this reader of segment {self.arrival.seq} is {self.held_bytes} bytes ahead of another one, which nobody "
            "reads: read them at the same time, close those that are not needed, or allow more max_buffered_bytes"
        )

    def _free(self) -> None:
        needed = min((cursor.at for cursor in self._cursors), default=self._freed + len(self._parts))
        while self._freed < needed:
            self.held_bytes -= len(self._parts.popleft())
            self._freed += 1


class SegmentFacts:
    """What the readers of both flavours know of a segment."""

    def __init__(self, segment: Segment) -> None:
        self._segment = segment

    @property
    def seq(self) -> int:
        """The segment's number."""
        return self._segment.arrival.seq

    @property
    def content_type(self) -> str:
        """What the channel's maker says that it holds; empty if nothing was said."""
        return self._segment.content_type

    @property
    def gap(self) -> Gap | None:
        """The segments that were missed just before this one.

        After a restart these are counted from 0, and what was missed of the numbers before is in the statistics alone.
        """
        return self._segment.arrival.gap

    @property
    def restarted(self) -> bool:
        """Whether the publisher began anew: the numbers went back."""
        return self._segment.arrival.restarted
