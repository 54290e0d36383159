"""Measures how loud a live stream is: its level, and its silences, each as a line of data."""

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from livepeer.runner import LivePipeline, serve
from livepeer.runner.frames import AudioFrame

FLOOR_DBFS = -120.0


class Measuring(BaseModel, extra="forbid"):
    """What is told, and what counts as silence."""

    interval_seconds: float = Field(default=0.5, gt=0)
    silence_dbfs: float = Field(default=-50.0, ge=FLOOR_DBFS, le=0)
    silence_seconds: float = Field(default=0.5, ge=0)


class Meter:
    """Adds samples up to a level."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._squares = 0.0
        self._peak = 0.0
        self._count = 0

    def add(self, samples: NDArray[np.float32]) -> float:
        """Take samples; returns their own level."""
        squares = float(np.sum(samples.astype(np.float64) ** 2))
        self._squares += squares
        self._count += samples.size
        self._peak = max(self._peak, float(np.max(np.abs(samples))))
        return dbfs(math.sqrt(squares / samples.size))

    def level(self) -> dict[str, float | str]:
        """What was measured."""
        rms = math.sqrt(self._squares / self._count)
        return {"type": "level", "seconds": self.seconds, "rms_dbfs": dbfs(rms), "peak_dbfs": dbfs(self._peak)}


class LiveLoudness(LivePipeline):
    """Tells how loud audio is, and when it falls silent."""

    version = "1.0.0"
    params = Measuring

    def on_stream_start(self, params: Measuring) -> None:
        """Begin with nothing heard."""
        self.meter: Meter | None = None
        self.quiet_since: float | None = None
        self.is_silent = False

    def process_audio(self, frame: AudioFrame) -> AudioFrame:
        """Measure, and pass on what was heard."""
        now = round(frame.seconds, 3)
        if self.meter is not None and now - self.meter.seconds >= self.current_params.interval_seconds:
            self.emit_data(self.meter.level())
            self.meter = None
        self.meter = self.meter or Meter(now)
        self.follow_silence(now, self.meter.add(frame.to_ndarray()))
        return frame

    def on_stream_stop(self) -> None:
        """Tell the rest."""
        if self.meter is not None:
            self.emit_data(self.meter.level())

    def follow_silence(self, now: float, level: float) -> None:
        """Emit when silence begins, once it has lasted, and when it ends."""
        if level >= self.current_params.silence_dbfs:
            if self.is_silent:
                self.emit_data({"type": "silence_ended", "seconds": now})
            self.quiet_since, self.is_silent = None, False
            return
        if self.quiet_since is None:
            self.quiet_since = now
        if not self.is_silent and now - self.quiet_since >= self.current_params.silence_seconds:
            self.is_silent = True
            self.emit_data({"type": "silence_began", "seconds": self.quiet_since})


def dbfs(amplitude: float) -> float:
    """An amplitude in decibels of full scale."""
    return round(max(FLOOR_DBFS, 20 * math.log10(max(amplitude, 1e-9))), 2)


if __name__ == "__main__":
    serve(LiveLoudness)
