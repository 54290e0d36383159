"""Clips whose frames carry their own number in the picture, so that they are known again behind any encoder."""

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

RATE = 30
BLOCK = 32
BITS = 14
SAMPLE_RATE = 48_000


def make_clip(path: Path, *, width: int, height: int, seconds: float, audio: bool = True) -> int:
    """Write an MPEG-TS of H.264 and AAC, as a broadcaster sends it: a keyframe each second, no B frames.

    Returns:
        How many frames it has.
    """
    count = round(seconds * RATE)
    picture = av.open(f"testsrc2=size={width}x{height}:rate={RATE}", format="lavfi")
    with av.open(str(path), "w", format="mpegts") as clip, picture:
        video = clip.add_stream(
            "libx264", rate=RATE, options={"preset": "veryfast", "tune": "zerolatency", "g": str(RATE)}
        )
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        sound = clip.add_stream("aac", rate=SAMPLE_RATE) if audio else None
        heard = 0
        for number, frame in zip(range(count), picture.decode(video=0), strict=False):
            clip.mux(video.encode(numbered(frame, number)))
            while sound is not None and heard < (number + 1) * SAMPLE_RATE // RATE:
                clip.mux(sound.encode(_tone(heard)))
                heard += 1024
        clip.mux(video.encode())
        if sound is not None:
            clip.mux(sound.encode())
    return count


def numbered(frame: av.VideoFrame, number: int) -> av.VideoFrame:
    """The frame with its number as black and white blocks along the top."""
    frame.make_writable()
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    for bit in range(BITS):
        luma[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 16
    frame.pts, frame.time_base = number, Fraction(1, RATE)
    frame.pict_type = 0  # raw pictures are keyframes all of them, and the encoder would believe it
    return frame


def number_of(frame: av.VideoFrame) -> int:
    """Read a frame's number."""
    plane = frame.planes[0]
    luma = np.frombuffer(plane, np.uint8).reshape(plane.height, plane.line_size)
    middle = luma[BLOCK // 2, BLOCK // 2 : BITS * BLOCK : BLOCK]
    return sum(1 << bit for bit in range(BITS) if middle[bit] > 125)


def _tone(start: int) -> av.AudioFrame:
    times = (np.arange(1024) + start) / SAMPLE_RATE
    wave = (0.2 * np.sin(2 * np.pi * 440 * times)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(np.stack([wave, wave]), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
    return frame


if __name__ == "__main__":
    make_clip(Path(sys.argv[1]), width=int(sys.argv[2]), height=int(sys.argv[3]), seconds=float(sys.argv[4]))
