"""HTTP/1.1 on a socket: uvicorn's own protocol, more careful with callers, and quicker with small answers.

ASGI sends an answer's head and its body apart, and uvicorn hands each to the system by itself. That
second system call costs as much as all the rest of a small answer, so the transport joins the two.
"""

import asyncio
import http
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from livepeer.core import PROBLEM_MEDIA_TYPE, CallError, Problem

from ._body import BODY_IS_WHOLE

_MOST_HEAD_BYTES = 64 * 1024
"""How much may come before it is a whole head, or a piece of a body."""

_HEAD = b"HTTP/1.1 "
_CONTINUE = b"HTTP/1.1 100"


class MalformedRequestError(CallError):
    """Raised when what came is no HTTP/1.1."""

    status, code, title = 400, "malformed_request", "This is no HTTP/1.1"


class HeadTooLargeError(CallError):
    """Raised when a request's head, or what surrounds its body, does not end."""

    status, code, title = 431, "head_too_large", "The head of the request is too large"


class EdgeProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose callers must come to the point, and whose small answers leave in one write.

    A connection on which no head is whole within the time that it may be idle is closed. uvicorn begins
    that time anew with each byte, and never before the first request.
    """

    _vain_bytes = 0
    """What came since the last head or piece of a body."""

    _running: RequestResponseCycle | None = None
    """The request under way while others wait behind it: uvicorn tells the last of them alone that the caller left."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection over."""
        super().connection_made(_JoiningTransport(transport, self.loop))  # type: ignore[arg-type]
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of the connection."""
        super().connection_lost(exc)
        self._stop_clock()
        if self._running is not None:
            self._running.disconnected = True
            self._running.message_event.set()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._vain_bytes += len(data)
        super().data_received(data)
        if self._vain_bytes > _MOST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse(HeadTooLargeError(f"nothing of use was in the last {self._vain_bytes} bytes"))

    def on_headers_complete(self) -> None:
        """Begin a request, or put it behind the one before it."""
        before = self.cycle
        super().on_headers_complete()
        if self.pipeline:
            self._put_in_line(before)
        self._vain_bytes = 0
        self._stop_clock()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        super().on_body(body)
        self._vain_bytes = 0

    def on_message_complete(self) -> None:
        """End a request."""
        super().on_message_complete()
        self.scope[BODY_IS_WHOLE] = True  # type: ignore[typeddict-unknown-key]

    def _should_upgrade_to_ws(self) -> bool:
        if not getattr(self.config.app, "takes_websockets", False):
            return False
        if self.cycle and not self.cycle.response_complete:
            return False  # the request before it would not learn that its caller has left
        # At the first WebSocket: a server that takes none pays nothing for it.
        from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

        self.ws_protocol_class = WebSocketsSansIOProtocol
        return True

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, once the whole requests before it have their answers."""
        cycle = self.cycle
        if not cycle or cycle.more_body or cycle.response_complete:
            self._refuse(MalformedRequestError(msg))
        else:
            cycle.keep_alive = False

    def _refuse(self, error: CallError) -> None:
        """Say why, unless that got into the midst of an answer, and close."""
        cycle = self.cycle
        if not cycle or cycle.response_complete or not (cycle.response_started or self.pipeline):
            body = Problem.of(error).to_json()
            phrase = http.HTTPStatus(error.status).phrase
            head = f"HTTP/1.1 {error.status} {phrase}\r\ncontent-type: {PROBLEM_MEDIA_TYPE}\r\n"
            self.transport.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        self.transport.close()

    def _put_in_line(self, before: RequestResponseCycle) -> None:
        if len(self.pipeline) == 1:
            self._running = before
            before.on_response = self._go_on
        self.cycle.on_response = self._go_on

    def _go_on(self) -> None:
        self._running = self.pipeline[-1][0] if self.pipeline else None
        self.on_response_complete()

    def _unset_keepalive_if_required(self) -> None:
        # uvicorn asks for this at each byte; see `_stop_clock`.
        pass

    def _stop_clock(self) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None


class _JoiningTransport:
    """Keeps a head back for what is written right after it, and no longer than to the loop's next turn."""

    __slots__ = ("_head", "_loop", "_transport")

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = None

    def write(self, data: bytes) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._send(head + data)
        elif data.startswith(_HEAD) and not data.startswith(_CONTINUE):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._send(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._send(head)

    def _send(self, data: bytes) -> None:
        # uvloop raises where asyncio drops what nobody can read any more.
        if not self._transport.is_closing():
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
