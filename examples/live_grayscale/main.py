"""Turns live video grey."""

from livepeer.runner import LivePipeline, serve
from livepeer.runner.frames import VideoFrame


class LiveGrayscale(LivePipeline):
    """Turns video grey, and leaves audio alone."""

    version = "1.0.0"

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        """Keep how bright each pixel is, and nothing of its colour."""
        return frame.replace(frame.to_ndarray("gray"), format="gray")


if __name__ == "__main__":
    serve(LiveGrayscale)
