"""Publishes ten seconds of video that grows brighter: `python fade.py http://127.0.0.1:2939/cam`."""

import sys
import time
from fractions import Fraction

import av
import numpy as np

from livepeer.trickle.media import MediaWriter

FPS = 25


def main(url: str) -> None:
    """Encode and send each picture when it is due."""
    with MediaWriter(url, create=True, delete=True) as writer:
        began = time.monotonic()
        for number in range(10 * FPS):
            frame = av.VideoFrame.from_ndarray(np.full((360, 640, 3), number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            writer.write(frame)
            time.sleep(max(0.0, began + (number + 1) / FPS - time.monotonic()))


main(sys.argv[1])
