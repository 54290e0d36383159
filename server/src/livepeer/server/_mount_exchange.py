"""One mount request as the edge sees it, and the socket that carries them all."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from livepeer.core import CallCancelledError, CallError, NotReadyError, Problem, SessionEndedError
from livepeer.host.wire import (
    MOUNT_END,
    MOUNT_GONE,
    Frame,
    FrameReader,
    Message,
    MountStream,
    Outbox,
    pack_messages,
    pack_open,
    unpack_end,
)

from ._responses import Scope

_INTERNAL_ERROR = 1011
_CODES: dict[type[CallError], int] = {NotReadyError: 1012, SessionEndedError: 1001, CallCancelledError: 1006}
"""How a WebSocket ends: the service restarts, the other end goes away, the connection was lost."""


class MountRequest(NamedTuple):
    """One request, as it goes to the host."""

    mount: int
    """Index into the description's mounts."""

    id: str
    scope: Scope
    messages: Sequence[Message]
    """What of its body is there already."""


def close_message(error: CallError, kind: Literal["close", "disconnect"]) -> Message:
    """How a WebSocket ends with an error, in words for its caller or for its application."""
    code = _CODES.get(type(error), _INTERNAL_ERROR)
    return {"type": f"websocket.{kind}", "code": code, "reason": error.title}


class MountExchange:
    """One mount request under way. Made by a worker, read by one task.

    Args:
        number: The request's number on its connection.
        is_websocket: Whether it is one, and no HTTP request.
        outbox: Where frames go.
        on_end: Called once, when the application has returned.
    """

    __slots__ = ("_error", "_is_websocket", "_on_end", "_outbox", "_stream", "ended")

    def __init__(self, number: int, *, is_websocket: bool, outbox: Outbox, on_end: Callable[[], None]) -> None:
        self.ended = False
        self._is_websocket = is_websocket
        self._outbox = outbox
        self._stream = MountStream(number, outbox)
        self._on_end = on_end
        self._error: CallError | None = None

    async def receive(self) -> Message | None:
        """The application's next message; None once it has returned.

        Raises:
            CallError: If the application failed, or the exchange was given up here.
        """
        message = await self._stream.receive()
        if message is None and self._error is not None:
            raise self._error
        return message

    async def send(self, message: Message) -> None:
        """Send a message of the caller's, once the application has taken enough of those before it."""
        await self._stream.send([message])

    def give_up(self, error: CallError, goodbye: Message | None = None) -> None:
        """Stop waiting: tell the application that its caller has left, and raise `error` to whoever reads.

        Args:
            error: Why.
            goodbye: What the application receives; None for what suits the error.
        """
        if self._error is not None:
            return
        self._error = error
        if not self.ended:
            if goodbye is None:
                goodbye = close_message(error, "disconnect") if self._is_websocket else {"type": "http.disconnect"}
            self._outbox.post(pack_messages(self._stream.number, [goodbye], kind=MOUNT_GONE))
        self._stream.end(drop=True)

    def leave(self) -> None:
        """The answer is whole: what the application still does in the background is nobody's here."""
        if self._error is None:
            self._error = CallCancelledError("nobody reads the answer any more")
            self._stream.end(drop=True)

    def deliver(self, frame: Frame) -> None:
        """Take a frame from the connection."""
        if frame.kind == MOUNT_END:
            messages, problem = unpack_end(frame.payload)
            self._end(messages, None if problem is None else Problem.model_validate_json(problem).to_error())
        elif self._error is None:
            self._stream.deliver(frame)

    def lose(self, error: CallError) -> None:
        """The connection is gone, and the application with it."""
        self._end((), error)

    def _end(self, messages: Sequence[Message], error: CallError | None) -> None:
        self.ended = True
        self._on_end()
        if self._error is None:
            self._error = error
            self._stream.put(messages)
            self._stream.end()


class MountSocket:
    """Many mount requests over one host's mount socket, which nobody listens to before the first.

    Args:
        sock: The edge's end.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._reader = FrameReader(sock)
        self._outbox = Outbox(sock, self._loop)
        self._exchanges: dict[int, MountExchange] = {}
        self._last = 0

    def open(self, request: MountRequest, on_end: Callable[[], None]) -> MountExchange:
        """Send a request."""
        if not self._last:
            self._loop.add_reader(self._socket, self._on_readable)
        self._last += 1
        number = self._last
        is_websocket = request.scope["type"] == "websocket"
        exchange = MountExchange(number, is_websocket=is_websocket, outbox=self._outbox, on_end=on_end)
        self._exchanges[number] = exchange
        self._outbox.post(
            pack_open(number, request.mount, request_id=request.id, scope=request.scope, messages=request.messages)
        )
        return exchange

    def close(self, error: CallError) -> None:
        """Take what has arrived, and close; what is under way then is lost with `error`."""
        while frames := self._reader.receive(wait=False):
            self._deliver(frames)
        self._loop.remove_reader(self._socket)
        self._outbox.close()
        self._socket.close()
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            exchange.lose(error)

    def give_up(self, error: CallError) -> None:
        """Give up whatever is under way."""
        for exchange in tuple(self._exchanges.values()):
            exchange.give_up(error)

    def _on_readable(self) -> None:
        frames = self._reader.receive(wait=False)
        if frames is None:
            self._loop.remove_reader(self._socket)
        else:
            self._deliver(frames)

    def _deliver(self, frames: Sequence[Frame]) -> None:
        exchanges = self._exchanges
        for frame in frames:
            take = exchanges.pop if frame.kind == MOUNT_END else exchanges.get
            exchange = take(frame.call, None)
            if exchange is not None:
                exchange.deliver(frame)
