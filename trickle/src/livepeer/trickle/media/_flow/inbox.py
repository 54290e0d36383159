"""What waits for the hook thread: work, frames, and the end."""

import math
import threading
from collections import deque
from collections.abc import Callable
from statistics import median
from time import monotonic

from livepeer.trickle.media._frames import TICKS, AudioFrame, VideoFrame
from livepeer.trickle.media._reports import MediaEnd

_FULL = 8
"""How many pictures wait where none may be dropped, before the input waits."""

_MOST = 32
"""How many pictures are kept at most, however young they are."""

_AUDIO_PATIENCE = 4
"""By how much audio may be older than pictures before it is dropped: a gap is heard more than it is seen."""

_KEEPING_UP = 0.9
"""What part of a picture's time the hook may take to count as fast enough."""

Work = Callable[[], None]


class Inbox:
    """Hands over to the hook thread, and drops what is too old by then.

    Args:
        max_age_seconds: Older pictures are dropped, but never the newest. With infinity none is, and `put` waits.
        on_drop: Called with how many frames were dropped, and of which kind.
    """

    def __init__(self, *, max_age_seconds: float, on_drop: Callable[[str, int], None]) -> None:
        self._max_age_seconds = max_age_seconds
        self._on_drop = on_drop
        self._changed = threading.Condition()
        self._works: deque[Work] = deque()
        self._video: deque[VideoFrame] = deque()
        self._audio: deque[AudioFrame] = deque()
        self._end: MediaEnd | None = None
        self._takes = deque[float](maxlen=5)  # How long the hook took for a picture, in seconds.
        self._steps = deque[int](maxlen=5)  # How far apart the pictures are, in ticks.
        self._last_pts: int | None = None
        self._dropped: dict[str, int] = {}

    def post(self, work: Work) -> None:
        """Have something run before the next frame."""
        with self._changed:
            self._works.append(work)
            self._changed.notify_all()

    def put(self, frame: VideoFrame | AudioFrame) -> None:
        """Add a frame; waits only where none may be dropped."""
        with self._changed:
            if isinstance(frame, VideoFrame):
                while self._max_age_seconds == math.inf and len(self._video) >= _FULL and self._end is None:
                    self._changed.wait()
                self._note_step(frame.pts)
                self._video.append(frame)
            else:
                self._audio.append(frame)
            self._drop_old(monotonic())  # A hook that hangs asks for nothing.
            self._changed.notify_all()
        self._tell()

    def end(self, end: MediaEnd, *, at_once: bool) -> None:
        """Let nothing come after what is here.

        Args:
            end: What `get` returns then; the first one counts.
            at_once: Whether the frames that wait are given up.
        """
        with self._changed:
            self._end = self._end or end
            if at_once:
                self._video.clear()
                self._audio.clear()
            self._changed.notify_all()

    def took(self, seconds: float) -> None:
        """Note how long the hook was busy with a picture."""
        with self._changed:
            self._takes.append(seconds)

    def get(self, seconds: float | None) -> Work | VideoFrame | AudioFrame | MediaEnd | None:
        """Return what is next: work first, then the older of picture and audio, then the end; None if nothing comes.

        Args:
            seconds: How long to wait at most; None for as long as it takes.
        """
        deadline = None if seconds is None else monotonic() + seconds
        with self._changed:
            item = self._wait(deadline)
        self._tell()
        return item

    def get_work(self, seconds: float | None = None) -> Work | None:
        """Return the next work alone, which goes on after the end."""
        with self._changed:
            if not self._works:
                self._changed.wait(seconds)
            return self._works.popleft() if self._works else None

    def _wait(self, deadline: float | None) -> Work | VideoFrame | AudioFrame | MediaEnd | None:
        while (item := self._take()) is None:
            left = None if deadline is None else deadline - monotonic()
            if left is not None and left <= 0:
                return None
            self._changed.wait(left)
        if len(self._video) <= _FULL // 2:  # Whoever waits to put a picture then puts several at once.
            self._changed.notify_all()
        return item

    def _take(self) -> Work | VideoFrame | AudioFrame | MediaEnd | None:
        if self._works:
            return self._works.popleft()
        self._drop_old(monotonic())
        if self._audio and not (self._video and _is_before(self._video[0], self._audio[0])):
            return self._audio.popleft()
        if self._video:
            return self._video.popleft()
        return self._end

    def _tell(self) -> None:
        """Tell of what was dropped, without keeping anybody from the inbox meanwhile."""
        with self._changed:
            dropped, self._dropped = self._dropped, {}
        for kind, count in dropped.items():
            self._on_drop(kind, count)

    def _drop_old(self, now: float) -> None:
        if self._max_age_seconds == math.inf:
            return
        limit = self._max_age_seconds if self._keeps_up() else -math.inf
        self._drop(self._video, "video", now - limit)
        self._drop(self._audio, "audio", now - _AUDIO_PATIENCE * self._max_age_seconds)

    def _drop(self, frames: deque[VideoFrame] | deque[AudioFrame], kind: str, earliest: float) -> None:
        most = _MOST if kind == "video" else math.inf
        while len(frames) > 1 and ((frames[0].arrived or math.inf) < earliest or len(frames) > most):
            frames.popleft()
            self._dropped[kind] = self._dropped.get(kind, 0) + 1

    def _keeps_up(self) -> bool:
        """Whether the hook is as fast as the pictures come; one slow call does not count."""
        if self._max_age_seconds == math.inf or len(self._takes) < 3 or not self._steps:
            return True
        return median(self._takes) <= _KEEPING_UP * median(self._steps) / TICKS

    def _note_step(self, pts: int) -> None:
        if self._last_pts is not None and pts > self._last_pts:
            self._steps.append(pts - self._last_pts)
        self._last_pts = pts


def _is_before(video: VideoFrame, audio: AudioFrame) -> bool:
    return (video.arrived or 0.0) < (audio.arrived or 0.0)
