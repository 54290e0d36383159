"""Media to the worker: transport streams, units of a file, and frames, as segments."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import IO, TypeAlias, cast

import anyio
import anyio.lowlevel
import anyio.to_thread
import av

from livepeer.client._errors import InputError
from livepeer.trickle.media import (
    AudioFrame,
    Clock,
    Cut,
    Demuxer,
    FileError,
    FileSource,
    FrameEncoder,
    MediaSettings,
    Muxer,
    Segmenter,
    Track,
    Unit,
    UnsupportedCodecError,
    VideoFrame,
)

from .beside import first_of, tasks_beside
from .events import EventLog
from .lines import Sink
from .meter import Meter

Frame: TypeAlias = VideoFrame | AudioFrame | av.VideoFrame | av.AudioFrame
Piece: TypeAlias = bytes | bytearray | memoryview | Frame | Unit
File: TypeAlias = str | Path | bytes | bytearray | memoryview | IO[bytes] | FileSource
Source: TypeAlias = File | Iterable[bytes | Frame] | AsyncIterable[bytes | Frame]

_TICKS = 90_000
_LONGEST_SEARCH_BYTES = 1 << 20
"""How much may come before the tables of a transport stream do."""


class LiveWriter:
    """Takes media for the worker, piece by piece; `LiveStream.publishing` gives it.

    Args:
        sink: Where the segments go.
        log: Says when the stream is over.
        meter: Counts.
        encoder: Encodes frames.
        tracks: What the units belong to.
        segment_seconds: How long a segment is.
    """

    def __init__(
        self,
        sink: Sink,
        log: EventLog,
        meter: Meter,
        *,
        encoder: FrameEncoder,
        tracks: Sequence[Track],
        segment_seconds: float,
    ) -> None:
        self._sink = sink
        self._log = log
        self._meter = meter
        self._encoder = encoder
        self._muxer = _make_muxer(tracks)
        self._kinds = {track.kind for track in tracks}
        self._segmenter = Segmenter(seconds=segment_seconds)
        self._counting = Demuxer()
        self._writing = anyio.Lock()
        self._unsent_bytes = 0
        self._has_sent = False

    async def write(self, piece: Piece) -> None:
        """Send bytes of MPEG-TS, or a frame; waits while too much waits for the network.

        Args:
            piece: Bytes may be cut anywhere. Frames of PyAV say themselves when they are shown. It is either the one or
                the other for the whole of a stream.

        Raises:
            InputError: It is neither, or a frame without a timestamp, or of a track that was not announced; or there
                is no MPEG-TS in many bytes.
            StreamOverError: The stream is over.
            LivepeerError: It cannot be sent.
        """
        async with self._writing:
            self._log.check()
            await self._send(self._segmenter.feed(await self._to_ts(piece)))
            self._check_unsent(_LONGEST_SEARCH_BYTES)

    @property
    def over(self) -> anyio.Event:
        """Set once the stream is over."""
        return self._log.over

    def check(self) -> None:
        """See that the stream goes on.

        Raises:
            StreamOverError: It is over.
            LivepeerError: It is out of reach.
        """
        self._log.check()

    async def finish(self) -> None:
        """Send what was kept back.

        Raises:
            InputError: All that was written was no MPEG-TS.
            LivepeerError: It cannot be sent.
        """
        async with self._writing:
            units = await anyio.to_thread.run_sync(self._encoder.finish)
            await self._send(self._segmenter.feed(b"".join(self._mux(unit) for unit in units)))
            await self._send(self._segmenter.finish())
            self._check_unsent(0)
            self._note(self._counting.end_segment())

    async def _to_ts(self, piece: Piece) -> bytes:
        match piece:
            case bytes() | bytearray() | memoryview():
                data = bytes(piece)
                self._note(self._counting.feed(data, 0.0))
                self._unsent_bytes += len(data)
                return data
            case Unit():
                return self._mux(piece)
            case VideoFrame() | AudioFrame() | av.VideoFrame() | av.AudioFrame():
                return await self._encode(_wrapped(piece))
            case _:
                raise InputError(f"media is bytes of MPEG-TS or a frame, not {type(piece).__name__}")

    def _note(self, units: Iterable[Unit]) -> None:
        for unit in units:
            if unit.track.kind == "video":
                self._meter.note_sent(unit.pts)

    async def _encode(self, frame: VideoFrame | AudioFrame) -> bytes:
        kind = "video" if isinstance(frame, VideoFrame) else "audio"
        if kind not in self._kinds:
            raise InputError(f"there is to be no {kind}: say {kind}=True where the publishing begins")
        try:
            units = await anyio.to_thread.run_sync(self._encoder.encode, frame)
        except UnsupportedCodecError as error:
            raise InputError(str(error)) from error
        return b"".join(self._mux(unit) for unit in units)

    def _mux(self, unit: Unit) -> bytes:
        self._note([unit])
        pts, dts = unit.pts or 0, unit.dts if unit.dts is not None else unit.pts or 0
        return self._muxer.write(unit.track.kind, unit.data, pts=pts, dts=dts, is_keyframe=unit.is_keyframe)

    def _check_unsent(self, most_bytes: int) -> None:
        if not self._has_sent and self._unsent_bytes > most_bytes:
            raise InputError("these bytes are no MPEG-TS: give a file as such, or pipe it through ffmpeg -f mpegts")

    async def _send(self, cuts: Iterable[Cut]) -> None:
        for cut in cuts:
            self._has_sent = True
            self._meter.note_bytes_sent(len(cut.data))
            await self._sink.write(cut.data, starts_segment=cut.starts_segment)


async def publish_all(
    writer: LiveWriter, pieces: Iterable[Piece] | AsyncIterable[Piece], *, until: anyio.Event
) -> None:
    """Send all that there is, or what there is until an event is set."""
    if not isinstance(pieces, AsyncIterable):
        for piece in pieces:
            if until.is_set():
                return
            await writer.write(piece)
            await anyio.lowlevel.checkpoint()
        return
    iterator = aiter(pieces)
    async with first_of(until, writer.over) as end:
        while taken := await _next_piece(iterator, end):
            await writer.write(taken[0])
    if taken is None and not until.is_set():
        writer.check()


async def publish_file(writer: LiveWriter, source: FileSource, *, realtime: bool, until: anyio.Event) -> None:
    """Send a file, or what comes of it until an event is set.

    Args:
        writer: Takes it.
        source: The file.
        realtime: Whether each unit waits until it is due.
        until: Ends it early.

    Raises:
        InputError: The file is damaged.
    """
    clock = Clock()
    async with first_of(until, writer.over) as end:
        while (unit := await _next_unit(source)) is not None:
            with anyio.move_on_after(clock.seconds_until(unit) if realtime else 0):
                await end.wait()
            if until.is_set():
                return
            await writer.write(unit)


async def open_file(source: Source, *, loop: bool, settings: MediaSettings | None) -> FileSource | None:
    """Open what is a file; None where it is something else.

    Raises:
        InputError: It cannot be read, has neither video nor audio, or is nothing that media can come from.
    """
    match source:
        case FileSource():
            return source
        case bytes() | bytearray() | memoryview():
            file: str | Path | IO[bytes] = BytesIO(source)
        case str() | Path():
            file = source
        case _ if hasattr(source, "read"):
            file = cast("IO[bytes]", source)
        case Iterable() | AsyncIterable():
            return None
        case _:
            raise InputError(f"media is a file, or an iterable of bytes or frames, not {type(source).__name__}")
    try:
        return await anyio.to_thread.run_sync(lambda: FileSource(file, loop=loop, settings=settings))
    except (FileError, UnsupportedCodecError) as error:
        raise InputError(str(error)) from error


async def _next_piece(pieces: AsyncIterator[Piece], until: anyio.Event) -> tuple[Piece] | tuple[()] | None:
    """Take a piece; nothing where there are no more, None where an event is set first."""

    async def end() -> None:
        await until.wait()
        tasks.cancel_scope.cancel()

    taken: tuple[Piece] | tuple[()] | None = None
    async with tasks_beside() as tasks:
        tasks.start_soon(end)
        try:
            taken = (await anext(pieces),)
        except StopAsyncIteration:
            taken = ()
        tasks.cancel_scope.cancel()
    return taken


async def _next_unit(source: FileSource) -> Unit | None:
    try:
        return await anyio.to_thread.run_sync(next, source, None)
    except (FileError, UnsupportedCodecError) as error:
        raise InputError(str(error)) from error


def _make_muxer(tracks: Sequence[Track]) -> Muxer:
    codecs = {track.kind: track.codec for track in tracks}
    channels = next((track.channels for track in tracks if track.kind == "audio"), None)
    return Muxer(video=codecs.get("video"), audio=codecs.get("audio"), audio_channels=channels or 2)


def _wrapped(frame: Frame) -> VideoFrame | AudioFrame:
    if isinstance(frame, VideoFrame | AudioFrame):
        return frame
    if frame.pts is None or frame.time_base is None:
        raise InputError("the frame says no time at which it is shown: set its pts and time_base")
    pts = int(frame.pts * frame.time_base * _TICKS)
    return VideoFrame(frame, pts=pts) if isinstance(frame, av.VideoFrame) else AudioFrame(frame, pts=pts)
