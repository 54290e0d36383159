"""Counts what a stream carries, and measures how long a picture is under way."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

_WINDOW_SECONDS = 2.0
_REMEMBERED = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class LiveStats:
    """What a live stream has carried so far, as its caller sees it."""

    frames_sent: int
    """Pictures that were published."""

    frames_received: int
    """Pictures that came back, at every reader of them."""

    fps_received: float
    """How many came a second, lately."""

    latency_seconds: float | None
    """From sending a picture until the one with the same timestamp was back, of the newest; None where none was."""

    bytes_sent: int
    """Of media."""

    bytes_received: int
    """Of media."""

    frames_dropped: int | None
    """How many the worker says that it dropped; None where it does not say."""


class Meter:
    """Keeps the figures of one stream.

    Args:
        frames_dropped: Says how many the worker has dropped.
    """

    def __init__(self, frames_dropped: Callable[[], int | None]) -> None:
        self._frames_dropped = frames_dropped
        self._sent_at: OrderedDict[int, float] = OrderedDict()
        self._arrivals: deque[float] = deque()
        self._sent = self._received = 0
        self._bytes_sent = self._bytes_received = 0
        self._latency_seconds: float | None = None

    @property
    def stats(self) -> LiveStats:
        """The figures as they are now."""
        return LiveStats(
            frames_sent=self._sent,
            frames_received=self._received,
            fps_received=self._fps(),
            latency_seconds=self._latency_seconds,
            bytes_sent=self._bytes_sent,
            bytes_received=self._bytes_received,
            frames_dropped=self._frames_dropped(),
        )

    def note_sent(self, pts: int | None) -> None:
        """Count a picture that is about to be sent."""
        self._sent += 1
        if pts is not None:
            self._sent_at[pts] = time.monotonic()
            if len(self._sent_at) > _REMEMBERED:
                self._sent_at.popitem(last=False)

    def note_received(self, pts: int | None) -> None:
        """Count a picture that came back."""
        now = time.monotonic()
        self._received += 1
        self._arrivals.append(now)
        self._forget_before(now - _WINDOW_SECONDS)
        sent_at = self._sent_at.get(pts) if pts is not None else None
        if sent_at is not None:
            self._latency_seconds = now - sent_at

    def note_bytes_sent(self, count: int) -> None:
        """Count bytes that were sent."""
        self._bytes_sent += count

    def note_bytes_received(self, count: int) -> None:
        """Count bytes that came."""
        self._bytes_received += count

    def _fps(self) -> float:
        self._forget_before(time.monotonic() - _WINDOW_SECONDS)
        if len(self._arrivals) < 2:
            return 0.0
        return (len(self._arrivals) - 1) / max(self._arrivals[-1] - self._arrivals[0], 1e-3)

    def _forget_before(self, moment: float) -> None:
        while self._arrivals and self._arrivals[0] < moment:
            self._arrivals.popleft()
