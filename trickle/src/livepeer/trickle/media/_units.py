"""Between frames and units, for whoever does the reading and the sending elsewhere."""

from collections.abc import Iterable

from av.error import FFmpegError

from ._codec.audio_encoder import AudioEncoder
from ._codec.decoders import AudioDecoder, VideoDecoder, make_decoder
from ._codec.pictures import PictureFitter
from ._codec.video_encoder import Encoded, VideoEncoder
from ._frames import TICKS, AudioFrame, VideoFrame
from ._settings import MediaSettings
from ._ts import Track, Unit

_VIDEO_PID, _AUDIO_PID = 0x100, 0x101


class FrameDecoder:
    """Decodes the units of a stream, whichever tracks it has.

    Begins each video track with a keyframe. Units that are damaged beyond use are left out.
    """

    def __init__(self) -> None:
        self._decoders: dict[Track, VideoDecoder | AudioDecoder] = {}
        self._waiting: set[Track] = set()

    def decode(self, unit: Unit) -> list[VideoFrame] | list[AudioFrame]:
        """Return the frames that a unit gives.

        Raises:
            UnsupportedCodecError: FFmpeg cannot decode its track.
        """
        track = unit.track
        decoder = self._decoders.get(track)
        if decoder is None:
            decoder = self._decoders[track] = make_decoder(track)
            self._waiting.add(track)
        if track in self._waiting and not unit.is_keyframe:
            return []
        self._waiting.discard(track)
        try:
            return decoder.decode(unit)
        except FFmpegError:
            self._waiting.add(track)
            return []

    def restart(self) -> None:
        """Forget what came before, for something is missing."""
        for track, decoder in self._decoders.items():
            decoder.restart()
            self._waiting.add(track)

    def finish(self) -> list[VideoFrame]:
        """Return the pictures that were kept back; nothing can be decoded after that."""
        decoders = [decoder for decoder in self._decoders.values() if isinstance(decoder, VideoDecoder)]
        self._decoders.clear()
        return [frame for decoder in decoders for frame in decoder.finish()]


class FrameEncoder:
    """Encodes frames to units: H.264 with a keyframe each `segment_seconds`, and the settings' audio codec.

    Args:
        settings: How.
        channels: Of the audio: 1 or 2.
    """

    def __init__(self, settings: MediaSettings | None = None, *, channels: int = 2) -> None:
        self._settings = settings or MediaSettings()
        self._channels = channels
        self.video_track = Track(pid=_VIDEO_PID, kind="video", codec="h264")
        self.audio_track = Track(pid=_AUDIO_PID, kind="audio", codec=self._settings.audio_codec, channels=channels)
        self._fitter = PictureFitter()
        self._video: VideoEncoder | None = None
        self._audio: AudioEncoder | None = None
        self._keyframe_pts = 0
        self._last_pts: int | None = None

    def encode(self, frame: VideoFrame | AudioFrame) -> list[Unit]:
        """Return what a frame completes. A picture that is not later than the one before is left out.

        Raises:
            UnsupportedCodecError: The encoder cannot be opened.
        """
        return self._encode_video(frame) if isinstance(frame, VideoFrame) else self._encode_audio(frame)

    def finish(self) -> list[Unit]:
        """Return what was kept back; the next frame opens new encoders."""
        video, self._video = self._video, None
        audio, self._audio = self._audio, None
        units = _units(self.video_track, video.finish()) if video is not None else []
        return units + (_units(self.audio_track, audio.finish()) if audio is not None else [])

    def _encode_video(self, frame: VideoFrame) -> list[Unit]:
        if self._last_pts is not None and frame.pts <= self._last_pts:
            return []
        picture = self._fitter.fit(frame)
        units: list[Unit] = []
        if self._video is not None and not self._video.fits(picture):
            units, self._video = _units(self.video_track, self._video.finish()), None
        is_keyframe = self._video is None or self._is_due(frame.pts)
        if self._video is None:
            self._video = VideoEncoder(picture, self._settings)
        if is_keyframe:
            self._keyframe_pts = frame.pts
        self._last_pts = frame.pts
        return units + _units(self.video_track, self._video.encode(picture, pts=frame.pts, is_keyframe=is_keyframe))

    def _encode_audio(self, frame: AudioFrame) -> list[Unit]:
        if self._audio is None:
            self._audio = AudioEncoder(frame, channels=self._channels, settings=self._settings)
        return _units(self.audio_track, self._audio.encode(frame))

    def _is_due(self, pts: int) -> bool:
        # Half a tick of grace, or rounding would make every other segment a frame longer.
        return pts - self._keyframe_pts >= self._settings.segment_seconds * TICKS - 1


def _units(track: Track, encoded: Iterable[Encoded]) -> list[Unit]:
    return [
        Unit(
            track=track,
            data=packet.data,
            pts=packet.pts,
            dts=packet.dts,
            is_keyframe=packet.is_keyframe,
            is_broken=False,
            arrived=0.0,
        )
        for packet in encoded
    ]
