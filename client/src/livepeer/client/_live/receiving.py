"""Media from the worker, as bytes, units or frames."""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio.to_thread

from livepeer.client._errors import ProtocolError
from livepeer.trickle.media import AudioFrame, Demuxer, FrameDecoder, Unit, UnsupportedCodecError, VideoFrame

from .lines import Part
from .meter import Meter


async def read_bytes(parts: AsyncGenerator[Part], meter: Meter) -> AsyncGenerator[bytes]:
    """Give the stream as it is, and count its pictures on the way."""
    reading = _Reading(meter)
    async with aclosing(parts):
        async for part in parts:
            reading.take(part)
            if part.data:
                yield part.data


async def read_units(parts: AsyncGenerator[Part], meter: Meter) -> AsyncGenerator[Unit]:
    """Give whole units, each as soon as it is complete."""
    reading = _Reading(meter)
    async with aclosing(parts):
        async for part in parts:
            for unit in reading.take(part):
                yield unit


async def read_frames(parts: AsyncGenerator[Part], meter: Meter) -> AsyncGenerator[VideoFrame | AudioFrame]:
    """Give decoded frames.

    Raises:
        ProtocolError: A track is of a kind that cannot be decoded here.
    """
    reading, decoder = _Reading(meter), FrameDecoder()
    async with aclosing(parts):
        async for part in parts:
            if part.is_gap:
                decoder.restart()
            for unit in reading.take(part):
                try:
                    frames = await anyio.to_thread.run_sync(decoder.decode, unit)
                except UnsupportedCodecError as error:
                    raise ProtocolError(f"the worker's media cannot be decoded: {error}") from error
                for frame in frames:
                    yield frame
    for frame in await anyio.to_thread.run_sync(decoder.finish):
        yield frame


class _Reading:
    """Takes a transport stream apart, and counts."""

    def __init__(self, meter: Meter) -> None:
        self._demuxer = Demuxer()
        self._meter = meter

    def take(self, part: Part) -> list[Unit]:
        """Return the units that a part completes."""
        if part.is_gap:
            self._demuxer.restart()
            return []
        if part.ends_segment:
            units = self._demuxer.end_segment()
        elif part.is_silent:
            units = self._demuxer.idle()
        else:
            self._meter.note_bytes_received(len(part.data))
            units = self._demuxer.feed(part.data, time.monotonic())
        for unit in units:
            if unit.track.kind == "video":
                self._meter.note_received(unit.pts)
        return units
