"""Stopping sync work: an exception that comes up in the thread that runs it."""

import ctypes
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from livepeer.core import CallCancelledError

_LOOPS = 100


class PredictionCancelledError(CallCancelledError):
    """Raised when a prediction was cancelled before it ended."""


class Interruption:
    """One piece of work that another thread may interrupt, once.

    What is interrupted is the code within a `with` block, of which a generator needs one for each step. An
    interruption between two blocks is only noted, in `asked`.

    Args:
        exception: What comes up in the thread; a class, of which Python makes an instance there.
    """

    def __init__(self, exception: type[BaseException]) -> None:
        self._exception = exception
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._raised = False
        self.asked = False
        """Whether somebody wants this work to stop."""

    def interrupt(self) -> None:
        """Stop the work: at the next line of Python that it runs, since a C call is not interrupted."""
        with self._lock:
            self.asked = True
            if self._thread is not None and not self._raised:
                self._raised = True
                _raise_in(self._thread, self._exception)

    def __enter__(self) -> Self:
        with self._lock:
            self._thread = threading.get_ident()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The exception may come up in here, too. That is well: it comes once, and has not been left behind then.
        with self._lock:
            self._thread = None
        if self._raised and not isinstance(error, self._exception):
            _let_come_up(self._exception)


def _raise_in(thread: int, exception: type[BaseException]) -> None:
    """Have an exception come up in a thread soon."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))


def _let_come_up(exception: type[BaseException]) -> None:
    """Take an exception that was sent to this thread too late: it comes up in the next loop, if it has not yet.

    Taking it back is no way: CPython 3.11 then goes on looking for it, for as long as the process lives.
    """
    with suppress(exception):
        for _ in range(_LOOPS):
            pass
