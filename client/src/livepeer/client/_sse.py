"""Server-sent events out of bytes, with the ugly end that the network gives them."""

import re
from collections.abc import Iterator

from ._errors import ProtocolError
from ._events import Event

_DONE = re.compile(rb"data: ?\[DONE\]\s*")
_FIELD = re.compile(rb"([^:]*)(?:: ?(.*))?", re.DOTALL)
_BOM = b"\xef\xbb\xbf"


class SseParser:
    """Parse a stream that ends at the line ``data: [DONE]`` (BYOC contract, section 4).

    The end needs no blank line after it, and what follows it is not looked at. Blank lines and comments are never
    kept, so a flood of them costs no memory. What is kept is one event in the making.

    Args:
        max_event_bytes: Limit of that one event.
    """

    def __init__(self, *, max_event_bytes: int) -> None:
        self.done = False
        """Whether the line ``data: [DONE]`` has been met."""

        self._max_event_bytes = max_event_bytes
        self._tail = bytearray()
        self._data: list[bytes] = []
        self._data_bytes = 0
        self._event = ""
        self._id: str | None = None
        self._retry: int | None = None
        self._started = False
        self._skip_newline = False

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next bytes, cut anywhere, and return the events that they complete.

        Raises:
            ProtocolError: The event in the making was over the limit before these bytes.
        """
        if self.done or not chunk:
            return []
        # Looked at before the bytes, not after, so that the events ahead of the one at fault are not lost.
        if len(self._tail) + self._data_bytes > self._max_event_bytes:
            raise ProtocolError(f"an event is over {self._max_event_bytes} bytes", code="too_large")
        head, newline, rest = self._with_plain_newlines(chunk).rpartition(b"\n")
        lines: list[bytes] = []
        if newline:
            lines = b"".join((self._tail, head)).split(b"\n")
            self._tail.clear()
        self._tail += rest
        return list(self._take(lines))

    def finish(self) -> list[Event]:
        """Take the end of the bytes: what stands there without a newline was the last line."""
        return self.feed(b"\n") if self._tail else []

    def _with_plain_newlines(self, chunk: bytes) -> bytes:
        if self._skip_newline:
            self._skip_newline = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" in chunk:
            # A CR ends its line at once; the LF of a CRLF cut here may be the first byte of the next chunk.
            self._skip_newline = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _take(self, lines: list[bytes]) -> Iterator[Event]:
        if lines and not self._started:
            self._started = True
            lines[0] = lines[0].removeprefix(_BOM)
        for line in lines:
            if line.startswith(b"data: ") and not line.startswith(b"data: [DONE]"):
                self._data.append(line[6:])
                self._data_bytes += len(line)
            elif not line:
                if self._data:
                    yield self._dispatch()
                self._event = ""
            elif _DONE.fullmatch(line):
                self.done = True
                if self._data:
                    yield self._dispatch()
                return
            else:
                self._field(line)

    def _dispatch(self) -> Event:
        data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
        event = Event(data.decode("utf-8", "replace"), self._event or "message", self._id, self._retry)
        self._data, self._data_bytes = [], 0
        self._event, self._retry = "", None
        return event

    def _field(self, line: bytes) -> None:
        match = _FIELD.fullmatch(line)
        name, value = match.groups(b"") if match else (b"", b"")
        if name == b"data":
            self._data.append(value)
            self._data_bytes += len(line)
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self._retry = int(value)
