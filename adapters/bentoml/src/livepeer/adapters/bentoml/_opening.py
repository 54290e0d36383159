"""The beginning of a stream, before which everything may still turn out to be an answer of one piece."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

import anyio

from livepeer.core import Encoded, Streaming

from ._responses import RawHeaders

_NO_STREAMS_OWN = (b"content-type", b"content-length", b"content-encoding", b"transfer-encoding")


class Head(NamedTuple):
    """What the answer of a stream begins with."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]


def head_of(status: int, headers: RawHeaders) -> Head:
    """The head of a stream, less what the server says itself."""
    return Head(status, tuple(item for item in headers if item[0] not in _NO_STREAMS_OWN))


async def open_stream(
    parts: AsyncGenerator[Head | Encoded], *, timeout_seconds: float | None
) -> Encoded | Streaming | None:
    """A stream that has begun, or what came in its place; None if nothing came in time.

    Args:
        parts: A head and items, or an answer of one piece.
        timeout_seconds: How long to wait for the first of them; None for ever.
    """
    first = None
    with anyio.move_on_after(timeout_seconds):
        first = await anext(parts)
    if isinstance(first, Head):
        return Streaming(parts, first.status, first.headers)
    await parts.aclose()
    return first
