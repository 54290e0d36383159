"""Decoders: whole units in, frames out."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, cast

import av
from av.error import FFmpegError

from livepeer.trickle.media._errors import UnsupportedCodecError
from livepeer.trickle.media._frames import TICKS, AudioFrame, VideoFrame
from livepeer.trickle.media._ts import Track, Unit

from .contexts import DecodesAudio, DecodesVideo

TIME_BASE = Fraction(1, TICKS)

_THREADS = 2
"""How many slices of a picture are decoded at a time; more helps no picture of fewer slices."""

_REMEMBERED = 64
"""Of how many units the time of arrival is known, for decoders that put pictures into another order."""


class VideoDecoder:
    """Decodes video: each picture comes out with its own unit, unless the stream has B frames.

    Args:
        track: What is decoded.

    Raises:
        UnsupportedCodecError: FFmpeg cannot decode it.
    """

    def __init__(self, track: Track) -> None:
        context = _open(track)
        context.thread_type = "SLICE"  # Threads by frame would keep pictures back.
        context.thread_count = _THREADS
        self._context = cast("DecodesVideo", context)
        self._arrived: dict[int, float] = {}

    def decode(self, unit: Unit) -> list[VideoFrame]:
        """Return the pictures that a unit gives; those that are damaged have `.frame.is_corrupt`.

        Raises:
            FFmpegError: The unit is of no use; the next may go well.
        """
        if unit.pts is not None:
            self._arrived[unit.pts] = unit.arrived
        return [self._wrap(frame, unit) for frame in self._context.decode(to_packet(unit))]

    def restart(self) -> None:
        """Forget what came before."""
        self._context.flush_buffers()
        self._arrived.clear()

    def finish(self) -> list[VideoFrame]:
        """Return the pictures that were kept back; nothing can be decoded after that."""
        return [VideoFrame(frame, pts=frame.pts) for frame in self._context.decode(None) if frame.pts is not None]

    def _wrap(self, frame: av.VideoFrame, unit: Unit) -> VideoFrame:
        pts = frame.pts if frame.pts is not None else unit.pts or 0
        arrived = self._arrived.pop(pts, unit.arrived)
        while len(self._arrived) > _REMEMBERED:
            del self._arrived[next(iter(self._arrived))]
        return VideoFrame(frame, pts=pts, arrived=arrived)


class AudioDecoder:
    """Decodes audio; a unit may hold several frames.

    Args:
        track: What is decoded.

    Raises:
        UnsupportedCodecError: FFmpeg cannot decode it.
    """

    def __init__(self, track: Track) -> None:
        self._context = cast("DecodesAudio", _open(track))

    def decode(self, unit: Unit) -> list[AudioFrame]:
        """Return the frames that a unit gives.

        Raises:
            FFmpegError: The unit is of no use; the next may go well.
        """
        return list(self._frames(unit))

    def restart(self) -> None:
        """Forget what came before."""
        self._context.flush_buffers()

    def _frames(self, unit: Unit) -> Iterator[AudioFrame]:
        pts = unit.pts or 0
        for frame in self._context.decode(to_packet(unit)):
            # A packet of several frames has the timestamp of the first alone.
            yield AudioFrame(frame, pts=pts, arrived=unit.arrived)
            pts += frame.samples * TICKS // frame.sample_rate


def make_decoder(track: Track) -> VideoDecoder | AudioDecoder:
    """Return a decoder for a track.

    Raises:
        UnsupportedCodecError: FFmpeg cannot decode it.
    """
    return VideoDecoder(track) if track.kind == "video" else AudioDecoder(track)


def to_packet(unit: Unit) -> "av.Packet[Any]":
    """Return a unit as PyAV takes it."""
    packet: av.Packet[Any] = av.Packet(unit.data)
    packet.pts = unit.pts
    packet.dts = unit.dts
    packet.time_base = TIME_BASE
    return packet


def _open(track: Track) -> av.CodecContext:
    try:
        context = av.CodecContext.create(track.codec, "r")
        if track.extradata is not None:
            context.extradata = track.extradata
    except (FFmpegError, ValueError) as error:
        raise UnsupportedCodecError(f"{track.codec} cannot be decoded: {error}") from error
    return context
