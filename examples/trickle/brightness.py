"""Prints how bright a live video is: `python brightness.py http://127.0.0.1:2939/cam`."""

import sys

from livepeer.trickle.media import MediaReader, VideoFrame

with MediaReader(sys.argv[1], wait_seconds=60) as reader:
    for frame in reader.frames():
        if isinstance(frame, VideoFrame):
            print(f"{frame.seconds:.2f} s: {frame.to_ndarray('gray').mean():.0f} of 255")
