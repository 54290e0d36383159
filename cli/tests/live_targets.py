"""Live pipelines for the tests of the command."""

import os
import signal

from pydantic import BaseModel

from livepeer.runner import LivePipeline
from livepeer.runner.frames import VideoFrame


class Params(BaseModel):
    inverted: bool = False


class Negative(LivePipeline):
    """Turns pictures dark where they are light, if its params say so, and says how light each was."""

    params = Params

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        picture = frame.to_ndarray()
        self.emit_data({"mean": float(picture.mean())})
        return frame.replace(255 - picture) if self.current_params.inverted else frame


class Failing(LivePipeline):
    """Fails in the middle of a stream."""

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        raise RuntimeError("no more pictures")


class Dying(LivePipeline):
    """Takes its process along."""

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        os.kill(os.getpid(), signal.SIGKILL)
        return frame
