"""The process between the edge and the host: nothing that the host starts outlives it.

The edge starts this process and holds the writing end of its standard input. It forks the host, and
waits for either to end. Whichever ends first, every descendant of the host is killed, also those
that left its session, and the host's exit code becomes this process's own. Nothing but the standard
library is imported before the fork, so the guardian stays small.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36


def become_guarded() -> None:
    """Fork. Returns in the host's process alone; the guardian's never does."""
    if sys.platform == "linux":
        # Descendants whose parents die become the guardian's own children, where it finds them.
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    guardian = os.getpid()
    host = os.fork()
    if host == 0:
        _settle_into_host(guardian)
        return
    _guard(host)


def _settle_into_host(guardian: int) -> None:
    os.setpgid(0, 0)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != guardian:
        os._exit(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)


def _guard(host: int) -> NoReturn:
    # The sockets are the host's: the edge must see them end when the host does.
    os.closerange(3, 65_536)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    wake_reader, wake_writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC) if sys.platform == "linux" else os.pipe()
    os.set_blocking(wake_writer, False)
    signal.set_wakeup_fd(wake_writer, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, _wake_only)
    status = _wait(host, wake_reader)
    _kill_descendants(host)
    os._exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def _wake_only(_number: int, _frame: object) -> None:
    """The wake-up descriptor says it all."""


def _wait(host: int, wake: int) -> int:
    """Reap until the host has ended, killing it if the edge ends first. The host's wait status."""
    watched = [0, wake]
    while True:
        ended = _reap(host)
        if ended is not None:
            return ended
        readable, _, _ = select.select(watched, (), ())
        if wake in readable:
            os.read(wake, 4096)
        if 0 in readable and not os.read(0, 4096):
            watched.remove(0)
            os.kill(host, signal.SIGKILL)


def _reap(host: int) -> int | None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0
        if pid == host:
            return status
        if pid == 0:
            return None


def _kill_descendants(host: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(host, signal.SIGKILL)
    # A killed child hands its own children to the guardian, so look until there are none.
    while True:
        for child in _children():
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> Iterator[int]:
    """Direct children, from /proc; none where there is no /proc (the process group is all we know there)."""
    me = os.getpid()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            # The name, in parentheses, may hold anything; what follows the last one is regular.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == me:
                yield int(stat.parent.name)
