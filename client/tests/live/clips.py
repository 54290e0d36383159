"""Clips that are made on the fly: picture n has the brightness 20 + 4n."""

from fractions import Fraction
from io import BytesIO

import av
import numpy as np


def clip(*, seconds: float = 2.0, fps: int = 25, format: str = "mpegts", audio: bool = True) -> bytes:
    """Make a clip of H.264, with a tone of AAC."""
    file = BytesIO()
    with av.open(file, "w", format=format) as output:
        video = output.add_stream("libx264", rate=fps, options={"g": str(fps // 2), "tune": "zerolatency"})
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        sound = output.add_stream("aac", rate=48000, layout="mono") if audio else None
        for number in range(round(seconds * fps)):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade(number), np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            output.mux(video.encode(frame))
        output.mux(video.encode(None))
        for start in range(0, int(seconds * 48000) if sound is not None else 0, 1024):
            wave = np.sin(np.arange(start, start + 1024) / 17).astype(np.float32)
            samples = av.AudioFrame.from_ndarray(wave.reshape(1, -1) / 2, format="fltp", layout="mono")
            samples.sample_rate, samples.pts, samples.time_base = 48000, start, Fraction(1, 48000)
            output.mux(sound.encode(samples))
    return file.getvalue()


def shade(number: int) -> int:
    return 20 + 4 * (number % 50)
