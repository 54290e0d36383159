"""Uvicorn's HTTP protocol, which also does what a trickle server needs and ASGI cannot say."""

import asyncio
import socket
from contextlib import suppress
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from ._replies import EXTENSION

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_VERSION_AND_STATUS = len(b"HTTP/1.1 200 ")

# A client whose machine or network is gone is noticed after two and a half minutes, as by Go's server.
_KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 9}


class TrickleProtocol(HttpToolsProtocol):
    """Sends an answer's head and body in one write, hangs up gently, and offers the extension `livepeer.trickle`.

    The extension's members are functions without arguments: `keep_waiting` sends a provisional answer, if the
    request was not answered yet; `break_off` sends what was written and drops the connection.
    """

    linger_seconds: ClassVar[float] = 2.0
    """How long a client that is still sending when it has been answered has to read the answer."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._lingering: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:
        """Take a connection."""
        super().connection_made(transport)
        connection = transport.get_extra_info("socket")
        if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
            _notice_loss(connection)

    def on_headers_complete(self) -> None:
        """Begin a request."""
        super().on_headers_complete()
        if "path" not in self.scope:
            return  # It is the beginning of a WebSocket, and has no cycle.
        self.cycle.transport = outlet = _Outlet(self, self.cycle)
        extensions = self.scope.setdefault("extensions", {})
        extensions[EXTENSION] = {"keep_waiting": outlet.keep_waiting, "break_off": outlet.break_off}

    def data_received(self, data: bytes) -> None:
        """Take what the client sent."""
        if self._lingering is None:
            super().data_received(data)

    def on_response_complete(self) -> None:
        """Go on with the next request, if the connection is to have one."""
        if self._lingering is None:
            super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End what the connection had begun."""
        if self._lingering is not None:
            self._lingering.cancel()
        super().connection_lost(exc)

    def linger(self) -> None:
        """Hang up on a client that is still sending, but so that it reads its answer.

        Closed at once, the connection would be reset by what still arrives, and the answer lost with it.
        """
        if self._lingering is None and not self.transport.is_closing():
            self._lingering = self.loop.call_later(self.linger_seconds, self.transport.close)
            if self.transport.can_write_eof():
                with suppress(OSError):  # asyncio's own transport raises it where the client has left already
                    self.transport.write_eof()
            self.flow.resume_reading()


class _Outlet(asyncio.Transport):
    """What one request's answer is written to, in place of the connection's transport."""

    def __init__(self, protocol: TrickleProtocol, cycle: RequestResponseCycle) -> None:
        super().__init__()
        self._protocol = protocol
        self._cycle = cycle
        self._transport = protocol.transport
        self._head: bytes | None = None
        self._begun = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Write a part; the first one, the head, waits for what the application sends right after it."""
        if not self._begun and self._cycle.response_started:
            self._begun = True
            self._head = _with_phrase(bytes(data))
            self._protocol.loop.call_soon(self._flush)
        elif self._head is not None:
            head, self._head = self._head, None
            self._transport.writelines([head, data])
        else:
            self._transport.write(data)

    def close(self) -> None:
        """Hang up after the answer."""
        self._flush()
        if self._cycle.more_body:
            self._protocol.linger()
        else:
            self._transport.close()

    def is_closing(self) -> bool:
        """Return whether nothing can be written any more."""
        return self._transport.is_closing()

    def keep_waiting(self) -> None:
        """Send a provisional answer."""
        if not self._cycle.response_started and not self.is_closing():
            self._transport.write(_CONTINUE)

    def break_off(self) -> None:
        """Drop the connection after what was written; the answer has no end."""
        self._cycle.response_started = self._cycle.response_complete = True
        self._cycle.message_event.set()
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        head, self._head = self._head, None
        if head is not None and not self.is_closing():
            self._transport.write(head)


def _notice_loss(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in _KEEPALIVE.items():
        if hasattr(socket, option):  # Not every system has them all.
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _with_phrase(head: bytes) -> bytes:
    """Return a head whose status has no phrase of its own with the one that Go gives it."""
    if head.startswith(b"\r\n", _VERSION_AND_STATUS):
        status = head[_VERSION_AND_STATUS - 4 : _VERSION_AND_STATUS]
        return head[:_VERSION_AND_STATUS] + b"status code " + status.rstrip() + head[_VERSION_AND_STATUS:]
    return head
