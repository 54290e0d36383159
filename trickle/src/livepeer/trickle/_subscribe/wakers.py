"""Waking a thread that waits for the network."""

import socket
from contextlib import suppress


class Waker:
    """Something to wait for that another thread, or a signal's handler, can make ready."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._ours.setblocking(False)
        self._theirs.setblocking(False)
        self._awake = False

    def fileno(self) -> int:
        """Return the number by which the system knows it."""
        return self._ours.fileno()

    def wake(self) -> None:
        """Make it ready."""
        self._awake = True
        with suppress(BlockingIOError):  # It is ready more often than anybody looks.
            self._theirs.send(b"!")

    def rest(self) -> None:
        """Make it wait again."""
        if self._awake:  # Seldom: most waits end because bytes have come.
            self._awake = False
            with suppress(BlockingIOError):
                self._ours.recv(4096)

    def close(self) -> None:
        """Close it; once more does nothing."""
        self._ours.close()
        self._theirs.close()
