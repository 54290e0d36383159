"""The chunked transfer coding of HTTP/1.1 (RFC 9112, section 7.1): the framing of bytes whose number is not known."""

import re
from enum import Enum, auto

from livepeer.trickle._errors import ProtocolError

Buffer = bytes | bytearray | memoryview
"""What can be sent."""

LAST_CHUNK = b"0\r\n\r\n"
"""Ends a chunked body."""

_CRLF = b"\r\n"
_SIZE = re.compile(rb"[0-9A-Fa-f]{1,15}[ \t]*(;[^\r\n]*)?")
_LINE_BYTES = 4096
_TRAILER_BYTES = 16 * 1024


def frame(data: Buffer) -> tuple[bytes, Buffer, bytes]:
    """Frame some bytes as one chunk, without copying them.

    Args:
        data: At least one byte, for an empty chunk would end the body.
    """
    return b"%x\r\n" % len(data), data, _CRLF


class _Next(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    NOTHING = auto()


class ChunkDecoder:
    """Takes a chunked body apart as it comes."""

    def __init__(self) -> None:
        self.unused = b""
        """What came after the end of the body."""

        self._next = _Next.SIZE
        self._left = 0
        self._line = b""
        self._trailer_bytes = 0

    @property
    def done(self) -> bool:
        """Whether the body is whole."""
        return self._next is _Next.NOTHING

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came from the network.

        Returns:
            The parts of the body that were in them, none of them empty.

        Raises:
            ProtocolError: They are no chunked body.
        """
        if self._line:
            data, self._line = self._line + data, b""
        parts: list[bytes] = []
        at = 0
        while at < len(data):
            if self._next is _Next.DATA:
                part = data[at : at + self._left]
                parts.append(part)
                at += len(part)
                self._left -= len(part)
                if not self._left:
                    self._next = _Next.DATA_END
                continue
            if self.done:
                self.unused += data[at:]
                break
            end = data.find(_CRLF, at)
            if end < 0:
                self._keep(data[at:])
                break
            self._read_line(data[at:end])
            at = end + 2
        return parts

    def _keep(self, line: bytes) -> None:
        if len(line) > _LINE_BYTES:
            raise ProtocolError("the answer's body has a chunk whose size line does not end")
        self._line = line

    def _read_line(self, line: bytes) -> None:
        if self._next is _Next.SIZE:
            self._read_size(line)
        elif self._next is _Next.DATA_END:
            if line:
                raise ProtocolError("the answer's body has a chunk that is longer than it says")
            self._next = _Next.SIZE
        elif not line:
            self._next = _Next.NOTHING
        else:
            self._trailer_bytes += len(line)
            if self._trailer_bytes > _TRAILER_BYTES:
                raise ProtocolError("the trailer after the answer's body does not end")

    def _read_size(self, line: bytes) -> None:
        if not _SIZE.fullmatch(line):
            raise ProtocolError(f"the answer's body has a chunk of the size {line[:40]!r}")
        self._left = int(line.partition(b";")[0], 16)
        self._next = _Next.DATA if self._left else _Next.TRAILER
