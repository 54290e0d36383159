"""A WebSocket of a mounted application."""

from enum import Enum, auto

from livepeer.core import AsgiApp

from ._mount_wire import Message, MountOpening
from ._mounted import CallerLeftError, MountedRequest
from ._outbox import Outbox


class _Phase(Enum):
    CONNECTING = auto()
    OPEN = auto()
    DENYING = auto()
    CLOSED = auto()


_NEXT = {
    (_Phase.CONNECTING, "websocket.accept"): _Phase.OPEN,
    (_Phase.CONNECTING, "websocket.close"): _Phase.CLOSED,
    (_Phase.CONNECTING, "websocket.http.response.start"): _Phase.DENYING,
    (_Phase.DENYING, "websocket.http.response.body"): _Phase.DENYING,
    (_Phase.OPEN, "websocket.send"): _Phase.OPEN,
    (_Phase.OPEN, "websocket.close"): _Phase.CLOSED,
}
"""What the application may send, and what follows from it."""


class MountedWebSocket(MountedRequest):
    """Holds the application to ASGI's rules, so that it sees its mistake itself."""

    def __init__(self, number: int, opening: MountOpening, app: AsgiApp, outbox: Outbox) -> None:
        super().__init__(number, opening, app, outbox)
        self._stream.put([{"type": "websocket.connect"}])
        self._phase = _Phase.CONNECTING
        self._goodbye: Message = {"type": "websocket.disconnect", "code": 1006}

    async def receive(self) -> Message:
        """The next message; the disconnect once the caller has left and all that came before is read."""
        return await self._stream.receive() or self._goodbye

    async def send(self, message: Message) -> None:
        """Send, as fast as the caller takes it.

        Raises:
            CallerLeftError: If the caller has left.
            RuntimeError: If this message may not come now.
        """
        if self._call.cancelled:
            raise CallerLeftError("the caller has left")
        following = _NEXT.get((self._phase, message["type"]))
        if following is None:
            raise RuntimeError(f"unexpected {message['type']!r} while {self._phase.name.lower()}")
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            following = _Phase.CLOSED
        self._phase = following
        await self._stream.send([message])

    def caller_left(self, message: Message) -> None:
        """Nothing more is sent; what came before is still read."""
        self._goodbye = message
        self._stream.end()

    def check_finished(self) -> None:
        """Raise if the caller was neither let in nor refused."""
        if self._phase in (_Phase.CONNECTING, _Phase.DENYING):
            raise RuntimeError("the application returned without completing the handshake")
