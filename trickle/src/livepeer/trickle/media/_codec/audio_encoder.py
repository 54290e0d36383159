"""The encoder of audio: AAC or Opus, of any sample rate and format."""

from collections.abc import Iterable
from fractions import Fraction
from typing import cast

import av
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler
from av.error import FFmpegError

from livepeer.trickle.media._errors import UnsupportedCodecError
from livepeer.trickle.media._frames import TICKS, AudioFrame
from livepeer.trickle.media._settings import MediaSettings
from livepeer.trickle.media._ts import adts_header

from .contexts import EncodesAudio, Packet
from .video_encoder import Encoded

_AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000)
_OPUS_RATES = (48000, 24000, 16000, 12000, 8000)
_TOLERANCE_SECONDS = 0.05
"""By how much timestamps may leave the count of the samples before they are believed."""


class AudioEncoder:
    """Encodes audio, in packets of the codec's own length, whose timestamps follow the samples.

    Args:
        first: The first frame; it says the sample rate, unless the codec cannot have it.
        channels: 1 or 2; what comes with more or less is mixed.
        settings: How.

    Raises:
        UnsupportedCodecError: The encoder cannot be opened; says why.
    """

    def __init__(self, first: AudioFrame, *, channels: int, settings: MediaSettings) -> None:
        self._is_aac = settings.audio_codec == "aac"
        rates = _AAC_RATES if self._is_aac else _OPUS_RATES
        self._rate = first.sample_rate if first.sample_rate in rates else 48000
        self._layout = "mono" if channels == 1 else "stereo"
        self._settings = settings
        context = self._open()
        self._format, self._frame_size = context.format, context.frame_size
        self._context = cast("EncodesAudio", context)
        self._begin(first.pts)

    def encode(self, frame: AudioFrame) -> list[Encoded]:
        """Encode some samples; what is left over waits for the next ones."""
        encoded: list[Encoded] = []
        if abs(frame.pts - self._next_pts) > _TOLERANCE_SECONDS * TICKS:
            encoded += self._drain()
            self._begin(frame.pts)
        self._resample(frame.frame)
        while (whole := self._fifo.read(self._frame_size)) is not None:
            encoded += self._encode(whole)
        return encoded

    def finish(self) -> list[Encoded]:
        """Return what is left; nothing can be encoded after that."""
        return [*self._drain(), *self._wrap(self._context.encode(None))]

    @property
    def _next_pts(self) -> int:
        return self._first_pts + self._taken * TICKS // self._rate

    def _begin(self, pts: int) -> None:
        self._first_pts = pts
        self._taken = self._given = 0
        self._resampler: AudioResampler | None = None
        self._taken_form: object = None
        self._fifo = AudioFifo()

    def _resample(self, frame: av.AudioFrame) -> None:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._taken_form:
            self._empty_resampler()
            self._resampler, self._taken_form = AudioResampler(self._format, self._layout, self._rate), form
        assert self._resampler is not None
        frame.pts = None  # The count of the samples is what counts.
        for part in self._resampler.resample(frame):
            self._take(part)

    def _empty_resampler(self) -> None:
        for part in [] if self._resampler is None else self._resampler.resample(None):
            self._take(part)
        self._resampler = None

    def _take(self, part: av.AudioFrame) -> None:
        part.pts = None
        part.time_base = Fraction(1, self._rate)  # A resampler may set none, and the FIFO takes no other after that.
        self._taken += part.samples
        self._fifo.write(part)

    def _drain(self) -> list[Encoded]:
        """Encode what waits, filled up with silence."""
        self._empty_resampler()
        missing = -self._fifo.samples % self._frame_size
        if missing and self._fifo.samples:
            self._fifo.write(self._silence(missing))
        encoded: list[Encoded] = []
        while (whole := self._fifo.read(self._frame_size)) is not None:
            encoded += self._encode(whole)
        return encoded

    def _silence(self, samples: int) -> av.AudioFrame:
        frame = av.AudioFrame(format=self._format, layout=self._layout, samples=samples)
        frame.sample_rate = self._rate
        frame.time_base = Fraction(1, self._rate)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        return frame

    def _encode(self, whole: av.AudioFrame) -> list[Encoded]:
        whole.pts = self._first_pts * self._rate // TICKS + self._given
        whole.time_base = Fraction(1, self._rate)
        self._given += whole.samples
        return self._wrap(self._context.encode(whole))

    def _wrap(self, packets: Iterable[Packet]) -> list[Encoded]:
        encoded: list[Encoded] = []
        for packet in packets:
            data = bytes(packet)
            if self._is_aac:
                data = adts_header(self._context.extradata or b"", len(data)) + data
            pts = (packet.pts or 0) * TICKS // self._rate
            if pts < 0:
                continue  # It only primes the decoder, and a time before 0 cannot be written.
            encoded.append(Encoded(data=data, pts=pts, dts=pts, is_keyframe=True))
        return encoded

    def _open(self) -> av.AudioCodecContext:
        name = "aac" if self._is_aac else "libopus"
        try:
            context = av.CodecContext.create(name, "w")
            context.sample_rate = self._rate
            context.layout = self._layout
            context.format = "fltp" if self._is_aac else "flt"
            context.bit_rate = self._settings.audio_bitrate
            context.time_base = Fraction(1, self._rate)
            context.open()
        except (FFmpegError, ValueError) as error:
            raise UnsupportedCodecError(f"the encoder {name} cannot be opened here: {error}") from error
        return context
