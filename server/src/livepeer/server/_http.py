"""Writing an answer in one piece: uvicorn's own protocol, over a transport that joins two writes.

ASGI sends an answer's head and its body apart, and uvicorn hands each to the system by itself. That
second system call costs as much as all the rest of a small answer.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_HEAD = b"HTTP/1.1 "
_CONTINUE = b"HTTP/1.1 100"


class JoiningProtocol(HttpToolsProtocol):
    """HTTP/1.1 whose answers leave in one write where head and body come together."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection over."""
        super().connection_made(_JoiningTransport(transport, asyncio.get_running_loop()))  # type: ignore[arg-type]


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
            self._transport.write(head + data)
        elif data.startswith(_HEAD) and not data.startswith(_CONTINUE):
            self._head = data
            self._loop.call_soon(self._flush)
        else:
            self._transport.write(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._head is not None:
            head, self._head = self._head, None
            self._transport.write(head)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
