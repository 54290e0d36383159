"""The encoder of video: H.264 without delay."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import av
from av.error import FFmpegError
from av.video.frame import PictureType

from livepeer.trickle.media._errors import UnsupportedCodecError
from livepeer.trickle.media._frames import Look, VideoFrame
from livepeer.trickle.media._settings import MediaSettings

from .contexts import EncodesVideo, Packet
from .decoders import TIME_BASE
from .pictures import PIXEL_FORMAT

_NVENC_PRESETS = {"ultrafast": "p1", "superfast": "p1", "veryfast": "p2", "faster": "p3", "fast": "p4", "medium": "p5"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Encoded:
    """A packet that an encoder made."""

    data: bytes
    """A whole access unit, or the payload of a piece of audio."""

    pts: int
    """In ticks of 1/90000 s."""

    dts: int
    """When it is decoded, in ticks of 1/90000 s."""

    is_keyframe: bool
    """Whether a decoder can begin with it."""


class VideoEncoder:
    """Encodes pictures of one size.

    Args:
        first: The first picture, or one like it; it says the size and how colours are read.
        settings: How.

    Raises:
        UnsupportedCodecError: The encoder cannot be opened; says why.
    """

    def __init__(self, first: VideoFrame, settings: MediaSettings) -> None:
        self.size = (first.width, first.height)
        self.look = first.look
        self._context = _open_any(first, settings)

    def fits(self, frame: VideoFrame) -> bool:
        """Whether a picture can be encoded with the ones before; one that does not say its look has theirs."""
        return self.size == (frame.width, frame.height) and frame.look in (self.look, Look())

    def encode(self, frame: VideoFrame, *, pts: int, is_keyframe: bool) -> list[Encoded]:
        """Encode a picture, which has to be in PIXEL_FORMAT.

        Args:
            frame: The picture.
            pts: Its timestamp; more than the one before.
            is_keyframe: Whether a decoder shall be able to begin with it.
        """
        picture = frame.frame
        picture.pts = pts
        picture.time_base = TIME_BASE
        # What the decoder says of the input's picture would be taken for a wish.
        picture.pict_type = PictureType.I if is_keyframe else PictureType.NONE
        return list(_wrap(self._context.encode(picture)))

    def finish(self) -> list[Encoded]:
        """Return what was kept back; nothing can be encoded after that."""
        return list(_wrap(self._context.encode(None)))


def _wrap(packets: Iterable[Packet]) -> Iterator[Encoded]:
    for packet in packets:
        pts = packet.pts or 0
        dts = pts if packet.dts is None else packet.dts
        yield Encoded(data=bytes(packet), pts=pts, dts=dts, is_keyframe=packet.is_keyframe)


def _open_any(first: VideoFrame, settings: MediaSettings) -> EncodesVideo:
    if settings.encoder != "auto":
        return _open(settings.encoder, first, settings)
    try:
        return _open("h264_nvenc", first, settings)
    except UnsupportedCodecError:
        return _open("libx264", first, settings)


def _open(name: str, first: VideoFrame, settings: MediaSettings) -> EncodesVideo:
    try:
        context = cast("av.VideoCodecContext", av.CodecContext.create(name, "w"))
        _configure(context, first, settings)
        context.options = _nvenc(settings) if name == "h264_nvenc" else _x264(settings)
        context.open()
    except (FFmpegError, ValueError, OverflowError) as error:
        why = error.strerror if isinstance(error, FFmpegError) else error
        size = f"{first.width}x{first.height}"
        raise UnsupportedCodecError(f"the encoder {name} cannot be opened here for {size}: {why}") from error
    return cast("EncodesVideo", context)


def _configure(context: av.VideoCodecContext, first: VideoFrame, settings: MediaSettings) -> None:
    rate = Fraction(settings.frame_rate or 30).limit_denominator(1001)
    context.width, context.height = first.width, first.height
    context.pix_fmt = PIXEL_FORMAT
    context.time_base = TIME_BASE
    context.framerate = rate
    context.gop_size = max(2, int(rate * 60))  # Keyframes come when they are asked for.
    context.max_b_frames = 0
    context.colorspace, context.color_range = first.look.colorspace, first.look.color_range
    context.color_primaries, context.color_trc = first.look.color_primaries, first.look.color_trc
    if settings.bitrate is not None:
        context.bit_rate = settings.bitrate


def _x264(settings: MediaSettings) -> dict[str, str]:
    options = {
        "preset": settings.preset,
        "tune": "zerolatency",
        "forced-idr": "1",
        "sc_threshold": "0",
        "threads": str(settings.encoder_threads or 2),
    }
    if settings.bitrate is None:
        return options | {"crf": "23"}
    return options | {"maxrate": str(settings.bitrate), "bufsize": str(settings.bitrate)}


def _nvenc(settings: MediaSettings) -> dict[str, str]:
    options = {
        "preset": _NVENC_PRESETS.get(settings.preset, "p4"),
        "tune": "ull",
        "zerolatency": "1",
        "delay": "0",
        "forced-idr": "1",
        "no-scenecut": "1",
    }
    if settings.bitrate is None:
        return options | {"rc": "constqp", "qp": "25"}
    return options | {"rc": "cbr", "bufsize": str(settings.bitrate)}
