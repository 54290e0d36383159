"""Sends a clip to a channel as a camera would, and tells when each frame's first byte was written.

    python live_feeder.py CHANNEL CLIP [as-fast-as-possible]

Prints a JSON object: the times on the machine's monotonic clock, by the frame's number.
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from livepeer.trickle import Publisher, SegmentWriter

PACKET = 188
CLOCK = 90_000


def main(url: str, clip: str, *, paced: bool) -> dict[int, float]:
    """Send it; the times of the frames."""
    written: dict[int, float] = {}
    pieces = list(cut(Path(clip).read_bytes()))
    begin = time.monotonic() + 0.1
    first = pieces[0][0]
    number = 0
    with Publisher(url, create=False, delete=True, max_buffered_bytes=64 << 20) as publisher:
        segment: SegmentWriter | None = None
        for pts, is_video, is_key, data in pieces:
            if paced:
                time.sleep(max(0.0, begin + (pts - first) / CLOCK - time.monotonic()))
            if segment is None or (is_key and paced):
                # Unpaced it is one segment: a server keeps the last five alone.
                segment = publisher.segment()
            if is_video:
                written[number] = time.monotonic()
                number += 1
            segment.write(data)
    return written


def cut(stream: bytes) -> Iterator[tuple[int, bool, bool, bytes]]:
    """The stream in pieces that begin at a packet with a new unit: its timestamp, whether video, whether a keyframe."""
    begin, found = 0, None
    for at in range(0, len(stream), PACKET):
        head = _head(stream[at : at + PACKET])
        if head is None:
            continue
        if found is not None:
            yield (*found, stream[begin:at])
            begin = at
        found = head
    if found is not None:
        yield (*found, stream[begin:])


def _head(packet: bytes) -> tuple[int, bool, bool] | None:
    if not packet[1] & 0x40:
        return None
    payload, is_key = 4, False
    if packet[3] & 0x20:
        is_key = packet[4] > 0 and bool(packet[5] & 0x40)
        payload += 1 + packet[4]
    pes = packet[payload:]
    if pes[:3] != b"\0\0\1" or not pes[7] & 0x80:
        return None
    a, b, c, d, e = pes[9:14]
    pts = (a >> 1 & 7) << 30 | b << 22 | c >> 1 << 15 | d << 7 | e >> 1
    is_video = pes[3] & 0xF0 == 0xE0
    return pts, is_video, is_video and is_key


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], sys.argv[2], paced=len(sys.argv) < 4)))
