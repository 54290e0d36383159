"""The live pipelines of the benchmark."""

import time

from livepeer.runner import LivePipeline
from livepeer.runner.frames import VideoFrame


class LivePass(LivePipeline):
    """Decodes and encodes, and changes nothing."""

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        """The frame as it came."""
        return frame


class LiveRgb(LivePipeline):
    """Inverts the lower half, in RGB."""

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        """The frame, half of it inverted."""
        picture = frame.to_ndarray()
        picture[len(picture) // 2 :] ^= 0xFF
        return frame.replace(picture)


class LiveSlow(LivePipeline):
    """A model that takes 60 ms."""

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        """The frame as it came, late."""
        time.sleep(0.06)
        return frame


class LiveFour(LivePass):
    """Four streams at once."""

    capacity = 4
