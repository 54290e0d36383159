"""The edge's end of a host's three sockets."""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import NamedTuple

from livepeer.core import CallError, NotReadyError
from livepeer.host.wire import (
    ANSWER,
    CANCEL,
    END,
    FAIL,
    LOAD,
    Frame,
    FrameReader,
    Outbox,
    pack,
    pack_call,
    pack_credit,
)

from ._exchange import Exchange
from ._mount_exchange import MountExchange, MountRequest, MountSocket
from ._shared_files import SharedFile


class Request(NamedTuple):
    """One call, as it goes to the host: nothing in it is parsed."""

    operation: int
    """Index into the description's operations."""

    id: bytes
    media_type: bytes
    headers: bytes
    """Lines of ``name:value``, without credentials."""

    body: bytes
    shared: SharedFile | None = None
    """The body's file, instead of `body`; the exchange releases it."""

    timeout_seconds: float | None = None
    beside: Exchange | None = None
    """A call that runs: where several processes hold the model, this one goes to the same."""


class Connection:
    """Many calls over one host's sockets.

    Args:
        data: Calls out, answers in.
        control: Cancellations and credit out.
        mounts: Requests to mounted applications, both ways.
        on_frame: Takes each frame that belongs to no call.
        on_lost: Called once when the host is gone.
    """

    def __init__(
        self,
        data: socket.socket,
        control: socket.socket,
        mounts: socket.socket,
        *,
        on_frame: Callable[[Frame], None],
        on_lost: Callable[[], None],
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._data = data
        self._control = control
        self._reader = FrameReader(data)
        self._outbox = Outbox(data, self._loop)
        self._orders = Outbox(control, self._loop)
        self._mounts = MountSocket(mounts)
        self._on_frame = on_frame
        self._on_lost = on_lost
        self._exchanges: dict[int, Exchange] = {}
        self._last = 0
        self._open = True
        self._loop.add_reader(data, self._on_readable)

    def load(self, order: bytes) -> None:
        """Tell the host what to load."""
        self._outbox.post(pack(LOAD, 0, order))

    def call(self, request: Request, on_end: Callable[[], None]) -> Exchange:
        """Send a call."""
        self._last += 1
        number = self._last
        shared = request.shared
        exchange = Exchange(number, shared, on_cancel=self._cancel, on_credit=self._credit, on_end=on_end)
        self._exchanges[number] = exchange
        frame = pack_call(
            number,
            request.operation,
            timeout_seconds=request.timeout_seconds,
            media_type=request.media_type,
            request_id=request.id,
            headers=request.headers,
            body=request.body,
            size=None if shared is None else shared.size,
        )
        self._outbox.post(frame, None if shared is None else os.dup(shared.descriptor))
        return exchange

    def mount(self, request: MountRequest, on_end: Callable[[], None]) -> MountExchange:
        """Send a request to a mounted application."""
        return self._mounts.open(request, on_end)

    def finish(self) -> None:
        """Ask the host to end what it has and leave; mounted applications hear that their callers have left."""
        if self._open:
            self._mounts.give_up(NotReadyError("the server is shutting down", retry_after_seconds=1))
            self._data.shutdown(socket.SHUT_WR)

    def close(self, error: CallError) -> None:
        """Close the sockets; what is under way fails with `error`."""
        if not self._open:
            return
        self._open = False
        self._loop.remove_reader(self._data)
        self._outbox.close()
        self._orders.close()
        self._data.close()
        self._control.close()
        self._reader.close()
        exchanges, self._exchanges = self._exchanges, {}
        for exchange in exchanges.values():
            exchange.lose(error)
        self._mounts.close(error)

    def _cancel(self, number: int) -> None:
        self._orders.post(pack(CANCEL, number, b""))

    def _credit(self, number: int, size: int) -> None:
        self._orders.post(pack_credit(number, size))

    def _on_readable(self) -> None:
        frames = self._reader.receive(wait=False)
        if frames is None:
            self._loop.remove_reader(self._data)
            self._on_lost()
            return
        exchanges = self._exchanges
        for frame in frames:
            take = exchanges.pop if frame.kind in (ANSWER, END, FAIL) else exchanges.get
            exchange = take(frame.call, None)
            if exchange is not None:
                exchange.deliver(frame)
            else:
                self._on_frame(frame)
