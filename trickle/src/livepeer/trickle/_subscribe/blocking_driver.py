"""What drives a subscription on the threads of its callers."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from livepeer.trickle._errors import ClosedError, UnreachableError
from livepeer.trickle._wire.connecting import Transport, Waitable, wait
from livepeer.trickle._wire.sockets import Connection

from .segments import Cursor, Segment
from .subscription import Subscription
from .wakers import Waker

_T = TypeVar("_T")

_PROOF_SECONDS = 1.0
"""How often it is looked whether the thread that one waits for is still alive."""


class SubscriberDriver:
    """Makes the calls of a subscription until they have a result.

    Several threads may wait for one at a time: one of them, the leader, waits for the network, and the others for it.

    Args:
        subscription: To be driven.
        transport: Opens its connections.
        idle_seconds: How long one of a segment's readers waits for another that nobody has begun to read.
    """

    def __init__(self, subscription: Subscription, transport: Transport, *, idle_seconds: float) -> None:
        self._subscription = subscription
        self._transport = transport
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._leader: int | None = None
        self._waker: Waker | None = None
        self._taking = False
        self._closed = False

    def take(self) -> Segment:
        """Wait for the next segment; raises what `Subscription.take` does, and ClosedError.

        Raises:
            RuntimeError: Another thread waits for it already.
        """
        with self._changed:
            if self._taking:
                raise RuntimeError("another thread iterates over this subscriber already")
            self._taking = True
            try:
                return self._until(self._subscription.take, self._unseat, self._changed.wait, leads=True)
            finally:
                self._taking = False
                self._changed.notify_all()  # Those who read the segment before: it was left.

    def pull(self, segment: Segment, cursor: Cursor) -> bytes:
        """Wait for a segment's next part; raises what `Subscription.pull` does, and StalledError."""
        cursor.owner = threading.current_thread()

        def follow() -> None:
            if self._subscription.full:
                self._wait_for_slowest(segment)
            else:
                self._changed.wait()

        with self._changed:
            return self._until(
                lambda now: self._subscription.pull(segment, cursor, now), lambda: segment.take(cursor), follow
            )

    def drop(self, segment: Segment, cursor: Cursor) -> None:
        """Have nobody wait for a reader any more."""
        with self._changed:
            segment.drop(cursor)
            self._changed.notify_all()

    def close(self) -> None:
        """Close the connections; who waits on another thread is woken, and raises ClosedError."""
        with self._changed:
            self._closed = True
            if self._waker is not None:
                self._waker.wake()
            self._changed.notify_all()
            # A signal's handler may run on the thread that leads: that one closes when it comes to.
            while self._leader not in (None, threading.get_ident()):
                self._changed.wait()
            if self._leader is None:
                self._finish()

    def _until(
        self,
        attempt: Callable[[float], _T | None],
        peek: Callable[[], _T | None],
        follow: Callable[[], object],
        *,
        leads: bool = False,
    ) -> _T:
        """Go on until there is a result.

        Args:
            attempt: Uses the network; not while a leader waits for it, who would miss what others have read.
            peek: Does without.
            follow: Waits for other threads.
            leads: Whether to lead even while a segment is being waited for.
        """
        while True:
            if self._closed:
                raise ClosedError("the subscriber is closed")
            result = attempt(time.monotonic()) if self._leader is None else peek()
            if result is not None:
                self._changed.notify_all()
                return result
            if self._leader is None and (leads or not self._taking) and not self._subscription.full:
                self._lead()
            else:
                follow()

    def _unseat(self) -> None:
        """Have the leader leave the network to this thread."""
        if self._waker is not None:
            self._waker.wake()

    def _lead(self) -> None:
        """Do one thing that takes time, while the others may use the subscription."""
        waker = self._waker = self._waker or Waker()
        self._leader = threading.get_ident()
        result: Connection | UnreachableError | None = None
        try:
            if not self._closed:  # A signal's handler may have closed it until just now, but finds a leader from here.
                result = self._wait(waker)
        finally:
            self._leader = None
            if not self._closed:
                waker.rest()
            self._take_in(result)
            self._changed.notify_all()

    def _wait(self, waker: Waker) -> Connection | UnreachableError | None:
        now = time.monotonic()
        connecting = self._subscription.wants_connection(now)
        connections, seconds = self._subscription.watch(now)
        watched: list[Waitable] = [*connections, waker]
        self._changed.release()
        try:
            if connecting:
                return self._connect()
            wait([(each, True, False) for each in watched], seconds)
            return None
        finally:
            self._changed.acquire()

    def _connect(self) -> Connection | UnreachableError:
        try:
            return self._transport.connect()
        except UnreachableError as error:
            return error

    def _take_in(self, result: Connection | UnreachableError | None) -> None:
        if isinstance(result, Connection):
            self._subscription.connected(result)
        elif result is not None:
            self._subscription.unconnected(result, time.monotonic())
        if self._closed:
            self._finish()

    def _wait_for_slowest(self, segment: Segment) -> None:
        """Wait until the slowest reader has taken something.

        Raises:
            StalledError: It never will: it is used by this very thread, by one that has ended, or by none.
        """
        owner = segment.slowest().owner
        if owner is None:
            if not self._changed.wait(self._idle_seconds):
                raise segment.stalled()
        elif owner is threading.current_thread() or not (isinstance(owner, threading.Thread) and owner.is_alive()):
            raise segment.stalled()
        else:
            self._changed.wait(_PROOF_SECONDS)

    def _finish(self) -> None:
        self._subscription.close()
        if self._waker is not None:
            self._waker.close()
            self._waker = None
