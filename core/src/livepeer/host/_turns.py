"""Threads that take turns at the socket: how sync operations run."""

import threading
import time
from collections import deque

from ._calls import Calls, Running
from ._wire import FrameReader

_BRIEF_SECONDS = 0.0003
"""Calls shorter than this are not worth waking another thread for."""

_ROUND_SECONDS = 0.001
"""How long the others wait when a call turns out to be longer than those before it."""

_QUIET_ROUNDS = 20
_LONG_AFTER = 2
_LONG_AT_MOST = 4
_TRY_EVERY = 8
"""Two long calls pass the turn on, two brief ones end that; every eighth call is tried with the turn meanwhile."""


class Turns:
    """Runs sync calls on up to `most` threads, the first of which is the caller's own.

    The thread whose turn it is reads the socket. While calls are brief it also runs them, one after
    another: handing each to another thread would cost more than the call. While they are long it
    passes the turn on before it runs one. When a call is unexpectedly long, a standby thread notices
    within a millisecond and takes the turn away from it.

    Only a call that ran with the turn tells how long calls are: the others also wait for each other's
    GIL. So now and then one runs with the turn although the last ones were long.

    Args:
        reader: The data socket.
        calls: What runs a call.
        most: How many calls may run at once.
    """

    def __init__(self, reader: FrameReader, calls: Calls, most: int) -> None:
        self._reader = reader
        self._calls = calls
        self._most = most
        self._arrived: deque[Running] = deque()
        self._threads: list[threading.Thread] = []
        self._longs = 0
        self._passed = 0
        self._ended = False
        # Under the lock: whose turn it is, and since when its holder has been in a brief call.
        self._lock = threading.Lock()
        self._turn = 0
        self._turn_is_free = False
        self._busy_since: float | None = None
        self._parked = 0
        self._wake = threading.Semaphore(0)
        self._standby: threading.Thread | None = None
        self._stirred = threading.Event()

    def serve(self) -> None:
        """Run calls until the socket ends and the last one is answered."""
        self._work(self._turn)
        for thread in self._threads:
            thread.join()
        if self._standby is not None:
            self._stirred.set()
            self._standby.join()

    def _work(self, turn: int | None) -> None:
        """Hold the turn while it is ours, wait for the next one, until the socket ends."""
        while not self._ended:
            if turn is None:
                turn = self._await_turn()
                continue
            running = self._next()
            if running is None:
                self._end()
            elif self._most == 1:
                self._calls.run(running)
            elif self._longs < _LONG_AFTER or self._passed % _TRY_EVERY == _TRY_EVERY - 1:
                self._passed = 0
                turn = self._run_holding(running, turn)
            else:
                self._passed += 1
                with self._lock:
                    self._pass_turn()
                self._calls.run(running)
                turn = None

    def _next(self) -> Running | None:
        while not self._arrived:
            frames = self._reader.receive()
            if frames is None:
                return None
            self._arrived.extend([self._calls.begin(frame) for frame in frames])
        return self._arrived.popleft()

    def _run_holding(self, running: Running, turn: int) -> int | None:
        """Run a call without passing the turn; None if it was taken away meanwhile."""
        if not self._stirred.is_set():
            self._stir()
        self._busy_since = started = time.monotonic()
        self._calls.run(running)
        with self._lock:
            if self._turn != turn:
                return None
            self._busy_since = None
            if time.monotonic() - started < _BRIEF_SECONDS:
                self._longs = max(0, self._longs - 1)
            else:
                self._longs = min(_LONG_AT_MOST, self._longs + 1)
            return turn

    def _await_turn(self) -> int | None:
        with self._lock:
            if self._turn_is_free:
                self._turn_is_free = False
                return self._turn
            self._parked += 1
        self._wake.acquire()
        return self._turn

    def _pass_turn(self) -> None:
        """Give the turn to a thread that has nothing to do, a new one if need be. Under the lock."""
        self._turn += 1
        if self._parked:
            self._parked -= 1
            self._wake.release()
        elif len(self._threads) + 1 < self._most:
            name = f"livepeer-call-{len(self._threads) + 1}"
            thread = threading.Thread(target=self._work, args=(self._turn,), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()
        else:
            self._turn_is_free = True

    def _end(self) -> None:
        with self._lock:
            self._ended = True
            self._wake.release(max(1, self._parked))

    def _stir(self) -> None:
        self._stirred.set()
        if self._standby is None:
            self._standby = threading.Thread(target=self._stand_by, name="livepeer-standby", daemon=True)
            self._standby.start()

    def _stand_by(self) -> None:
        """Take the turn away from whoever holds it in a long call. Sleeps while nothing is going on."""
        quiet = 0
        while not self._ended:
            self._stirred.wait()
            time.sleep(_ROUND_SECONDS)
            since = self._busy_since
            quiet = quiet + 1 if since is None else 0
            if since is not None and time.monotonic() - since > _ROUND_SECONDS:
                self._take_away(since)
            elif quiet > _QUIET_ROUNDS and not self._ended:
                quiet = 0
                self._stirred.clear()

    def _take_away(self, since: float) -> None:
        with self._lock:
            if self._busy_since == since:
                self._busy_since = None
                self._longs = min(_LONG_AT_MOST, self._longs + 1)
                self._pass_turn()
