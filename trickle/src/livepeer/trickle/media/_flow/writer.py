"""Writing media to a channel on the caller's own thread."""

from dataclasses import replace
from time import monotonic
from types import TracebackType
from typing import Self

import av

from livepeer.trickle._publish.publisher import Publisher
from livepeer.trickle.media._codec.pictures import PictureFitter
from livepeer.trickle.media._codec.video_encoder import Encoded
from livepeer.trickle.media._frames import TICKS, AudioFrame, VideoFrame
from livepeer.trickle.media._reports import MediaStats
from livepeer.trickle.media._settings import MediaSettings
from livepeer.trickle.media._ts import Kind
from livepeer.trickle.media._ts.codecs import kind_of

from .encoding import AudioEncoding, VideoEncoding
from .notices import Notices
from .outbox import Layout
from .outlet import BUFFERED_BYTES, Outlet
from .tally import Tally


class MediaWriter:
    """Writes media to a channel: frames, which are encoded, or units, which are sent as they are.

        with MediaWriter(url) as writer:
            writer.write(frame)

    Everything is sent as soon as it is encoded. A caller who is silent for long should call `poll` now and then.

    Args:
        url: Of the channel.
        settings: How to encode, and how long a segment is.
        video: Whether there is video.
        audio: Whether there is audio.
        verify: Whether the server's certificate is checked.
        create: Whether to create the channel.
        delete: Whether to delete the channel at the close.

    Raises:
        ValueError: There is neither video nor audio, or the URL cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        settings: MediaSettings | None = None,
        video: bool = True,
        audio: bool = False,
        verify: bool = True,
        create: bool = False,
        delete: bool = False,
    ) -> None:
        if not (video or audio):
            raise ValueError("there has to be video or audio")
        self._settings = settings or MediaSettings()
        publisher = Publisher(url, create=create, delete=delete, verify=verify, max_buffered_bytes=BUFFERED_BYTES)
        self._tally = Tally()
        self._outlet = Outlet(publisher, self._settings)
        self._layout = Layout(
            video="h264" if video else None, audio=self._settings.audio_codec if audio else None, video_is_copied=True
        )
        self._fitter = PictureFitter()
        self._video = VideoEncoding(self._settings, Notices())
        self._audio = AudioEncoding(self._settings, Notices())

    @property
    def stats(self) -> MediaStats:
        """What was sent so far."""
        return self._tally.stats

    def start(self) -> None:
        """Open the channel.

        Raises:
            TrickleError: It cannot be opened.
        """
        self._outlet.start()
        self._outlet.lay_out(self._layout)

    def write(self, frame: VideoFrame | AudioFrame | av.VideoFrame | av.AudioFrame) -> None:
        """Encode a frame, and send it.

        Args:
            frame: With its timestamp; of PyAV's frames, `pts` and `time_base` count.

        Raises:
            TypeError: It is no frame.
            ValueError: It has no timestamp, or the writer has no such track.
            TrickleError: The channel cannot be written any more.
        """
        wrapped = _wrap(frame)
        if isinstance(wrapped, VideoFrame):
            self._use("video", "h264")
            fitted = self._fitter.fit(wrapped)
            self._send("video", self._video.encode(fitted, is_due=self._outlet.is_due(fitted.pts)))
        else:
            self._use("audio", self._settings.audio_codec, channels=self._audio.channels or min(wrapped.channels, 2))
            self._send("audio", self._audio.encode(wrapped))

    def write_unit(self, kind: Kind, data: bytes, *, pts: int, dts: int, is_keyframe: bool, codec: str) -> None:
        """Send a unit as it is.

        Args:
            kind: Its track.
            data: Video as Annex B, AAC with ADTS headers, a packet of Opus.
            pts: When it is shown or heard, in ticks of 1/90000 s.
            dts: When it is decoded, likewise.
            is_keyframe: Whether a decoder can begin with it.
            codec: FFmpeg's name of its codec.

        Raises:
            ValueError: The writer has no such track, or the codec cannot be carried.
            TrickleError: The channel cannot be written any more.
        """
        self._use(kind, codec, is_copied=True)
        self._send(kind, [Encoded(data=data, pts=pts, dts=dts, is_keyframe=is_keyframe)])

    def poll(self) -> None:
        """Do what is due while nothing is written.

        Raises:
            TrickleError: The channel cannot be written any more.
        """
        self._outlet.poll()

    def close(self, timeout_seconds: float = 5.0) -> None:
        """Send what the encoders have kept back, and close the channel's end here.

        Args:
            timeout_seconds: How long to wait for the server.
        """
        try:
            self._send("video", self._video.finish())
            self._send("audio", self._audio.finish())
        finally:
            self._outlet.close(timeout_seconds)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.close()
        else:
            self._outlet.close(0.0)

    def _use(self, kind: Kind, codec: str, *, is_copied: bool = False, channels: int | None = None) -> None:
        """Have the layout say how a track comes about."""
        layout = self._layout
        if (layout.video if kind == "video" else layout.audio) is None:
            raise ValueError(f"this writer has no {kind}: MediaWriter(..., {kind}=True)")
        if kind_of(codec) != kind:
            raise ValueError(f"{codec} is no codec of {kind}")
        if kind == "video":
            layout = replace(layout, video=codec, video_is_copied=is_copied)
        else:
            layout = replace(layout, audio=codec, channels=channels or layout.channels)
        if layout != self._layout:
            self._layout = layout
            self._outlet.lay_out(layout)

    def _send(self, kind: Kind, units: list[Encoded]) -> None:
        for unit in units:
            self._outlet.write(kind, unit)
            self._tally.sent(kind, None, monotonic())
        self._outlet.flush()


def _wrap(frame: object) -> VideoFrame | AudioFrame:
    if isinstance(frame, VideoFrame | AudioFrame):
        return frame
    if not isinstance(frame, av.VideoFrame | av.AudioFrame):
        raise TypeError(f"a frame is written, not {type(frame).__name__}")
    if frame.pts is None or frame.time_base is None:
        raise ValueError("the frame has no timestamp: set its pts and time_base")
    pts = round(frame.pts * frame.time_base * TICKS)
    return VideoFrame(frame, pts=pts) if isinstance(frame, av.VideoFrame) else AudioFrame(frame, pts=pts)
