"""Decoding and encoding a clip as fast as it goes: a loop of bare PyAV, or our media path between two channels.

    python live_unpaced.py bare CLIP
    python live_unpaced.py ours IN OUT CLIP

Prints a JSON object: this process's CPU time a frame in ms, and the frames a second, both from the first bytes on.
"""

import json
import math
import subprocess
import sys
import threading
import time
from fractions import Fraction
from pathlib import Path

import av

from livepeer.trickle.media import MediaHooks, MediaSettings, MediaTransform

FEEDER = Path(__file__).with_name("live_feeder.py")

OPTIONS = {"preset": "superfast", "tune": "zerolatency", "crf": "23", "forced-idr": "1"}
"""As in our encoder."""


class Spent:
    """CPU time and time since this was made."""

    def __init__(self) -> None:
        self._cpu, self._clock = time.process_time(), time.monotonic()

    def over(self, frames: int) -> dict[str, float]:
        """What each of so many frames took."""
        cpu, clock = time.process_time() - self._cpu, time.monotonic() - self._clock
        return {"frames": frames, "cpu_ms": cpu * 1000 / frames, "frames_a_second": frames / clock}


def bare(clip: str) -> dict[str, float]:
    """Decode and encode with one thread, and let libav write."""
    spent = Spent()
    encoder = None
    count = 0
    with av.open(clip) as source, av.open("/dev/null", "w", format="mpegts") as sink:
        stream = source.streams.video[0]
        stream.thread_type = "SLICE"
        for frame in source.decode(stream):
            if encoder is None:
                encoder = sink.add_stream("libx264", rate=30, options=OPTIONS)
                encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuv420p"
                encoder.codec_context.thread_count = 2
                encoder.codec_context.thread_type = "SLICE"
                encoder.codec_context.time_base = Fraction(1, 90_000)
            frame.pict_type = 1 if count % 30 == 0 else 0
            sink.mux(encoder.encode(frame))
            count += 1
        assert encoder is not None
        sink.mux(encoder.encode())
    return spent.over(count)


def ours(inward: str, out: str, clip: str) -> dict[str, float]:
    """The same through `MediaTransform`, of a clip that is sent into one of the channels."""
    begun: list[Spent] = []
    ended = threading.Event()
    transform = MediaTransform(
        MediaHooks(video=lambda frame: frame),
        subscribe_url=inward,
        publish_url=out,
        settings=MediaSettings(max_age_seconds=math.inf),
        on_notice=lambda notice: begun.append(Spent()) if notice.kind == "input_started" else None,
        on_end=lambda end: ended.set(),
    )
    transform.start()
    with subprocess.Popen([sys.executable, str(FEEDER), inward, clip, "unpaced"], stdout=subprocess.DEVNULL):
        ended.wait(120)
    transform.stop()
    return begun[0].over(transform.stats.frames_out)


if __name__ == "__main__":
    print(json.dumps({"bare": bare, "ours": ours}[sys.argv[1]](*sys.argv[2:])))
