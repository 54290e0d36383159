"""The bytes of a segment, which one side writes while any number of others read, each at its own pace."""

BLOCK_BYTES = 64 * 1024
"""Smaller writes are gathered until they come to this, so that a late reader gets few large parts."""

LARGEST_BLOCK_BYTES = 256 * 1024
"""Larger writes are cut up, so that a reader that does not read holds no more than this on its way out."""


class SegmentBuffer:
    """Bytes that only grow: whole blocks that every reader shares, and a last one that small writes still fill."""

    __slots__ = ("blocks", "size", "tail")

    def __init__(self) -> None:
        self.blocks: list[bytes] = []
        self.tail = bytearray()
        self.size = 0

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self.size += len(data)
        if len(self.tail) + len(data) <= BLOCK_BYTES:
            self.tail += data
            return
        if self.tail:
            self.blocks.append(bytes(self.tail))
            self.tail.clear()
        if len(data) < BLOCK_BYTES:
            self.tail += data
            return
        for at in range(0, len(data), LARGEST_BLOCK_BYTES):
            # Of all of it, a slice is no copy.
            self.blocks.append(data[at : at + LARGEST_BLOCK_BYTES])

    def clear(self) -> None:
        """Forget everything."""
        self.blocks.clear()
        self.tail.clear()
        self.size = 0


class BufferReader:
    """One reader's place in a buffer."""

    __slots__ = ("_block", "_buffer", "_offset")

    def __init__(self, buffer: SegmentBuffer) -> None:
        self._buffer = buffer
        self._block = 0
        self._offset = 0

    def read(self) -> bytes:
        """Return what comes next, at most one block; nothing if all that was written so far has been read."""
        blocks = self._buffer.blocks
        while self._block < len(blocks):
            # All of it or, if it was the last one when this reader came by, the rest; a slice from 0 copies nothing.
            data = blocks[self._block][self._offset :]
            self._block += 1
            self._offset = 0
            if data:
                return data
        data = bytes(self._buffer.tail[self._offset :])
        self._offset += len(data)
        return data

    @property
    def at_end(self) -> bool:
        """Whether all that was written so far has been read."""
        buffer = self._buffer
        return self._block >= len(buffer.blocks) and self._offset >= len(buffer.tail)
