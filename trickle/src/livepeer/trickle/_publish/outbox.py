"""The segments of a publisher: written by its caller, numbered, counted, and given their outcomes."""

import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Literal

from livepeer.trickle._errors import (
    ChannelClosedError,
    ChannelNotFoundError,
    ClosedError,
    SegmentLostError,
    SegmentRefusedError,
    StalledError,
    TrickleError,
)
from livepeer.trickle._outcomes import Acknowledged, Lost, LostReason, Outcome, Refused

from .posts import Post
from .stats import Tally
from .window import Window

logger = logging.getLogger("livepeer.trickle")

Overflow = Literal["wait", "drop_oldest"]
"""What happens to bytes that find no room."""

_QUEUED_SEGMENTS = 1000
"""How many segments may wait, however short they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Errand:
    """A small request about one segment."""

    kind: Literal["check", "find", "delete"]
    """Ask whether the server still has its channel, or the segment itself; or end it for its readers."""

    seq: int
    """The segment."""


class Outbox:
    """Segments in the order of their numbers, until each has its outcome.

    Args:
        url: Of the channel, for errors.
        max_buffered_bytes: How much may wait for the network.
        on_outcome: Called with each segment's outcome.
    """

    def __init__(
        self,
        url: str,
        *,
        max_buffered_bytes: int,
        on_outcome: Callable[[Outcome], None] | None = None,
    ) -> None:
        self.failure: TrickleError | None = None
        """Why nothing more can be published."""

        self.window: Window[Post] = Window(0)
        """The segments that have no outcome."""

        self.current: Post | None = None
        """The segment that is written now."""

        self.spare: Post | None = None
        """The segment after it, whose head is on the wire already."""

        self.errands: deque[Errand] = deque()
        """What is to be asked of the server beside the segments."""

        self.tally = Tally()
        """What was done so far."""

        self.unsent: int = 0
        """How many bytes wait for the network."""

        self._url = url
        self._max_buffered_bytes = max_buffered_bytes
        self._on_outcome = on_outcome
        self._drops_to_say = 0
        self._said_drops_at = -inf

    @property
    def settled(self) -> bool:
        """Whether every segment has its outcome."""
        return all(post is self.spare for post in self.window.items)

    @property
    def piece_bytes(self) -> int:
        """How much of a long write is taken at once."""
        return max(1, self._max_buffered_bytes // 4)

    def has_room(self, count: int) -> bool:
        """Tell whether so many bytes more may wait for the network."""
        if len(self.window.items) > _QUEUED_SEGMENTS:
            return False
        return self.unsent + count <= self._max_buffered_bytes or not self.unsent

    @property
    def half_empty(self) -> bool:
        """Whether no more than half of what may wait for the network does."""
        few = len(self.window.items) <= _QUEUED_SEGMENTS // 2
        return few and self.unsent <= self._max_buffered_bytes // 2

    def victim(self) -> Post | None:
        """Return what gives way to newer bytes: the oldest segment that has not begun, else the oldest half sent."""
        half_sent: Post | None = None
        for post in self.window.items:
            if post.unsent and post is not self.current:
                if not post.begun:
                    return post
                half_sent = half_sent or post
        return half_sent or self.current

    def begin(self, next_seq: int) -> None:
        """Start at the server's next number."""
        self.window = Window(next_seq)
        self._add_spare()

    def open(self) -> Post:
        """Return the next segment to write; the one before ends."""
        self.end_current()
        if self.spare is None:
            raise ClosedError("the publisher is closed")
        self.current = self.spare
        self.tally.segments += 1
        self._add_spare()
        return self.current

    def check(self, post: Post) -> None:
        """Raise what keeps a segment from being written to.

        Raises:
            TrickleError: The publication has failed, or the segment has ended, well or not.
        """
        self.check_outcome(post)
        if post.ended:
            raise ClosedError(f"segment {post.seq} has ended: nothing more can be written to it")

    def check_outcome(self, post: Post) -> None:
        """Raise a segment's failure, if it has failed."""
        if self.failure is not None:
            raise self.failure.with_traceback(None)
        if isinstance(post.outcome, Lost):
            raise SegmentLostError(outcome=post.outcome)
        if isinstance(post.outcome, Refused):
            raise SegmentRefusedError(outcome=post.outcome)

    def write(self, post: Post, data: bytes | memoryview) -> None:
        """Add bytes to a segment, at least one."""
        before = post.unsent
        post.write(data)
        self.unsent += post.unsent - before
        self.tally.bytes += len(data)

    def end(self, post: Post) -> None:
        """End a segment; once more does nothing."""
        if self.current is post:
            self.current = None
        if not post.ended and post.outcome is None:
            before = post.unsent
            post.end()
            self.unsent += post.unsent - before

    def end_current(self) -> None:
        """End the segment that is open, if one is."""
        if self.current is not None:
            self.end(self.current)

    def abort(self, post: Post, reason: LostReason, detail: str) -> None:
        """Give a segment up; its readers are told that no more comes (trickle, table 1, rows 20 and 30)."""
        if post.begun:
            self.errands.append(Errand(kind="delete", seq=post.seq))
        self.settle(post, post.lost(reason, detail))

    def finish(self) -> None:
        """End the segment that is open, and begin no other."""
        self.end_current()
        self._drop_spare()

    def say_dropped(self, now: float) -> None:
        """Log how many segments were dropped, at most once a second: they may be thousands."""
        if self._drops_to_say and now - self._said_drops_at >= 1.0:
            logger.warning("%s: %d segments gave way to newer ones", self._url, self._drops_to_say)
            self._drops_to_say, self._said_drops_at = 0, now

    def fail(self, error: TrickleError) -> None:
        """Give everything up."""
        self.failure = error
        if isinstance(error, ChannelClosedError | ChannelNotFoundError):
            reason: LostReason = "channel_closed"
        else:
            reason = "stalled" if isinstance(error, StalledError) else "disconnected"
        self.lose_all(reason, str(error))

    def lose_all(self, reason: LostReason, detail: str) -> None:
        """End every segment that has no outcome."""
        self._drop_spare()
        self.errands.clear()
        for post in list(self.window.items):
            self.settle(post, post.lost(reason, detail))

    def settle(self, post: Post, outcome: Outcome) -> None:
        """Give a segment its outcome."""
        post.outcome = outcome
        self.unsent -= post.unsent
        if self.current is post:
            self.current = None
        self.window.remove(post)
        self.tally.count(outcome)
        self._drops_to_say += _is_drop(outcome)
        if not (isinstance(outcome, Acknowledged) or _is_drop(outcome)):
            level = logging.INFO if _is_given_up(outcome) else logging.WARNING
            logger.log(level, "%s: segment %d did not arrive: %s", self._url, outcome.seq, outcome.detail)
        if self._on_outcome is not None:
            self._report(outcome)

    def _report(self, outcome: Outcome) -> None:
        assert self._on_outcome is not None
        try:
            self._on_outcome(outcome)
        except Exception:  # It is the user's code, and an error in it must not stop the stream.
            logger.exception("%s: on_outcome failed for segment %d", self._url, outcome.seq)

    def _add_spare(self) -> None:
        self.spare = Post(self._max_buffered_bytes // 4)
        self.window.add(self.spare)

    def _drop_spare(self) -> None:
        spare, self.spare = self.spare, None
        if spare is not None:
            self.window.remove(spare)


def _is_drop(outcome: Outcome) -> bool:
    """Tell whether a segment gave way to newer ones, as its publisher was asked to."""
    return isinstance(outcome, Lost) and outcome.reason == "dropped"


def _is_given_up(outcome: Outcome) -> bool:
    """Tell whether its own publisher wanted no more of a segment, which is then no news."""
    return isinstance(outcome, Lost) and outcome.reason == "aborted"
