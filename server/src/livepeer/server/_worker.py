"""The seam: what holds a model, as the server sees it."""

import asyncio
import logging
import os
import socket
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum, auto
from typing import Protocol

from livepeer.core import CallError, Description, HostCrashedError, NotReadyError
from livepeer.host import Broken, Hello, LoadOrder
from livepeer.host.wire import BROKEN, HELLO, NOT_READY, PROTOCOL_VERSION, READY, UNWELL, Frame

from ._connection import Connection, Request
from ._exchange import Exchange
from ._mount_exchange import MountExchange, MountRequest

logger = logging.getLogger("livepeer.server")

LOG_TAIL_LINES = 50


class WorkerState(Enum):
    """Where a worker stands."""

    LOADING = auto()
    READY = auto()
    FAILED = auto()
    STOPPED = auto()


class Worker(Protocol):
    """What holds one model. The server cannot tell one implementation from another."""

    @property
    def state(self) -> WorkerState:
        """Where it stands now."""
        ...

    @property
    def reason(self) -> str | None:
        """Why it is not ready, if something went wrong."""
        ...

    @property
    def description(self) -> Description | None:
        """What it serves; None until the target has been imported."""
        ...

    @property
    def log_tail(self) -> Sequence[str]:
        """The model's last lines of output, oldest first."""
        ...

    async def start(self, on_change: Callable[[], None]) -> None:
        """Begin loading, and return at once.

        Args:
            on_change: Called on the running loop after each change of state or description.
        """
        ...

    def call(self, request: Request, on_end: Callable[[], None]) -> Exchange:
        """Send a call to the model.

        Raises:
            NotReadyError: If the worker is not ready. `on_end` is not called then.
        """
        ...

    def mount(self, request: MountRequest, on_end: Callable[[], None]) -> MountExchange:
        """Send a request to a mounted application: one that is apart also while the model is not ready.

        Raises:
            NotReadyError: If there is nobody to take it. `on_end` is not called then.
        """
        ...

    def end_stuck(self, request_id: str) -> bool:
        """End whatever runs a call that cannot be cancelled. Whether that is possible here."""
        ...

    async def stop(self, *, grace_seconds: float) -> None:
        """Let what runs finish within the grace, tear the model down, and leave nothing behind."""
        ...


class HostWorker(ABC):
    """What the two workers share: a connection to a host, wherever that host runs."""

    def __init__(self, order: LoadOrder) -> None:
        self._order = order
        self._connection: Connection | None = None
        self._gone = asyncio.Event()
        self._broken = False
        self._met = False
        """Whether this host has said hello."""
        self._decided = False
        """Whether this host has got ready or failed to."""
        self._on_change: Callable[[], None] = lambda: None
        self.state = WorkerState.LOADING
        self.reason: str | None = None
        self.description: Description | None = None
        self.log_tail: deque[str] = deque(maxlen=LOG_TAIL_LINES)

    @abstractmethod
    async def start(self, on_change: Callable[[], None]) -> None:
        """Begin loading, and return at once."""

    def call(self, request: Request, on_end: Callable[[], None]) -> Exchange:
        """Send a call to the host."""
        if self.state is not WorkerState.READY or self._connection is None:
            if request.shared is not None:
                request.shared.release()
            raise NotReadyError(self.reason or "the model is loading", retry_after_seconds=1)
        return self._connection.call(request, on_end)

    def mount(self, request: MountRequest, on_end: Callable[[], None]) -> MountExchange:
        """Send a request to the host."""
        connection, description = self._connection, self.description
        if connection is None or description is None or not self._met or self._gone.is_set():
            raise NotReadyError(self.reason or "the model is loading", retry_after_seconds=1)
        if self.state is not WorkerState.READY and not description.mounts[request.mount].apart:
            raise NotReadyError(self.reason or "the model is loading", retry_after_seconds=1)
        return connection.mount(request, on_end)

    def _connect(self, data: socket.socket, control: socket.socket, mounts: socket.socket) -> None:
        self._gone.clear()
        self._met = self._decided = False
        self._connection = Connection(data, control, mounts, on_frame=self._on_frame, on_lost=self._on_lost)
        self._connection.load(self._order.model_dump_json().encode())

    def _disconnect(self, error: CallError | None = None) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close(error or HostCrashedError("the model's process ended while the call ran"))

    def _on_lost(self) -> None:
        self._gone.set()

    def _change(self, state: WorkerState, reason: str | None = None) -> None:
        self.state = state
        self.reason = reason
        self._on_change()

    def _on_frame(self, frame: Frame) -> None:
        if frame.kind == HELLO:
            self._on_hello(Hello.model_validate_json(frame.payload))
        elif frame.kind == READY:
            self._decide(WorkerState.READY)
        elif frame.kind == UNWELL:
            self._decide(WorkerState.FAILED, frame.payload.decode())
        elif frame.kind == NOT_READY:
            self._decide(WorkerState.LOADING, frame.payload.decode())
        elif frame.kind == BROKEN:
            self._decided = True
            self._break(Broken.model_validate_json(frame.payload).reason)
        elif frame.shared is not None:
            os.close(frame.shared)  # of a call that ended here already

    def _decide(self, state: WorkerState, reason: str | None = None) -> None:
        self._decided = True
        if self.state is not WorkerState.STOPPED:
            self._change(state, reason)

    def _break(self, reason: str) -> None:
        """It failed in a way that starting it again would not mend."""
        self._broken = True
        self._change(WorkerState.FAILED, reason)

    def _on_hello(self, hello: Hello) -> None:
        if hello.protocol != PROTOCOL_VERSION:
            self._break(
                f"the host speaks protocol {hello.protocol} (livepeer-core {hello.core_version}), "
                f"this server {PROTOCOL_VERSION}: install the same livepeer-core in both environments",
            )
            return
        self._met = True
        self.description = hello.description
        self._on_change()
