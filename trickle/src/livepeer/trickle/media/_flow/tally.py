"""Counting what becomes of a stream: each number is changed by one thread at a time, and read by any."""

from collections import deque
from time import monotonic

from livepeer.trickle.media._reports import MediaStats

_WINDOW_SECONDS = 3.0


class Rate:
    """How often something happens a second, over the last seconds."""

    def __init__(self) -> None:
        self._times: deque[float] = deque(maxlen=1024)

    def count(self, now: float) -> None:
        """Note that it happens."""
        self._times.append(now)

    def value(self, now: float) -> float:
        """Return how often it happened a second."""
        times = list(self._times)  # Another thread may append.
        recent = [each for each in times if now - each <= _WINDOW_SECONDS]
        if len(recent) < 2:
            return 0.0
        return (len(recent) - 1) / max(recent[-1] - recent[0], now - recent[0] - 1.0, 1e-6)


class Tally:
    """What was counted of one stream."""

    def __init__(self) -> None:
        self.frames_in = self.frames_out = self.frames_dropped = 0
        self.audio_frames_in = self.audio_frames_out = 0
        self.hook_errors = self.corrupt_packets = self.lost_segments = 0
        self.latency_seconds: float | None = None
        self.last_input: float | None = None
        self.last_output: float | None = None
        self._rate_in = Rate()
        self._rate_out = Rate()
        self._sends_video = False

    def came(self, kind: str, now: float) -> None:
        """Note a picture, or a piece of audio, that came in."""
        self.last_input = now
        if kind == "video":
            self.frames_in += 1
            self._rate_in.count(now)
        else:
            self.audio_frames_in += 1

    def sent(self, kind: str, arrived: float | None, now: float) -> None:
        """Note a picture, or a piece of audio, that was sent."""
        self.last_output = now
        if kind == "video":
            self.frames_out += 1
            self._rate_out.count(now)
            self._sends_video = True
        else:
            self.audio_frames_out += 1
        if arrived is not None and (kind == "video" or not self._sends_video):
            self.latency_seconds = now - arrived

    @property
    def stats(self) -> MediaStats:
        """What was counted so far."""
        now = monotonic()
        return MediaStats(
            frames_in=self.frames_in,
            frames_out=self.frames_out,
            frames_dropped=self.frames_dropped,
            audio_frames_in=self.audio_frames_in,
            audio_frames_out=self.audio_frames_out,
            hook_errors=self.hook_errors,
            corrupt_packets=self.corrupt_packets,
            lost_segments=self.lost_segments,
            fps_in=self._rate_in.value(now),
            fps_out=self._rate_out.value(now),
            latency_seconds=self.latency_seconds,
            last_input=self.last_input,
            last_output=self.last_output,
        )
