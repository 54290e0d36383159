"""What waits for the thread that encodes and sends."""

import threading
from collections import deque
from dataclasses import dataclass
from time import monotonic

from livepeer.trickle.media._frames import AudioFrame, VideoFrame
from livepeer.trickle.media._ts import Unit

_FRAMES = 2
"""How many pictures may wait to be encoded; the hook waits then, and its own inbox drops what gets too old."""

_COPIED_BYTES = 16 << 20
"""How much that is copied may wait while the server is out of reach; what is newer is left out then."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """Which tracks are sent, and how they come about."""

    video: str | None = None
    """The codec of the video."""

    audio: str | None = None
    """The codec of the audio."""

    channels: int = 2
    """How many channels the audio has."""

    video_is_copied: bool = False
    """Whether the video is the input's own."""

    video_is_hooked: bool = False
    """Whether the video goes through a hook, so that audio may have to wait for it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """Some bytes of the input, to be relayed as they are."""

    data: bytes
    begins: bool
    """Whether a segment begins with them."""
    arrived: float


@dataclass(frozen=True, slots=True)
class Farewell:
    """The end: nothing comes after it."""


Outgoing = Layout | VideoFrame | AudioFrame | Unit | Piece | Farewell


class Outbox:
    """Hands over to the sending thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._items: deque[Outgoing] = deque()
        self._frames = 0
        self._copied_bytes = 0
        self._closed = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits at this moment."""
        return not self._items

    def put(self, item: Outgoing) -> None:
        """Add something other than a frame; never waits."""
        with self._changed:
            if isinstance(item, Unit | Piece):
                if self._copied_bytes >= _COPIED_BYTES:
                    return
                self._copied_bytes += len(item.data)
            self._items.append(item)
            self._changed.notify_all()

    def put_frame(self, frame: VideoFrame | AudioFrame) -> None:
        """Add a frame; waits while too many pictures are not encoded yet."""
        with self._changed:
            while self._frames >= _FRAMES and not self._closed:
                self._changed.wait()
            self._frames += isinstance(frame, VideoFrame)
            self._items.append(frame)
            self._changed.notify_all()

    def get(self, seconds: float) -> Outgoing | None:
        """Return what is next, or None if nothing comes in time."""
        deadline = monotonic() + seconds
        with self._changed:
            while not self._items:
                left = deadline - monotonic()
                if left <= 0 or not self._changed.wait(left):
                    return None
            item = self._items.popleft()
            if isinstance(item, VideoFrame):
                self._frames -= 1
                self._changed.notify_all()
            elif isinstance(item, Unit | Piece):
                self._copied_bytes -= len(item.data)
            return item

    def close(self) -> None:
        """Let nobody wait any more: nothing is taken out from now on."""
        with self._changed:
            self._closed = True
            self._items.clear()
            self._changed.notify_all()
