"""Clips made on the fly, and what is in a clip."""

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np

RATE = 25
SAMPLE_RATE = 48_000
TONE_HZ = 1000


def make_clip(
    seconds: float = 2.0,
    *,
    video: bool = True,
    audio: bool = False,
    colour: tuple[int, int, int] = (200, 60, 40),
    silent: tuple[float, float] = (0.0, 0.0),
) -> bytes:
    """MPEG-TS: pictures of one colour with a bar that grows with each, and a tone of -12 dBFS with a silence."""
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts") as container:
        if video:
            pictures = container.add_stream(
                "libx264", rate=RATE, options={"preset": "ultrafast", "tune": "zerolatency"}
            )
            pictures.width, pictures.height, pictures.pix_fmt, pictures.gop_size = 160, 96, "yuv420p", RATE
        if audio:
            sound = container.add_stream("aac", rate=SAMPLE_RATE, layout="stereo")
        for number in range(int(seconds * RATE)):
            if video:
                frame = av.VideoFrame.from_ndarray(picture(number, colour), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, RATE)
                container.mux(pictures.encode(frame))
            if audio:
                is_silent = silent[0] <= number / RATE < silent[1]
                container.mux(sound.encode(tone(number, 0.0 if is_silent else 0.25)))
        if video:
            container.mux(pictures.encode(None))
        if audio:
            container.mux(sound.encode(None))
    return file.getvalue()


def picture(number: int, colour: tuple[int, int, int]) -> np.ndarray:
    """A picture of one colour; below, a white bar of as many pixels as its number."""
    array = np.empty((96, 160, 3), np.uint8)
    array[:] = colour
    array[80:, :number] = 255
    return array


def tone(number: int, level: float = 0.25) -> av.AudioFrame:
    """A piece as long as a picture; `level` is its root of the mean square."""
    samples = SAMPLE_RATE // RATE
    times = (np.arange(samples) + number * samples) / SAMPLE_RATE
    wave = (level * np.sqrt(2) * np.sin(2 * np.pi * TONE_HZ * times)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, number * samples, Fraction(1, SAMPLE_RATE)
    return frame


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a clip holds."""

    pictures: list[np.ndarray]
    """In rgb24."""

    times: list[float]
    """Of the pictures, in seconds."""

    sound: np.ndarray
    """Of the first channel."""

    sound_begins: float | None
    codecs: set[str]

    def mean(self, number: int, rows: slice = slice(0, 72)) -> list[float]:
        """The mean colour of a picture, without the bar."""
        return [float(value) for value in self.pictures[number][rows].mean(axis=(0, 1))]

    @property
    def level(self) -> float:
        """Of the sound, its first and last 0.2 s aside, in dBFS."""
        middle = self.sound[SAMPLE_RATE // 5 : -SAMPLE_RATE // 5]
        return 20 * float(np.log10(np.sqrt(np.mean(middle**2))))


def look_into(clip: bytes) -> Content:
    pictures: list[np.ndarray] = []
    times: list[float] = []
    sounds: list[np.ndarray] = []
    sound_begins: float | None = None
    with av.open(io.BytesIO(clip), format="mpegts") as container:
        codecs = {stream.codec_context.name for stream in container.streams}
        for frame in container.decode():
            if isinstance(frame, av.VideoFrame):
                pictures.append(frame.to_ndarray(format="rgb24"))
                times.append(float(frame.time or 0.0))
            else:
                sounds.append(frame.to_ndarray()[0])
                sound_begins = frame.time if sound_begins is None else sound_begins
    sound = np.concatenate(sounds) if sounds else np.empty(0, np.float32)
    return Content(pictures=pictures, times=times, sound=sound, sound_begins=sound_begins, codecs=codecs)
