"""The output: access units in, segments of MPEG-TS out."""

from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic

from livepeer.trickle._errors import SegmentError
from livepeer.trickle._publish.publisher import Publisher, SegmentWriter
from livepeer.trickle.media._codec.video_encoder import Encoded
from livepeer.trickle.media._frames import TICKS
from livepeer.trickle.media._settings import MediaSettings
from livepeer.trickle.media._ts import Kind, Muxer

from .outbox import Layout

_EARLY = 0.75
"""What part of a segment's length has to be there before a keyframe of the input ends it."""

_LATE = 2.0
"""How many times its length a segment may last, by the clock, before it ends without a keyframe."""

BUFFERED_BYTES = 4 << 20
"""What may wait for the network: more than the largest keyframe."""

_JOINED_BYTES = 64 << 10
"""How much that was written goes to the network in one piece at most."""


@dataclass(slots=True)
class _Open:
    """The segment that is written."""

    writer: SegmentWriter
    pts: int
    began: float
    waiting: list[bytes] = field(default_factory=list[bytes])
    waiting_bytes: int = 0


class Outlet:
    """Muxes and publishes, and cuts segments at keyframes; `flush` sends what was written.

    Args:
        publisher: Of the channel; it is started and closed with this.
        settings: How long a segment is.
    """

    def __init__(self, publisher: Publisher, settings: MediaSettings) -> None:
        self._publisher = publisher
        self._seconds = settings.segment_seconds
        self._layout = Layout()
        self._muxer: Muxer | None = None
        self._open: _Open | None = None
        self._last_dts: dict[str, int] = {}

    def start(self) -> None:
        """Begin to publish.

        Raises:
            TrickleError: The channel cannot be opened.
        """
        self._publisher.start()

    @property
    def layout(self) -> Layout:
        """Which tracks are sent."""
        return self._layout

    def lay_out(self, layout: Layout) -> None:
        """Send other tracks from the next unit on."""
        before, self._layout = self._layout, layout
        says_channels = "opus" in (before.audio, layout.audio)
        is_other = says_channels and before.channels != layout.channels
        if is_other or (before.video, before.audio) != (layout.video, layout.audio):
            self._muxer = None

    def is_due(self, pts: int) -> bool:
        """Whether a picture has to be a keyframe, for a segment to begin with it."""
        if self._open is None or self._muxer is None:
            return True
        ticks = pts - self._open.pts
        return ticks >= self._seconds * TICKS - 90 or monotonic() - self._open.began >= 1.5 * self._seconds

    def write(self, kind: Kind, unit: Encoded) -> None:
        """Write a unit.

        Raises:
            TrickleError: The channel cannot be written any more.
        """
        dts = max(unit.dts, self._last_dts.get(kind, unit.dts - 1) + 1)
        self._last_dts[kind] = dts
        begins = self._begins(kind, unit)
        if self._muxer is None:
            layout = self._layout
            self._muxer = Muxer(video=layout.video, audio=layout.audio, audio_channels=layout.channels)
        if begins:
            self._muxer.start_segment()
        data = self._muxer.write(kind, unit.data, pts=max(unit.pts, dts), dts=dts, is_keyframe=unit.is_keyframe)
        self.send(data, begins=begins, pts=unit.pts)

    def send(self, data: bytes, *, begins: bool, pts: int = 0) -> None:
        """Write bytes as they are.

        Args:
            data: At least one byte.
            begins: Whether a segment begins with them.
            pts: Their timestamp.

        Raises:
            TrickleError: The channel cannot be written any more.
        """
        if begins or self._open is None:
            self._begin_segment(pts)
        segment = self._open
        if segment is not None:
            segment.waiting.append(data)
            segment.waiting_bytes += len(data)
            if segment.waiting_bytes >= _JOINED_BYTES:
                self.flush()

    def flush(self) -> None:
        """Send what was written.

        Raises:
            TrickleError: The channel cannot be written any more.
        """
        segment = self._open
        if segment is None or not segment.waiting:
            return
        data = b"".join(segment.waiting)
        segment.waiting.clear()
        segment.waiting_bytes = 0
        try:
            segment.writer.write(data)
        except SegmentError:
            self._open = None  # It was lost, as its outcome says.

    def end_segment(self) -> None:
        """End the segment that is written, if one is."""
        self.flush()
        segment, self._open = self._open, None
        if segment is not None:
            with suppress(SegmentError):  # Its outcome says that.
                segment.writer.end()

    def poll(self) -> None:
        """Do what is due while nothing is sent.

        Raises:
            TrickleError: The channel cannot be written any more.
        """
        if self._open is not None and monotonic() - self._open.began > _LATE * self._seconds:
            self.end_segment()
        self._publisher.poll()

    def close(self, timeout_seconds: float) -> None:
        """End the segment, wait for acknowledgements, and close the publisher."""
        try:
            self.flush()
        finally:
            self._open = None
            self._publisher.close(timeout_seconds)

    def _begin_segment(self, pts: int) -> None:
        self.flush()
        try:
            self._open = _Open(writer=self._publisher.segment(), pts=pts, began=monotonic())
        except SegmentError:
            self._open = None

    def _begins(self, kind: Kind, unit: Encoded) -> bool:
        if self._open is None or self._muxer is None:
            return True
        elapsed = (unit.pts - self._open.pts) / TICKS
        if kind == "video" and unit.is_keyframe:
            return not self._layout.video_is_copied or not 0 <= elapsed < _EARLY * self._seconds
        if self._layout.video is None:
            return not 0 <= elapsed < self._seconds
        return not self._layout.video_is_copied and monotonic() - self._open.began > _LATE * self._seconds
