"""A channel: a ring of segments (trickle, section 1)."""

from time import monotonic
from weakref import WeakSet

from livepeer.trickle._errors import ClosedError

from ._errors import TooLargeError
from ._segment import Segment

RING = 5
"""So many segments a channel keeps; the next one takes the place of the oldest."""


MAX_SEGMENT_BYTES = 64 * 1024 * 1024
MAX_CHANNEL_BYTES = 256 * 1024 * 1024


class Channel:
    """A named row of segments that publishers write and any number of subscribers read."""

    def __init__(
        self,
        name: str,
        content_type: str = "",
        *,
        max_segment_bytes: int = MAX_SEGMENT_BYTES,
        max_channel_bytes: int = MAX_CHANNEL_BYTES,
    ) -> None:
        self.name = name
        self.content_type = content_type
        """What the one who made the channel said that its segments are."""
        self.next_seq = 0
        """One more than the number of the segment that last got its first byte."""
        self.closed = False
        """Whether the channel was deleted; it never opens again."""
        self.written_at = monotonic()
        """When its last byte came."""
        self._max_segment_bytes = max_segment_bytes
        self._max_channel_bytes = max_channel_bytes
        self._ring: list[Segment | None] = [None] * RING
        # Segments that have left the ring while somebody still reads or writes them.
        self._leaving: WeakSet[Segment] = WeakSet()

    def publish(self, data: bytes) -> None:
        """Write one whole segment: the next, or the first after it that has not ended.

        Raises:
            ClosedError: The channel was deleted.
            TooLargeError: The segment, or the channel with it, would have too many bytes.
        """
        if self.closed:
            raise ClosedError(f"the channel {self.name} was deleted")
        segment = self.segment_to_write(-1)
        while segment.closed:  # A post to an older one has set the channel back.
            segment = self.segment_to_write(segment.seq + 1)
        self.advance(segment)
        if data:
            self.write(segment, bytes(data))
        segment.close()

    def segment_to_write(self, seq: int) -> Segment:
        """Return the segment of that number, -1 for the next; a new one ends the one whose place it takes."""
        seq = self._absolute(seq)
        return self.held(seq) or self._put(Segment(seq))

    def segment_to_read(self, seq: int) -> Segment | None:
        """Return the segment of that number, or None if it is gone or too far ahead; the next may be waited for.

        -1 is the next one, -2 the newest.
        """
        seq = self._absolute(seq)
        segment = self.held(seq)
        if segment is None and (seq == self.next_seq or (self.next_seq, seq) == (0, 1)):
            return self._put(Segment(seq))
        return segment

    def held(self, seq: int) -> Segment | None:
        """Return the segment of that number if the channel still has it."""
        segment = self._ring[seq % RING]
        return segment if segment is not None and segment.seq == seq else None

    def advance(self, segment: Segment) -> None:
        """Note that a segment got its first byte, or ended without any: the one after it is next, even if older."""
        self.next_seq = segment.seq + 1
        self.written_at = monotonic()

    def write(self, segment: Segment, data: bytes) -> None:
        """Add bytes to a segment; those of one that has left the ring or is broken are for nobody.

        Raises:
            TooLargeError: The segment, or the channel with it, would have too many bytes; the segment is broken off.
        """
        self.written_at = monotonic()
        if segment.broken or self.held(segment.seq) is not segment:
            return
        if segment.size + len(data) > self._max_segment_bytes or not self._make_room(segment, len(data)):
            segment.break_off()
            raise TooLargeError("segment too large")
        segment.write(data)

    def close_before(self, seq: int) -> None:
        """End every older segment: their publisher has started anew (trickle, table 1, row 29)."""
        for segment in self._held():
            if segment.seq < seq:
                segment.close()

    def close(self) -> None:
        """End the channel and every segment; whoever waits is told."""
        self.closed = True
        for segment in self._held():
            segment.close()
        self._ring = [None] * RING

    def _absolute(self, seq: int) -> int:
        if seq == -1:
            return self.next_seq
        return max(0, self.next_seq - 1) if seq == -2 else seq

    def _held(self) -> list[Segment]:
        return [segment for segment in self._ring if segment is not None]

    def _put(self, segment: Segment) -> Segment:
        at = segment.seq % RING
        evicted, self._ring[at] = self._ring[at], segment
        if evicted is not None:
            evicted.close()
            if evicted.size:
                self._leaving.add(evicted)
        return segment

    def _make_room(self, growing: Segment, needed: int) -> bool:
        """Drop the oldest finished segments until so many bytes fit; return whether they do."""
        held = sum([segment.size for segment in self._ring if segment is not None])
        if not self._leaving and held + needed <= self._max_channel_bytes:
            return True
        leaving = list(self._leaving)
        finished = [segment for segment in self._held() if segment.closed and segment is not growing]
        excess = held + sum(segment.size for segment in leaving) + needed - self._max_channel_bytes
        for segment in [*leaving, *sorted(finished, key=lambda segment: segment.seq)]:
            if excess <= 0:
                break
            excess -= segment.size
            self._forget(segment)
        return excess <= 0

    def _forget(self, segment: Segment) -> None:
        self._leaving.discard(segment)
        if self.held(segment.seq) is segment:
            self._ring[segment.seq % RING] = None
        segment.drop()
