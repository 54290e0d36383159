"""SIGINT and SIGTERM for a command that has something to finish first."""

import os
import select
import signal
from time import monotonic
from types import FrameType, TracebackType
from typing import Self

_FINISH_SECONDS = 4.5
_OVERDUE_SECONDS = 5.0


class OverdueError(BaseException):
    """Raised when a command that was told to end does not, or was told twice; nothing on its way catches it."""


class Interrupts:
    """Notes that the command was told to end, wherever it is; only what waits here is woken by it."""

    def __init__(self) -> None:
        self.signal = 0
        """The signal that came; 0 if none did."""

        self._finish_at = 0.0

    def wait(self, descriptor: int, seconds: float) -> bool:
        """Wait until something can be read, the command is told to end, or the time is up.

        Returns:
            Whether something can be read; its end among it.
        """
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        return any(ready == descriptor for ready, _ in poll.poll(seconds * 1000))

    def seconds_left(self, otherwise: float) -> float:
        """Return how long the finishing may take.

        Args:
            otherwise: If no signal came.
        """
        return max(0.0, self._finish_at - monotonic()) if self.signal else otherwise

    def __enter__(self) -> Self:
        self._woken, self._waking = os.pipe()
        os.set_blocking(self._waking, False)
        self._old_wakeup = signal.set_wakeup_fd(self._waking, warn_on_full_buffer=False)
        self._old = {number: signal.signal(number, self._note) for number in (signal.SIGINT, signal.SIGTERM)}
        self._old[signal.SIGALRM] = signal.signal(signal.SIGALRM, self._raise)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._old_wakeup)
        os.close(self._woken)
        os.close(self._waking)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.signal:
            self._raise(number, frame)
        self.signal = number
        self._finish_at = monotonic() + _FINISH_SECONDS
        signal.setitimer(signal.ITIMER_REAL, _OVERDUE_SECONDS)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        self._finish_at = 0.0
        raise OverdueError
