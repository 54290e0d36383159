"""Frames that hooks make without an input, each sent when its time has come."""

from collections.abc import Callable, Iterator
from copy import copy
from typing import Any

from livepeer.trickle.media._errors import HookError
from livepeer.trickle.media._frames import AudioFrame, VideoFrame
from livepeer.trickle.media._settings import MediaHooks

from .timeline import Timeline

_LATE_SECONDS = 1.0
"""A generator that is later than this is not hurried any more: its clock is set anew."""

_LARGEST_PTS = 1 << 60

Frame = VideoFrame | AudioFrame

_END = object()


class _Source:
    """One generator, and the frame that it has ready."""

    def __init__(self, name: str, make: Callable[[], Iterator[Any]], kind: type[Frame]) -> None:
        self._name = name
        self._make = make
        self._kind = kind
        self._frames: Iterator[Any] | None = None
        self.frame: Frame | None = None

    def advance(self) -> bool:
        """Have the next frame made; return whether there is one."""
        try:
            if self._frames is None:
                self._frames = iter(self._make())
            frame = next(self._frames, _END)
        except Exception as error:
            raise HookError(f"{self._name} raised {type(error).__name__}: {error}") from error
        if frame is _END:
            return False
        if not isinstance(frame, self._kind):
            kind = self._kind.__name__
            raise HookError(f"{self._name} yielded {name_type(frame)}: yield {kind}(av_frame, pts=...)")
        check_frame(frame)
        self.frame = copy(frame)  # It is the generator's own, which may yield it again.
        return True

    def close(self) -> None:
        close = getattr(self._frames, "close", None)
        if close is not None:
            close()


class Generating:
    """Runs the generators on the hook thread; both keep to one clock, so that they stay in step.

    Args:
        hooks: Which there are.
    """

    def __init__(self, hooks: MediaHooks) -> None:
        self._sources: list[_Source] = []
        if hooks.generate_video is not None:
            self._sources.append(_Source("generate_video", hooks.generate_video, VideoFrame))
        if hooks.generate_audio is not None:
            self._sources.append(_Source("generate_audio", hooks.generate_audio, AudioFrame))
        self.is_over = not self._sources
        """Whether there are no frames any more."""

        self._timeline = Timeline()
        self._offset: float | None = None  # What makes a timestamp a time of the clock.

    def seconds_left(self, now: float) -> float | None:
        """Return how long it is until something is to be done; None if nothing ever is."""
        if self.is_over:
            return None
        return max(0.0, min(self._due(source, now) for source in self._sources) - now)

    def take(self, now: float) -> Frame | None:
        """Return a frame whose time has come, or have one made; None if that is all for now.

        Raises:
            HookError: A generator raised, or yielded something else.
        """
        for source in list(self._sources):
            if source.frame is None:
                self._advance(source)
            elif self._due(source, now) <= now:
                frame, source.frame = source.frame, None
                frame.arrived = now
                return frame
        return None

    def close(self) -> None:
        """Close the generators.

        Raises:
            HookError: One of them raised at that.
        """
        sources, self._sources = self._sources, []
        self.is_over = True
        for source in sources:
            try:
                source.close()
            except Exception as error:
                raise HookError(f"a generator raised {type(error).__name__} at its end: {error}") from error

    def _advance(self, source: _Source) -> None:
        if not source.advance():
            self._sources.remove(source)
            self.is_over = not self._sources
        elif source.frame is not None:
            frame = source.frame
            kind = "video" if isinstance(frame, VideoFrame) else "audio"
            # Only one that begins again is a jump: a frame far ahead is waited for.
            frame.pts += self._timeline.shift(kind, frame.pts, frame.seconds)

    def _due(self, source: _Source, now: float) -> float:
        if source.frame is None:
            return now
        if self._offset is None:
            self._offset = now - source.frame.seconds
        due = source.frame.seconds + self._offset
        if now - due > _LATE_SECONDS:
            self._offset += now - due
            return now
        return due


def check_frame(frame: Frame) -> None:
    """Check what a hook may have done to a frame, and make its timestamp a whole number.

    Raises:
        HookError: It cannot be sent; says what to change.
    """
    try:
        pts = round(frame.pts)
    except (TypeError, ValueError, OverflowError):
        pts = None
    if pts is None or abs(pts) > _LARGEST_PTS:
        raise HookError(f"the pts of a frame is a whole number of ticks of 1/90000 s, not {frame.pts!r}")
    frame.pts = pts
    if isinstance(frame, AudioFrame) and frame.sample_rate <= 0:
        raise HookError("a frame of audio has no sample rate: set the sample_rate of the av.AudioFrame")


def name_type(value: object) -> str:
    """Return the name of a value's type, with its module: PyAV's frames are called as ours are."""
    kind = type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__name__}"
