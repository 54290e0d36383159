"""Encoding frames, whatever comes: other sizes, timestamps that stand still, encoders that fail."""

from typing import Generic, TypeVar

from av.error import FFmpegError

from livepeer.trickle.media._codec.audio_encoder import AudioEncoder
from livepeer.trickle.media._codec.video_encoder import Encoded, VideoEncoder
from livepeer.trickle.media._frames import AudioFrame, VideoFrame
from livepeer.trickle.media._settings import MediaSettings

from .notices import Notices

_TOLERATED = 3
"""How often in a row an encoder may fail before the stream does."""


EncoderT = TypeVar("EncoderT", VideoEncoder, AudioEncoder)


class _Encoding(Generic[EncoderT]):
    """An encoder that may fail now and then, and is opened anew.

    Args:
        settings: How to encode.
        notices: Told when the encoder fails.
        codec: What it is called there.
    """

    def __init__(self, settings: MediaSettings, notices: Notices, *, codec: str) -> None:
        self._settings = settings
        self._notices = notices
        self._codec = codec
        self._encoder: EncoderT | None = None
        self._failures = 0

    def finish(self) -> list[Encoded]:
        """Close the encoder, and return what it kept back."""
        encoder, self._encoder = self._encoder, None
        try:
            return [] if encoder is None else encoder.finish()
        except FFmpegError:
            return []  # It failed before.

    def _failed(self, error: FFmpegError) -> None:
        self._encoder = None
        self._failures += 1
        if self._failures > _TOLERATED:
            raise error
        self._notices.add("codec_restarted", f"the encoder failed, and was opened anew: {error}", codec=self._codec)


class VideoEncoding(_Encoding[VideoEncoder]):
    """An encoder for as long as the pictures are alike, and then another.

    Args:
        settings: How to encode.
        notices: Told when the size changes, or the encoder fails.
    """

    def __init__(self, settings: MediaSettings, notices: Notices) -> None:
        super().__init__(settings, notices, codec="h264")
        self._size: tuple[int, int] | None = None
        self._last_pts: int | None = None

    def encode(self, frame: VideoFrame, *, is_due: bool) -> list[Encoded]:
        """Encode a picture.

        Args:
            frame: The picture, in the encoder's format.
            is_due: Whether it has to be a keyframe; the first one of an encoder is one anyway.

        Raises:
            UnsupportedCodecError: The encoder cannot be opened.
            FFmpegError: It failed too often.
        """
        encoded: list[Encoded] = []
        if self._encoder is None or not self._encoder.fits(frame):
            encoded = self.finish()
            self._encoder, is_due = self._open(frame), True
        pts = frame.pts if self._last_pts is None else max(frame.pts, self._last_pts + 1)
        try:
            encoded += self._encoder.encode(frame, pts=pts, is_keyframe=is_due)
        except FFmpegError as error:
            self._failed(error)
        else:
            self._last_pts, self._failures = pts, 0
        return encoded

    def _open(self, frame: VideoFrame) -> VideoEncoder:
        size = (frame.width, frame.height)
        if self._size not in (None, size):
            self._notices.add(
                "size_changed", f"the pictures are {size[0]}x{size[1]} now", width=frame.width, height=frame.height
            )
        self._size = size
        return VideoEncoder(frame, self._settings)


class AudioEncoding(_Encoding[AudioEncoder]):
    """An encoder of audio, opened with the first frame.

    Args:
        settings: How to encode.
        notices: Told when the encoder fails.
    """

    def __init__(self, settings: MediaSettings, notices: Notices) -> None:
        super().__init__(settings, notices, codec=settings.audio_codec)
        self.channels: int | None = None
        """How many channels come out, 2 at most: as many as the first frame has; None before that."""

    def encode(self, frame: AudioFrame) -> list[Encoded]:
        """Encode some samples.

        Raises:
            UnsupportedCodecError: The encoder cannot be opened.
            FFmpegError: It failed too often.
        """
        if self._encoder is None:
            channels = self.channels = self.channels or min(frame.channels, 2)
            self._encoder = AudioEncoder(frame, channels=channels, settings=self._settings)
        try:
            encoded = self._encoder.encode(frame)
        except FFmpegError as error:
            self._failed(error)
            return []
        self._failures = 0
        return encoded
