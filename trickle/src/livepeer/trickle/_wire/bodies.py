"""The body of an answer, however it is framed (RFC 9112, section 6)."""

from collections.abc import Mapping
from typing import Protocol

from livepeer.trickle._errors import ProtocolError

from .chunks import ChunkDecoder


class Body(Protocol):
    """Takes a body apart as it comes."""

    @property
    def done(self) -> bool:
        """Whether the body is whole."""
        ...

    @property
    def surplus(self) -> bool:
        """Whether more came than the body."""
        ...

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came; return the parts of the body that were in them, none of them empty."""
        ...


class ChunkedBody(ChunkDecoder):
    """A body in chunks."""

    @property
    def surplus(self) -> bool:
        """Whether more came than the body."""
        return bool(self.unused)


class SizedBody:
    """A body of a length that the head says."""

    def __init__(self, length: int) -> None:
        self._left = length
        self.surplus = False

    @property
    def done(self) -> bool:
        """Whether the body is whole."""
        return not self._left

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came."""
        part = data[: self._left]
        self._left -= len(part)
        self.surplus = self.surplus or len(data) > len(part)
        return [part] if part else []


class UnsizedBody:
    """A body that ends with the connection."""

    done = False
    surplus = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes as they came."""
        return [data] if data else []


def body_of(status: int, headers: Mapping[str, str]) -> Body:
    """Return what reads the body of an answer to a GET, POST or DELETE.

    Args:
        status: Of the answer.
        headers: Of the answer, which h11 has looked at; their names in small letters.

    Raises:
        ProtocolError: The length is no number.
    """
    if status in (204, 304):
        return SizedBody(0)
    if "transfer-encoding" in headers:
        return ChunkedBody()
    if "content-length" not in headers:
        return UnsizedBody()
    length = headers["content-length"]
    if not (length.isascii() and length.isdigit()):
        raise ProtocolError(f"the answer has a Content-Length of {length[:40]!r}")
    return SizedBody(int(length))
