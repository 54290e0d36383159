"""Lays a box of colour over live video; the params say where, and may change at any time."""

import numpy as np
from pydantic import BaseModel, Field

from livepeer.runner import LivePipeline, serve
from livepeer.runner.frames import VideoFrame


class Overlay(BaseModel, extra="forbid"):
    """The box. Places and sizes are parts of the picture's."""

    x: float = Field(default=0.05, ge=0, le=1)
    y: float = Field(default=0.05, ge=0, le=1)
    width: float = Field(default=0.25, gt=0, le=1)
    height: float = Field(default=0.25, gt=0, le=1)
    colour: str = Field(default="#ff0000", pattern="^#[0-9a-fA-F]{6}$")
    opacity: float = Field(default=0.5, ge=0, le=1)


class LiveOverlay(LivePipeline):
    """Lays a box over video."""

    version = "1.0.0"
    params = Overlay

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        """Mix the box into the picture, as the params of this very moment say."""
        box: Overlay = self.current_params
        left, top = round(box.x * frame.width), round(box.y * frame.height)
        right, bottom = left + round(box.width * frame.width), top + round(box.height * frame.height)
        picture = frame.to_ndarray()
        below = picture[top:bottom, left:right]
        colour = np.frombuffer(bytes.fromhex(box.colour[1:]), np.uint8)
        below[:] = below * (1 - box.opacity) + colour * box.opacity
        return frame.replace(picture)


if __name__ == "__main__":
    serve(LiveOverlay)
