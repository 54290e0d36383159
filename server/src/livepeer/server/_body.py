"""Reading a request's body: small ones into memory, large ones into a shared file as they come."""

import asyncio
from typing import NamedTuple

from livepeer.core import CallCancelledError, DeadlineExceededError, MalformedBodyError, PayloadTooLargeError
from livepeer.host.wire import SHARED_BODY_BYTES

from ._responses import Message, Receive, Scope, header
from ._shared_files import SharedFile, SharedFiles

BODY_IS_WHOLE = "livepeer.server.body_is_whole"
"""In the ASGI scope of a request whose body waits here already, if the protocol below says so."""


class Body(NamedTuple):
    """A whole body, in memory or in a file that its owner releases."""

    inline: bytes
    shared: SharedFile | None = None


async def read_body(
    scope: Scope, receive: Receive, files: SharedFiles, *, limit_bytes: int, stall_seconds: float
) -> Body:
    """Read to the end.

    Raises:
        PayloadTooLargeError: As soon as it is known to be over the limit.
        DeadlineExceededError: If no more of it came in time.
        MalformedBodyError: If its length is no number.
        CallCancelledError: If the caller left half-way.
    """
    announced = _announced_length(scope)
    if announced > limit_bytes:
        raise _too_large(limit_bytes)
    # A clock for each small body would cost a twentieth of the calls that could be made.
    message = await (receive() if BODY_IS_WHOLE in scope else _next_message(receive, stall_seconds))
    if message["type"] == "http.request" and not message.get("more_body", False):
        body: bytes = message.get("body", b"")
        if len(body) < SHARED_BODY_BYTES:
            return Body(body)
    return await _read_on(message, receive, _Reading(files, limit_bytes), stall_seconds)


async def _read_on(message: Message, receive: Receive, reading: "_Reading", stall_seconds: float) -> Body:
    try:
        while reading.take(message):
            message = await _next_message(receive, stall_seconds)
        return reading.body()
    except BaseException:
        reading.discard()
        raise


async def _next_message(receive: Receive, stall_seconds: float) -> Message:
    try:
        async with asyncio.timeout(stall_seconds):
            return await receive()
    except TimeoutError:
        raise DeadlineExceededError(f"no more of the body came within {stall_seconds:g} s") from None


class _Reading:
    """A body that comes in pieces."""

    def __init__(self, files: SharedFiles, limit_bytes: int) -> None:
        self._files = files
        self._limit_bytes = limit_bytes
        self._chunks: list[bytes] = []
        self._size = 0
        self._shared: SharedFile | None = None

    def take(self, message: Message) -> bool:
        """Take one ASGI message; whether there is more to come."""
        if message["type"] == "http.disconnect":
            raise CallCancelledError("the caller left before its body was whole")
        chunk: bytes = message.get("body", b"")
        self._size += len(chunk)
        if self._size > self._limit_bytes:
            raise _too_large(self._limit_bytes)
        if self._shared is not None:
            self._shared.append(chunk)
        else:
            self._chunks.append(chunk)
            if self._size >= SHARED_BODY_BYTES:
                self._shared = self._files.new()
                for part in self._chunks:
                    self._shared.append(part)
                self._chunks.clear()
        return bool(message.get("more_body", False))

    def body(self) -> Body:
        return Body(b"".join(self._chunks), self._shared)

    def discard(self) -> None:
        if self._shared is not None:
            self._shared.release()
            self._shared = None


def _announced_length(scope: Scope) -> int:
    text = header(scope, b"content-length")
    if not text:
        return 0
    if not text.isdigit():
        raise MalformedBodyError("Content-Length is no number")
    # Twenty digits are over every limit, and Python reads no number of thousands.
    return int(text.lstrip(b"0")[:20] or b"0")


def _too_large(limit_bytes: int) -> PayloadTooLargeError:
    return PayloadTooLargeError(f"a body may have at most {limit_bytes} bytes")
