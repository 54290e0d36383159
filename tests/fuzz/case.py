"""One case, and what cases are made of."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, kw_only=True)
class Case:
    """What to send on one connection."""

    name: str
    pieces: tuple[bytes, ...]
    """What to send, one write after another."""

    whole: bool = True
    """Whether the server has all that it needs for an answer, and owes one."""

    answers: int = 1
    """How many answers there may be; a second one to one request is a request smuggled in."""

    ending: Literal["read", "leave", "reset"] = "read"
    """Read until the answers are there, or end the connection at once, in either way."""

    @property
    def content(self) -> bytes:
        """All that is sent."""
        return b"".join(self.pieces)


def request(
    method: bytes = b"GET",
    target: bytes = b"/health",
    *headers: bytes,
    version: bytes = b"HTTP/1.1",
    body: bytes | None = None,
) -> bytes:
    """A well-formed request, with a length if there is a body."""
    lines = [b" ".join((method, target, version)), b"Host: fuzz", *headers]
    if body is not None:
        lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + (body or b"")


def chunked(body: bytes) -> bytes:
    """A body in one chunk."""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)


def show(content: bytes) -> str:
    """Bytes as part of a case's name."""
    shown = ascii(content[:40].decode("latin-1"))[1:-1]
    return shown if len(content) <= 40 else f"{shown}... ({len(content)} bytes)"
