"""Reading a channel under a time limit, so that silence is noticed: a unit may be complete though nothing follows."""

from dataclasses import dataclass
from time import monotonic

from livepeer.trickle._errors import ClosedError, SegmentInterruptedError, UnreachableError
from livepeer.trickle._subscribe.base_subscriber import BaseSubscriber
from livepeer.trickle._subscribe.search import EndOfStreamError
from livepeer.trickle._subscribe.segments import Segment
from livepeer.trickle._subscribe.wakers import Waker
from livepeer.trickle._wire.connecting import Transport, Waitable, wait


@dataclass(frozen=True, slots=True)
class SegmentBegan:
    """A segment begins."""

    missed: int
    """How many segments were missed before it."""

    is_fresh: bool
    """Whether what it holds does not follow on what came before."""


@dataclass(frozen=True, slots=True)
class SegmentEnded:
    """A segment is over."""

    is_whole: bool
    """Whether all of it came."""


@dataclass(frozen=True, slots=True)
class FeedEnded:
    """The channel has ended, and all of it was read."""


FeedEvent = SegmentBegan | bytes | SegmentEnded | FeedEnded


class Feed(BaseSubscriber):
    """A subscriber whose calls wait no longer than they are told to; one thread at a time uses it.

    Its arguments are those of `Subscriber`.
    """

    def receive(self, seconds: float) -> FeedEvent | None:
        """Return what comes next, or None if nothing does in time.

        Args:
            seconds: How long to wait at most; only the opening of a connection may take longer.

        Raises:
            ClosedError: It was closed, or interrupted.
            TrickleError: The channel cannot be read any more.
        """
        deadline = monotonic() + seconds
        while not self._interrupted:
            now = monotonic()
            event = self._attempt(now)
            if event is not None:
                return event
            if now >= deadline:
                return None
            self._wait(now, deadline)
        raise ClosedError("the feed was interrupted")

    def interrupt(self) -> None:
        """Have `receive` raise ClosedError from now on; any thread may call it, until it is closed."""
        self._interrupted = True
        self._waker.wake()

    def close(self) -> None:
        """Close its connections; once more does nothing."""
        self._interrupted = True
        self._subscription.close()
        self._waker.close()

    def _attempt(self, now: float) -> FeedEvent | None:
        segment = self._segment
        try:
            if segment is None:
                return self._begin(now)
            part = self._subscription.pull(segment, segment.cursor, now)
        except EndOfStreamError:
            return FeedEnded()
        except SegmentInterruptedError:
            self._segment = None
            return SegmentEnded(is_whole=False)
        if part == b"":
            self._segment = None
            return SegmentEnded(is_whole=True)
        return part

    def _begin(self, now: float) -> SegmentBegan | None:
        self._segment = self._subscription.take(now)
        if self._segment is None:
            return None
        arrival = self._segment.arrival
        missed = 0 if arrival.gap is None else arrival.gap.count
        return SegmentBegan(missed=missed, is_fresh=arrival.restarted or missed > 0)

    def _wait(self, now: float, deadline: float) -> None:
        if self._subscription.wants_connection(now):
            self._connect()
            return
        connections, seconds = self._subscription.watch(now)
        watched: list[Waitable] = [*connections, self._waker]
        left = deadline - now
        wait([(each, True, False) for each in watched], left if seconds is None else min(seconds, left))

    def _connect(self) -> None:
        try:
            self._subscription.connected(self._transport.connect())
        except UnreachableError as error:
            self._subscription.unconnected(error, monotonic())

    def _set_up(self, transport: Transport, *, idle_seconds: float) -> None:
        self._transport = transport
        self._waker = Waker()
        self._segment: Segment | None = None
        self._interrupted = False
