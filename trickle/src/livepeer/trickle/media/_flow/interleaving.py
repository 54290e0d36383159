"""Keeping audio in step with video that comes late."""

from collections import deque
from dataclasses import dataclass
from time import monotonic

from livepeer.trickle.media._codec.video_encoder import Encoded
from livepeer.trickle.media._frames import TICKS

_LONGEST_SECONDS = 0.3
"""How long audio waits at most (trickle, section 7)."""

_FRAME_TICKS = TICKS // 30


@dataclass(frozen=True, slots=True)
class Sound:
    """A piece of audio that waits."""

    unit: Encoded
    arrived: float | None
    until: float


class Interleaving:
    """Holds audio until the video that belongs to it was sent, or until it cannot wait any longer."""

    def __init__(self) -> None:
        self._sounds: deque[Sound] = deque()
        self._video_pts: int | None = None
        self.holds = False
        """Whether audio waits at all."""

    def sent(self, pts: int) -> None:
        """Note that a picture was sent."""
        self._video_pts = pts

    def put(self, unit: Encoded, arrived: float | None) -> None:
        """Add a piece of audio."""
        now = monotonic()
        self._sounds.append(Sound(unit, arrived, (now if arrived is None else arrived) + _LONGEST_SECONDS))

    def take(self, *, all_of_them: bool = False) -> Sound | None:
        """Return the next piece that need not wait any longer, if there is one.

        Args:
            all_of_them: Whether none waits any longer.
        """
        if not self._sounds:
            return None
        first = self._sounds[0]
        is_time = self._video_pts is not None and first.unit.pts <= self._video_pts + _FRAME_TICKS
        if self.holds and not all_of_them and not is_time and monotonic() < first.until:
            return None
        return self._sounds.popleft()

    def seconds_left(self, now: float) -> float:
        """Return how long the next piece waits at most."""
        return max(0.0, self._sounds[0].until - now) if self._sounds else _LONGEST_SECONDS
