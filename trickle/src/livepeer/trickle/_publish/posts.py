"""The request that carries one segment: its bytes until the network has them, and what its answer means."""

from collections import deque
from itertools import islice

from livepeer.trickle._outcomes import Acknowledged, Lost, LostReason, Outcome, Refused
from livepeer.trickle._wire.chunks import LAST_CHUNK, Buffer, frame

_JOINED_BYTES = 4096
_BUFFERS = 500
"""How many buffers one system call takes, with a margin."""


class Post:
    """A segment that is written and sent.

    Args:
        held_bytes: Up to which length a segment is kept after it was sent, so that it can be sent again.
    """

    def __init__(self, held_bytes: int) -> None:
        self.seq = -1
        """Its number; fixed once it has begun."""

        self.size = 0
        """How many bytes were written to it."""

        self.unsent = 0
        """How many bytes the network has not taken, framing included."""

        self.ended = False
        """Whether nothing more will be written to it."""

        self.begun_at: float | None = None
        """When the network took its first byte."""

        self.broken: str | None = None
        """Why nobody knows how much of it arrived, once that is so."""

        self.outcome: Outcome | None = None
        """How it ended."""

        self._held_bytes = held_bytes
        self._parts: deque[Buffer] = deque()
        self._taken = 0  # Bytes of the first part.
        self._sent: bytearray | None = bytearray()

    @property
    def begun(self) -> bool:
        """Whether the network has taken some of it."""
        return self.begun_at is not None

    @property
    def whole(self) -> bool:
        """Whether the network has taken all of it, and it has ended."""
        return self.ended and not self.unsent

    def write(self, data: bytes | memoryview) -> None:
        """Add bytes, at least one; they must not change afterwards."""
        self.size += len(data)
        if self.size > self._held_bytes:
            self._sent = None
        if len(data) < _JOINED_BYTES:
            self._add(b"".join(frame(data)))
        else:
            for part in frame(data):
                self._add(part)

    def end(self) -> None:
        """Say that this was all."""
        self.ended = True
        self._add(LAST_CHUNK)

    def outgoing(self) -> list[Buffer]:
        """Return what is to be sent next, in order; it need not be all."""
        parts = list(islice(self._parts, _BUFFERS))
        if self._taken:
            parts[0] = memoryview(parts[0])[self._taken :]
        return parts

    def took(self, count: int, now: float) -> None:
        """Note that the network has taken some bytes, at least one."""
        if self.begun_at is None:
            self.begun_at = now
        self.unsent -= count
        count += self._taken
        while self._parts and count >= len(self._parts[0]):
            part = self._parts.popleft()
            count -= len(part)
            if self._sent is not None:
                self._sent += part
        self._taken = count

    def rewind(self) -> bool:
        """Go back to where nothing was sent.

        Returns:
            Whether that can be done: what was sent is not kept of a long segment.
        """
        if self.begun and self._sent is None:
            return False
        if self._sent:
            self._parts.appendleft(bytes(self._sent))
            self._sent = bytearray()
        self._taken = 0
        self.unsent = sum(map(len, self._parts))
        self.begun_at = None
        self.broken = None
        return True

    def acknowledged(self) -> Acknowledged:
        """Return the outcome of a segment that the server has."""
        return Acknowledged(seq=self.seq, bytes=self.size)

    def lost(self, reason: LostReason, detail: str) -> Lost:
        """Return the outcome of a segment that the server has not, or not as a whole."""
        return Lost(seq=self.seq, bytes=self.size, reason=reason, detail=detail)

    def judge(self, status: int, *, text: str) -> Outcome:
        """Tell from the answer how the segment ended; the network has some of it, or it is empty.

        Args:
            status: Of the answer.
            text: The answer's body.
        """
        if status != 200:
            return Refused(seq=self.seq, bytes=self.size, status=status, detail=text or "no reason was given")
        if not self.whole:
            return self.lost("evicted", "the server answered before the end of it")
        return self.acknowledged()

    def _add(self, part: Buffer) -> None:
        self.unsent += len(part)
        if self._parts and len(part) < _JOINED_BYTES and len(self._parts[-1]) < _JOINED_BYTES:
            self._parts[-1] = b"".join((self._parts[-1], part))  # Small objects cost more than their bytes.
        else:
            self._parts.append(part)
