"""What both flavours of JSONL writer and reader have in common: what they take, count, and report."""

import logging
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypedDict

from livepeer.trickle._errors import ClosedError, LineError, SegmentLostError, SegmentRefusedError, TrickleError
from livepeer.trickle._outcomes import Acknowledged, Gap, Lost, Outcome, Refused
from livepeer.trickle._publish.outbox import Overflow
from livepeer.trickle._publish.stats import PublisherStats
from livepeer.trickle._subscribe.terms import SubscriberStats

from .lines import KEEPALIVE, LineQueue, encode_line
from .messages import MessageDecoder

logger = logging.getLogger("livepeer.trickle")

BATCH_BYTES = 64 * 1024
"""How many bytes of lines are gathered before they have to leave."""

MIB = 1024 * 1024


class PublisherOptions(TypedDict, total=False):
    """What a JSONL writer hands on to its publisher, which says what each means."""

    headers: Mapping[str, str] | None
    create: bool
    delete: bool
    verify: bool
    ssl_context: ssl.SSLContext | None
    max_buffered_bytes: int
    overflow: Overflow
    stall_seconds: float
    connect_seconds: float
    restart_seconds: float


class SubscriberOptions(TypedDict, total=False):
    """What a JSONL reader hands on to its subscriber, which says what each means."""

    headers: Mapping[str, str] | None
    verify: bool
    ssl_context: ssl.SSLContext | None
    max_buffered_bytes: int
    refresh_seconds: float
    connect_seconds: float
    retry_seconds: float
    wait_seconds: float
    abandon_seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class JSONLWriterStats(PublisherStats):
    """What a JSONL writer has done so far: its publisher's counts, and its own."""

    messages: int
    """How many messages were written."""

    keepalives: int
    """How many keepalive lines were written."""

    unsent_bytes: int
    """How many bytes of lines were not given to a segment: after the close these are lost."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JSONLReaderStats(SubscriberStats):
    """What a JSONL reader has done so far: its subscriber's counts, and its own."""

    messages: int
    """How many messages were read, keepalives aside."""

    bad_lines: int
    """How many lines were left out, for they were no messages."""

    keepalives: int
    """How many keepalive lines came."""


class Writing:
    """The state of a JSONL writer."""

    def __init__(
        self,
        *,
        rotate_seconds: float,
        rotate_bytes: int,
        keepalive_seconds: float | None,
        keepalive: object,
        on_outcome: Callable[[Outcome], None] | None,
    ) -> None:
        if not (keepalive_seconds is None or keepalive_seconds > 0):
            raise ValueError("keepalive_seconds has to be more than 0, or None for no keepalives")
        self.queue = LineQueue(rotate_seconds=rotate_seconds, rotate_bytes=rotate_bytes)
        self.failure: TrickleError | None = ClosedError("the writer was not started")
        """Why no message can be written."""

        self._ended = False
        self._messages = 0
        self._keepalives = 0
        self._keepalive_seconds = keepalive_seconds
        self._keepalive_line = encode_line(keepalive)
        self._spoke_at = 0.0
        self._losses: deque[Lost | Refused] = deque()
        self._on_outcome = on_outcome

    def start(self, now: float) -> None:
        """Take messages from now on."""
        self.failure = None
        self._spoke_at = now

    def add(self, message: object, now: float) -> None:
        """Take a message.

        Raises:
            ValueError: It has no JSON form.
        """
        self.queue.add(encode_line(message), now)
        self._messages += 1
        self._spoke_at = now

    def keep_alive(self, now: float) -> None:
        """Add a keepalive line if there was nothing else for long enough."""
        left = self.silence_left(now)
        if left is not None and left <= 0:
            self.queue.add(self._keepalive_line, now)
            self._keepalives += 1
            self._spoke_at = now

    def silence_left(self, now: float) -> float | None:
        """Return how many seconds of silence are left until a keepalive line; None if there are none."""
        return None if self._keepalive_seconds is None else self._spoke_at + self._keepalive_seconds - now

    def note(self, outcome: Outcome) -> None:
        """Take a segment's outcome; what was dropped by the caller's own choice is no loss to raise."""
        if not isinstance(outcome, Acknowledged) and not (isinstance(outcome, Lost) and outcome.reason == "dropped"):
            self._losses.append(outcome)
        if self._on_outcome:
            self._on_outcome(outcome)

    def check(self) -> None:
        """Raise the failure, or the oldest loss that was not raised yet."""
        if self.failure:
            raise self.failure
        if self._losses:
            outcome = self._losses.popleft()
            raise (
                SegmentLostError(outcome=outcome) if isinstance(outcome, Lost) else SegmentRefusedError(outcome=outcome)
            )

    def fail(self, error: TrickleError) -> None:
        """Take no more messages, for the channel has failed."""
        if not self.failure:
            self.failure = error

    def stop(self) -> None:
        """Take no more messages, for the writer is being closed."""
        self.failure = ClosedError("the writer is closed")

    def end(self, publisher: PublisherStats) -> JSONLWriterStats:
        """Say what could not be sent before the end; return what was done."""
        if self.queue.bytes and not self._ended:
            logger.warning("%d bytes of messages were not sent before the writer was closed", self.queue.bytes)
        self._ended = True
        return self.stats(publisher)

    def stats(self, publisher: PublisherStats) -> JSONLWriterStats:
        """Return what was done so far."""
        return JSONLWriterStats(
            **asdict(publisher),
            messages=self._messages,
            keepalives=self._keepalives,
            unsent_bytes=self.queue.bytes,
        )


NOTHING: Any = object()
"""Stands for a message where none is ready."""


class Reading:
    """The state of a JSONL reader."""

    def __init__(
        self,
        *,
        keepalives: bool,
        on_bad_line: Callable[[LineError], None] | None,
        on_gap: Callable[[Gap], None] | None,
        max_line_bytes: int,
    ) -> None:
        self._decoder = MessageDecoder(max_line_bytes=max_line_bytes)
        self._ready: deque[Any] = deque()
        self._wants_keepalives = keepalives
        self._on_bad_line = on_bad_line
        self._on_gap = on_gap
        self._messages = 0
        self._bad_lines = 0
        self._keepalives = 0

    def begin(self, seq: int, content_type: str, gap: Gap | None) -> None:
        """Begin a segment."""
        self._decoder.begin(seq, content_type)
        if gap and self._on_gap:
            self._on_gap(gap)

    def feed(self, part: bytes) -> None:
        """Take a part of the segment."""
        self._ready += self._decoder.feed(part)

    def end(self, *, whole: bool) -> None:
        """End the segment.

        Args:
            whole: Whether it did not break off.
        """
        self._ready += self._decoder.end() if whole else self._decoder.cut()

    def take(self) -> Any:
        """Return the next message, or NOTHING; bad lines before it are reported."""
        while self._ready:
            item = self._ready.popleft()
            if isinstance(item, LineError):
                self._report(item)
                continue
            if item == KEEPALIVE:
                self._keepalives += 1
                if not self._wants_keepalives:
                    continue
            else:
                self._messages += 1
            return item
        return NOTHING

    def stats(self, subscriber: SubscriberStats) -> JSONLReaderStats:
        """Return what was done so far."""
        return JSONLReaderStats(
            **asdict(subscriber), messages=self._messages, bad_lines=self._bad_lines, keepalives=self._keepalives
        )

    def _report(self, error: LineError) -> None:
        self._bad_lines += 1
        if self._on_bad_line:
            self._on_bad_line(error)
        else:
            logger.warning("segment %d: %s", error.seq, error)
