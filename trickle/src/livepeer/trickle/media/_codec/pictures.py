"""Bringing pictures into the form that encoders take."""

from av.video.reformatter import VideoReformatter

from livepeer.trickle.media._frames import VideoFrame

PIXEL_FORMAT = "yuv420p"
"""What every encoder takes, and nearly every decoder gives."""


class PictureFitter:
    """Converts pictures of any format, and of odd sizes; those that fit are left as they are."""

    def __init__(self) -> None:
        self._reformatter = VideoReformatter()  # It keeps its tables from picture to picture.

    def fit(self, frame: VideoFrame) -> VideoFrame:
        """Return the picture as encoders take it."""
        width, height = max(frame.width & ~1, 2), max(frame.height & ~1, 2)
        if frame.frame.format.name == PIXEL_FORMAT and (width, height) == (frame.width, frame.height):
            return frame
        look = frame.look
        picture = self._reformatter.reformat(
            frame.frame,
            width,
            height,
            PIXEL_FORMAT,
            dst_colorspace=look.colorspace,
            dst_color_range=look.color_range,
        )
        return VideoFrame(picture, pts=frame.pts, arrived=frame.arrived, look=look)
