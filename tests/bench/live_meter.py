"""Reads what comes out of a pipeline, and tells when each frame was decoded.

    python live_meter.py CHANNEL COUNT SECONDS

Ends with the channel, after COUNT frames, or when nothing has come for SECONDS. Prints a JSON object: the time of the
first byte, and of each frame by its number.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import av
from live_clip import number_of

from livepeer.trickle import ClosedError, Subscriber
from livepeer.trickle.media import Demuxer


def main(url: str, count: int, seconds: float) -> dict[str, object]:
    """Read it."""
    found: dict[int, float] = {}
    first: list[float] = []
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_type = "SLICE"  # a frame is out as soon as it is in
    with Subscriber(url, start=0, wait_seconds=20) as subscriber:
        watch = _Watch(subscriber, seconds)
        with suppress(ClosedError):  # by the watch
            for units in _parts(subscriber, first, watch):
                for unit in units:
                    if unit.track.kind != "video":
                        continue
                    for frame in decoder.decode(av.Packet(unit.data)):
                        found.setdefault(number_of(frame), time.monotonic())
                if len(found) >= count:
                    break
        watch.end()
    return {"first": first[0] if first else None, "frames": found}


def _parts(subscriber: Subscriber, first: list[float], watch: "_Watch") -> Iterator[list]:
    demuxer = Demuxer()
    for segment in subscriber:
        for part in segment:
            now = time.monotonic()
            if not first:
                first.append(now)
            watch.heard()
            yield demuxer.feed(part, now)
        yield demuxer.end_segment()


class _Watch:
    """Closes a subscriber that has heard nothing for a while."""

    def __init__(self, subscriber: Subscriber, seconds: float) -> None:
        self._subscriber, self._seconds = subscriber, seconds
        self._timer: threading.Timer | None = None

    def heard(self) -> None:
        self.end()
        self._timer = threading.Timer(self._seconds, self._subscriber.close)
        self._timer.daemon = True
        self._timer.start()

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))))
