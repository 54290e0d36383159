"""A live stream, as its caller holds it."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import anyio

from livepeer.client._errors import SettingsError
from livepeer.client._exchange import Exchange
from livepeer.client._inputs import encode_json

from .events import EventLog
from .lines import Lines, Start
from .live_routes import LiveRoute
from .meter import LiveStats, Meter

if TYPE_CHECKING:
    from livepeer.trickle.media import AudioFrame, MediaSettings, Track, Unit, VideoFrame

    from .publishing import LiveWriter, Piece, Source


class LiveStream:
    """A stream at a worker: media, messages and data, both ways, until the ``async with`` that gave it ends.

    Its methods can be used from several tasks at once: one publishes while another subscribes. An iterator that is
    left early should be closed with ``aclose()``; all of them are when the stream is left.

    Attributes:
        stream_id: The network's id of it.
        orchestrator_url: Base URL of the orchestrator; None behind a gateway.
    """

    def __init__(
        self,
        stream_id: str,
        route: LiveRoute,
        lines: Lines,
        log: EventLog,
        send: Callable[[Exchange[Any]], Awaitable[Any]],
    ) -> None:
        self.stream_id = stream_id
        self.orchestrator_url = route.orchestrator_url
        self._route = route
        self._lines = lines
        self._log = log
        self._send = send
        self._meter = Meter(self._frames_dropped)

    @property
    def status(self) -> Mapping[str, Any] | None:
        """The worker's newest status, with `state`, `fps_in`, `fps_out` and others; None before the first."""
        return self._log.status

    @property
    def stats(self) -> LiveStats:
        """What was carried so far."""
        return self._meter.stats

    @property
    def is_over(self) -> bool:
        """Whether the worker has ended the stream, or is out of reach; leave it then."""
        return self._log.over.is_set()

    @property
    def end_reason(self) -> str | None:
        """Why the worker has ended it, such as ``"input_ended"``; None where it has not, or not said why."""
        reason = (self.status or {}).get("reason") if self._log.has_ended else None
        return reason if isinstance(reason, str) else None

    async def wait_over(self) -> None:
        """Wait until the stream is over.

        Raises:
            LivepeerError: The worker's reports cannot be had any more, or it is not paid any more.
        """
        await self._log.over.wait()
        unpaid = self._route.payment_failure if not self._log.has_ended else None
        if failure := self._log.failure or unpaid:
            raise failure

    @asynccontextmanager
    async def publishing(
        self,
        *,
        video: bool = True,
        audio: bool = False,
        channels: int = 2,
        settings: "MediaSettings | None" = None,
        ends_input: bool = True,
    ) -> "AsyncGenerator[LiveWriter]":
        """Send media piece by piece: ``await writer.write(piece)``, with frames or bytes of MPEG-TS.

        Args:
            video: Whether pictures are written; frames are `VideoFrame` of livepeer.trickle.media, or PyAV's.
            audio: Whether audio frames are written.
            channels: Of the audio: 1 or 2.
            settings: How frames are encoded, and how long a segment is.
            ends_input: Whether the stream's input is over afterwards; the worker then ends the stream.

        Raises:
            SettingsError: The stream takes no media.
            LivepeerError: It cannot be sent.
        """
        from livepeer.trickle.media import FrameEncoder

        encoder = FrameEncoder(settings, channels=channels)
        tracks = [encoder.video_track] * video + [encoder.audio_track] * audio
        async with self._writer(encoder, tracks, settings, ends_input=ends_input) as writer:
            yield writer

    async def publish(
        self,
        source: "Source",
        *,
        loop: bool = False,
        realtime: bool = True,
        audio: bool = False,
        settings: "MediaSettings | None" = None,
        ends_input: bool = True,
        until: anyio.Event | None = None,
    ) -> None:
        """Send media to its end.

        Args:
            source: A file of any format that FFmpeg knows: its path, its bytes, or a binary file; H.264, AAC and Opus
                are sent as they are. Or an iterable, asynchronous or not, of bytes of MPEG-TS or of frames.
            loop: Whether a file begins again at its end.
            realtime: Whether a file is sent as fast as it plays. An iterable sets its own pace; if that means to wait,
                it should be asynchronous.
            audio: Whether there are audio frames among an iterable's frames.
            settings: How frames are encoded, and how long a segment is.
            ends_input: Whether the stream's input is over afterwards; the worker then ends the stream.
            until: Ends it early once it is set, as if there were no more.

        Raises:
            InputError: The file cannot be read, or what comes is no media.
            StreamOverError: The stream has ended meanwhile.
            LivepeerError: It cannot be sent.
        """
        from livepeer.trickle.media import FrameEncoder

        from .publishing import open_file, publish_all, publish_file

        until = until or anyio.Event()
        file = await open_file(source, loop=loop, settings=settings)
        if file is None:
            async with self.publishing(audio=audio, settings=settings, ends_input=ends_input) as writer:
                await publish_all(writer, cast("Iterable[Piece] | AsyncIterable[Piece]", source), until=until)
            return
        try:
            async with self._writer(FrameEncoder(settings), file.tracks, settings, ends_input=ends_input) as writer:
                await publish_file(writer, file, realtime=realtime, until=until)
        finally:
            if file is not source:
                file.close()

    @overload
    def subscribe(
        self, kind: Literal["frames"] = "frames", *, start: Start = "current"
    ) -> "AsyncGenerator[VideoFrame | AudioFrame]": ...
    @overload
    def subscribe(self, kind: Literal["packets"], *, start: Start = "current") -> "AsyncGenerator[Unit]": ...
    @overload
    def subscribe(self, kind: Literal["bytes"], *, start: Start = "current") -> AsyncGenerator[bytes]: ...
    def subscribe(
        self, kind: Literal["frames", "packets", "bytes"] = "frames", *, start: Start = "current"
    ) -> AsyncGenerator[Any]:
        """Take the worker's media until it is over.

        It may begin before there is any. Whoever reads too slowly misses segments, and publishing goes on meanwhile.

        Args:
            kind: Decoded ``"frames"`` of livepeer.trickle.media, whole encoded ``"packets"``, or the MPEG-TS itself as
                ``"bytes"``.
            start: Which segment comes first where some are there already: the newest by default.

        Raises:
            SettingsError: The stream gives no media, or it is no such kind.
            LivepeerError: It cannot be had.
        """
        from .receiving import read_bytes, read_frames, read_units

        parts = self._lines.parts(start)
        match kind:
            case "frames":
                return read_frames(parts, self._meter)
            case "packets":
                return read_units(parts, self._meter)
            case "bytes":
                return read_bytes(parts, self._meter)
        raise SettingsError(f"kind is {kind!r}: give frames, packets or bytes")

    async def control(self, message: object) -> None:
        """Send a message to the worker: whatever has a JSON form.

        Raises:
            InputError: It has none.
            SettingsError: There is no way for messages, as through a gateway.
            StreamOverError: The stream is over.
        """
        await self._lines.tell(encode_json(message, "message"))

    def events(self) -> AsyncGenerator[Mapping[str, Any]]:
        """Take what the worker reports, from its first report on, until the stream is over.

        Each has a `type`: ``"status"``, ``"error"``, and others of the worker's own. Through a gateway there are only
        status reports.
        """
        return self._log.read()

    def data(self) -> AsyncGenerator[Any]:
        """Take what the worker sends as data, decoded, until it is over.

        Raises:
            SettingsError: The stream has no data.
            LivepeerError: It cannot be had.
        """
        return self._lines.data()

    async def update(self, params: object) -> Any:
        """Give the worker other params, and return what it answers.

        Raises:
            InputError: They have no JSON form.
            RefusedError: They do not fit; `fields` says what is wrong, and the old ones stay.
            LivepeerError: They did not arrive.
        """
        return await self._send(self._route.update(encode_json(params, "params").decode()))

    async def stop(self) -> None:
        """Have the worker end the stream; what it has made until then can still be read. Once more does nothing."""
        await self._send(self._route.end())

    @asynccontextmanager
    async def _writer(
        self,
        encoder: Any,
        tracks: "list[Track] | tuple[Track, ...]",
        settings: "MediaSettings | None",
        *,
        ends_input: bool,
    ) -> "AsyncGenerator[LiveWriter]":
        from .publishing import LiveWriter

        seconds = settings.segment_seconds if settings is not None else 1.0
        async with self._lines.sink(ends_input=ends_input) as sink:
            writer = LiveWriter(sink, self._log, self._meter, encoder=encoder, tracks=tracks, segment_seconds=seconds)
            yield writer
            await writer.finish()

    def _frames_dropped(self) -> int | None:
        dropped = (self.status or {}).get("frames_dropped")
        return dropped if isinstance(dropped, int) else None
