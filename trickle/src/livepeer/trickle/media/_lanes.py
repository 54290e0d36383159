"""What becomes of one stream of a file: its packets are copied, or decoded and encoded anew."""

import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Protocol

import av
from av.bitstream import BitStreamFilterContext
from av.packet import Packet

from ._frames import TICKS, AudioFrame, VideoFrame
from ._settings import MediaSettings
from ._ts import Track, Unit, adts_header
from ._turning import Turner
from ._units import FrameEncoder

_VIDEO_PID, _AUDIO_PID = 0x100, 0x101

_UNTIMED = ("avi", "asf")
"""Of files that say when a picture is decoded, and not when it is shown: FFmpeg guesses, and is wrong for H.264."""


class Lane(Protocol):
    """Turns the packets of one stream of a file into units."""

    track: Track
    """What the units belong to."""

    stream: Any
    """The stream, as PyAV has it."""

    def take(self, packet: "Packet[Any]") -> Iterator[Unit]:
        """Give the units that a packet completes."""
        ...

    def finish(self) -> Iterator[Unit]:
        """Give what was kept back, at the end of the file."""
        ...


class CopyLane:
    """Copies H.264, AAC or Opus, from the first keyframe on.

    Args:
        stream: Of the file.
        track: What the units belong to.
        origin: What is taken from its timestamps, in ticks.
    """

    def __init__(self, stream: Any, track: Track, origin: int) -> None:
        self.stream = stream
        self.track = track
        self._origin = origin
        self._filter: Any = BitStreamFilterContext("h264_mp4toannexb", stream) if track.kind == "video" else None
        self._asc: bytes | None = stream.codec_context.extradata if track.codec == "aac" else None
        self._begun = track.kind == "audio"
        self._first_pts: int | None = None
        self._undated = 0

    def take(self, packet: "Packet[Any]") -> Iterator[Unit]:
        """Give the packet as a unit."""
        for part in self._filter.filter(packet) if self._filter is not None else [packet]:
            self._begun = self._begun or part.is_keyframe
            unit = self._unit(part) if part.size and self._begun else None
            if unit is not None:
                yield unit

    def finish(self) -> Iterator[Unit]:
        """Give nothing: no packet is kept back."""
        yield from ()

    def _unit(self, packet: "Packet[Any]") -> Unit | None:
        pts = packet.pts if packet.pts is not None else packet.dts
        if pts is None:
            return None
        dts = packet.dts if packet.dts is not None else self._guess_dts(packet, pts)
        data = bytes(packet)
        if self._asc:
            data = adts_header(self._asc, len(data)) + data
        base = packet.time_base
        return Unit(
            track=self.track,
            data=data,
            pts=_ticks(pts, base) - self._origin,
            dts=_ticks(dts, base) - self._origin,
            is_keyframe=packet.is_keyframe or self.track.kind == "audio",
            is_broken=False,
            arrived=time.monotonic(),
        )

    def _guess_dts(self, packet: "Packet[Any]", pts: int) -> int:
        """When a packet is decoded that does not say, as the first ones of Matroska: each is, before any is shown."""
        if self.track.kind == "audio":
            return pts
        if self._first_pts is None:
            self._first_pts = pts
        self._undated += 1
        return self._first_pts - (packet.duration or 1) // self._undated


class EncodeLane:
    """Decodes whatever else there is, and encodes it.

    Args:
        stream: Of the file.
        origin: What is taken from its timestamps, in ticks.
        settings: How it is encoded.
        turn: By how many degrees pictures are turned, against the clock.
        is_untimed: Whether the file does not say when pictures are shown: each is, when the decoder gives it.
    """

    def __init__(
        self, stream: Any, origin: int, settings: MediaSettings, *, turn: int = 0, is_untimed: bool = False
    ) -> None:
        self.stream = stream
        self._origin = origin
        self._is_untimed = is_untimed
        self._next_dts: int | None = None
        channels = 1 if stream.type == "audio" and stream.codec_context.layout.nb_channels == 1 else 2
        self._encoder = FrameEncoder(settings, channels=channels)
        self._turner = Turner(turn) if turn else None
        self.track = self._encoder.video_track if stream.type == "video" else self._encoder.audio_track

    def take(self, packet: "Packet[Any]") -> Iterator[Unit]:
        """Give what the packet's frames are encoded to."""
        for frame in packet.decode():
            shown = self._decoded_at(frame) if self._is_untimed else frame.pts
            if shown is None or frame.time_base is None:
                continue
            pts = _ticks(shown, frame.time_base) - self._origin
            yield from self._encoder.encode(self._wrap(frame, pts))

    def finish(self) -> Iterator[Unit]:
        """Give what the encoder has kept back."""
        yield from self._encoder.finish()

    def _decoded_at(self, frame: Any) -> int | None:
        dts = frame.dts if frame.dts is not None else self._next_dts  # The last ones come with no packet, and no time.
        self._next_dts = None if dts is None else dts + frame.duration
        return dts

    def _wrap(self, frame: Any, pts: int) -> VideoFrame | AudioFrame:
        if not isinstance(frame, av.VideoFrame):
            return AudioFrame(frame, pts=pts)
        return VideoFrame(self._turner.turn(frame) if self._turner is not None else frame, pts=pts)


def make_lane(stream: Any, origin: int, settings: MediaSettings, *, turn: int = 0) -> Lane:
    """Choose what becomes of a stream; `origin` is taken from its timestamps, `turn` is for its pictures."""
    context = stream.codec_context
    if stream.type == "video" and turn:
        return EncodeLane(stream, origin, settings, turn=turn)
    if stream.type == "video" and context.name == "h264":
        if context.has_b_frames and stream.container.format.name in _UNTIMED:
            return EncodeLane(stream, origin, settings, is_untimed=True)
        return CopyLane(stream, Track(pid=_VIDEO_PID, kind="video", codec="h264"), origin)
    if stream.type == "audio" and _is_copied(context):
        channels = context.layout.nb_channels
        extradata = context.extradata if context.name.endswith("opus") else None
        codec = "aac" if context.name.startswith("aac") else "opus"
        track = Track(pid=_AUDIO_PID, kind="audio", codec=codec, extradata=extradata, channels=channels)
        return CopyLane(stream, track, origin)
    return EncodeLane(stream, origin, settings)


def _is_copied(context: Any) -> bool:
    if context.name in ("opus", "libopus"):
        return context.layout.nb_channels <= 2
    if context.name != "aac":
        return False
    try:
        return not context.extradata or bool(adts_header(context.extradata, 1))
    except ValueError:
        return False  # a kind of AAC that ADTS has no code for


def _ticks(count: int, base: Fraction) -> int:
    return count * base.numerator * TICKS // base.denominator
