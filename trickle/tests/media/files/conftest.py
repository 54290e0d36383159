"""Clips that are made on the fly: each picture's brightness tells its number."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

MakeClip = Callable[..., Path]


def write_clip(
    path: Path,
    *,
    video: str | None = "libx264",
    audio: str | None = "aac",
    seconds: float = 2.0,
    fps: int = 25,
    size: tuple[int, int] = (64, 48),
    layout: str = "stereo",
    options: dict[str, str] | None = None,
) -> Path:
    """Write a clip whose picture n has the brightness 16 + 4n, with a tone of 440 Hz."""
    with av.open(str(path), "w") as output:
        pictures = _add_video(output, video, fps, size, options) if video else None
        tone = output.add_stream(audio, rate=48000, layout=layout) if audio else None
        if pictures is not None:
            for number in range(round(seconds * fps)):
                grey = np.full((size[1], size[0], 3), 16 + number * 4 % 224, np.uint8)
                frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, fps)
                output.mux(pictures.encode(frame))
            output.mux(pictures.encode(None))
        if tone is not None:
            for packet in _tone(tone, seconds, layout):
                output.mux(packet)
    return path


def _add_video(output: Any, codec: str, fps: int, size: tuple[int, int], options: dict[str, str] | None) -> Any:
    stream = output.add_stream(codec, rate=fps, options={"g": str(fps), **(options or {})})
    stream.width, stream.height = size
    stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
    return stream


def _tone(stream: Any, seconds: float, layout: str) -> Any:
    channels = 1 if layout == "mono" else 2
    total, size = int(seconds * 48000), 960
    for start in range(0, total, size):
        wave = np.sin(2 * np.pi * 440 * (start + np.arange(size)) / 48000).astype(np.float32) / 2
        frame = av.AudioFrame.from_ndarray(np.tile(wave, (channels, 1)), format="fltp", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = 48000, start, Fraction(1, 48000)
        yield stream.encode(frame)
    yield stream.encode(None)


@pytest.fixture
def make_clip(tmp_path: Path) -> MakeClip:
    def make(name: str = "clip.mp4", **options: Any) -> Path:
        return write_clip(tmp_path / name, **options)

    return make
