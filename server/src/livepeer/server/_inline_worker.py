"""The model in this process, on a thread of its own: notebooks, tests, embedding."""

import socket
import threading
from collections.abc import Callable

import anyio

from livepeer.core import Capability, NotReadyError
from livepeer.host import LoadOrder

from ._worker import HostWorker, WorkerState


class InlineWorker(HostWorker):
    """The same host as in a process of its own, on a thread of this one.

    What a process would survive, this cannot: a segfault, `os._exit` or a model that keeps the GIL
    takes the server with it.

    Args:
        target: What to serve: a target, or whatever makes a capability of it.
        adapter: Entry-point name of the adapter; None asks each installed one.
    """

    def __init__(self, target: str | Callable[[], Capability], *, adapter: str | None = None) -> None:
        super().__init__(LoadOrder(target=target if isinstance(target, str) else "", adapter=adapter))
        self._make = None if isinstance(target, str) else target
        self._thread: threading.Thread | None = None

    async def start(self, on_change: Callable[[], None]) -> None:
        """Start the host's thread."""
        from livepeer.host import Host  # lazily: the usual server's host is in another process

        self._on_change = on_change
        data, host_data = socket.socketpair()
        control, host_control = socket.socketpair()
        mounts, host_mounts = socket.socketpair()
        host = Host(host_data, host_control, host_mounts, make=self._make)
        self._thread = threading.Thread(target=host.run, name="livepeer-host", daemon=True)
        self._thread.start()
        self._connect(data, control, mounts)

    def _on_lost(self) -> None:
        super()._on_lost()
        if self.state in (WorkerState.LOADING, WorkerState.READY):
            self._change(WorkerState.FAILED, "the model's thread ended; see the log")
            self._disconnect()

    def end_stuck(self, request_id: str) -> bool:
        """A thread cannot be ended."""
        return False

    async def stop(self, *, grace_seconds: float) -> None:
        """Let the host finish; what does not within the grace is left to the end of this process."""
        if self._connection is not None:
            self._change(WorkerState.STOPPED)
            self._connection.finish()
            with anyio.move_on_after(grace_seconds):
                await self._gone.wait()
            self._disconnect(NotReadyError("the server is shutting down"))
