"""A stream's output on its way from one orchestrator to any number of readers."""

from collections import deque
from time import monotonic

import anyio

_BACKLOG_BYTES = 5_000_000


class OutputBytes:
    """Output as it comes; a reader that is 5 MB behind is cut off, as go-livepeer's are."""

    def __init__(self) -> None:
        self.written_at = monotonic()
        """When some came last."""
        self._segment: list[bytes] = []
        self._readers: set[OutputReader] = set()
        self._closed = False

    def begin_segment(self) -> None:
        """Say that what follows can be read on its own."""
        self._segment.clear()

    def write(self, data: bytes) -> None:
        """Give some more to every reader."""
        self.written_at = monotonic()
        self._segment.append(data)
        for reader in self._readers:
            reader.put(data)

    def close(self) -> None:
        """Say that nothing more comes."""
        self._closed = True
        for reader in self._readers:
            reader.close()

    def reader(self) -> "OutputReader":
        """Return a reader that begins where the newest segment does."""
        reader = OutputReader()
        for data in self._segment:
            reader.put(data)
        if self._closed:
            reader.close()
        self._readers.add(reader)
        return reader

    def drop(self, reader: "OutputReader") -> None:
        """Give nothing more to a reader."""
        self._readers.discard(reader)


class OutputReader:
    """What one reader has yet to read."""

    def __init__(self) -> None:
        self._parts: deque[bytes] = deque()
        self._bytes = 0
        self._closed = False
        self._changed = anyio.Event()

    def put(self, data: bytes) -> None:
        """Add to it, or cut it off if it reads too slowly."""
        if self._closed:
            return
        if self._bytes + len(data) > _BACKLOG_BYTES:
            self.close()
            return
        self._parts.append(data)
        self._bytes += len(data)
        self._changed.set()

    def close(self) -> None:
        """Say that nothing more comes."""
        self._closed = True
        self._changed.set()

    async def take(self) -> bytes:
        """Return all that waits, as soon as there is any; nothing at the end."""
        while not self._parts and not self._closed:
            self._changed = anyio.Event()
            await self._changed.wait()
        data = b"".join(self._parts)
        self._parts.clear()
        self._bytes = 0
        return data
