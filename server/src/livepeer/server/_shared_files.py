"""Files in memory that bring large bodies to a host, kept for the next one."""

import os
from collections.abc import Iterator

from livepeer.host.wire import new_shared, write_shared

_MOST_FILES = 4
_MOST_BYTES = 64 * 1024 * 1024
"""A file that grew larger than this is not kept: its pages would stay taken."""

_CHUNK_BYTES = 256 * 1024


class SharedFile:
    """One body, as it grows.

    Args:
        pool: Where it goes back to.
        descriptor: An open file whose content means nothing.
    """

    def __init__(self, pool: "SharedFiles", descriptor: int) -> None:
        self._pool = pool
        self.descriptor = descriptor
        self.size = 0

    def append(self, chunk: bytes) -> None:
        """Write at the end."""
        write_shared(self.descriptor, chunk, self.size)
        self.size += len(chunk)

    def release(self) -> None:
        """Give it back. Nobody may read or write it any more."""
        self._pool.take_back(self.descriptor, self.size)


class SharedFiles:
    """Keeps a few files open. New pages cost several times what copying into old ones does."""

    def __init__(self) -> None:
        self._free: list[int] = []

    def new(self) -> SharedFile:
        """An empty file; its owner releases it."""
        return SharedFile(self, self._free.pop() if self._free else new_shared())

    def take_back(self, descriptor: int, size: int) -> None:
        """Keep a file for the next body, or close it."""
        if len(self._free) < _MOST_FILES and size <= _MOST_BYTES:
            self._free.append(descriptor)
        else:
            os.close(descriptor)

    def close(self) -> None:
        """Close what is kept."""
        while self._free:
            os.close(self._free.pop())


def pieces(descriptor: int, size: int) -> Iterator[bytes]:
    """The first `size` bytes, piece by piece."""
    offset = 0
    while offset < size:
        piece = os.pread(descriptor, min(_CHUNK_BYTES, size - offset), offset)
        offset += len(piece)
        yield piece
