"""One segment of a channel: open, then ended or broken off."""

from collections.abc import Callable

from ._buffer import BufferReader, SegmentBuffer

Watchers = set[Callable[[], None]]
"""Callbacks of those who wait for something; each takes its own out again."""


class Segment:
    """A numbered part of a channel, which may be read while it is written."""

    __slots__ = ("__weakref__", "_buffer", "broken", "closed", "ending", "growing", "posts", "publishers", "seq")

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.closed = False
        """Whether it has ended: its readers get what there is, and wait for no more."""
        self.broken = False
        """Whether it ended before it was whole: its readers must see that."""
        self.publishers = 0
        """How many posts are writing it, or wait for their first byte."""
        self.posts = 0
        """How many posts it has had."""
        self.growing: Watchers = set()
        """Who waits for more bytes, or for the end."""
        self.ending: Watchers = set()
        """Who waits for the end alone."""
        self._buffer = SegmentBuffer()

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self._buffer.size

    def reader(self) -> BufferReader:
        """Return a reader from the first byte on."""
        return BufferReader(self._buffer)

    def write(self, data: bytes) -> None:
        """Add bytes, for all who read it now and later."""
        self._buffer.append(data)
        _wake(self.growing)

    def close(self) -> None:
        """End it; whoever waits for it is woken."""
        if not self.closed:
            self.closed = True
            _wake(self.growing)
            _wake(self.ending)

    def break_off(self) -> None:
        """End it as one that is not whole; one that has ended otherwise stays as it is."""
        if not self.closed:
            self.broken = True
            self.close()

    def drop(self) -> None:
        """Forget its bytes; who still reads it sees that they are not all."""
        self._buffer.clear()
        self.broken = True
        self.close()


def _wake(watchers: Watchers) -> None:
    for wake in tuple(watchers):
        wake()
