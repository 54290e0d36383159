"""Frames: thin wrappers on those of PyAV, with the timestamps of the stream that they belong to."""

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import av
from av.video.reformatter import Colorspace

if TYPE_CHECKING:  # Streams whose hooks ask for no array do without numpy, and its 13 MB.
    import numpy as np
    from numpy.typing import NDArray

TICKS = 90_000
"""How many ticks of a timestamp make a second."""


class Look(NamedTuple):
    """How the numbers of a picture are to be read as colours: FFmpeg's codes, as PyAV has them."""

    colorspace: int = 2
    color_range: int = 0
    color_primaries: int = 2
    color_trc: int = 2


class VideoFrame:
    """A picture of a stream.

    Args:
        frame: PyAV's frame; it is not copied.
        pts: When it is shown, in ticks of 1/90000 s.
        arrived: When its first byte came, by `time.monotonic()`.
        look: How its colours are read, if the frame itself does not say.
    """

    __slots__ = ("arrived", "frame", "look", "pts")

    def __init__(
        self, frame: av.VideoFrame, *, pts: int, arrived: float | None = None, look: Look | None = None
    ) -> None:
        self.frame = frame
        self.pts = pts
        self.arrived = arrived
        self.look = look or Look(frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc)

    @property
    def seconds(self) -> float:
        """When it is shown, in seconds."""
        return self.pts / TICKS

    @property
    def width(self) -> int:
        """In pixels."""
        return self.frame.width

    @property
    def height(self) -> int:
        """In pixels."""
        return self.frame.height

    def to_ndarray(self, format: str = "rgb24") -> "NDArray[Any]":
        """Return the picture as an array; each call converts anew.

        Args:
            format: PyAV's name of a pixel format. "rgb24" gives (height, width, 3) of uint8; "gray" is the luma, from
                0 for black to 255 for white; "yuv420p" is the frame's planes, as PyAV lays them out.
        """
        if format == "gray":  # Between two different matrices, the colours would change the luma.
            matrix = Colorspace.ITU601
            return self.frame.to_ndarray(format=format, src_colorspace=matrix, dst_colorspace=matrix)
        return self.frame.to_ndarray(format=format)

    def replace(self, picture: "NDArray[np.uint8] | av.VideoFrame", *, format: str = "rgb24") -> "VideoFrame":
        """Return a frame with another picture and this one's timestamps.

        Args:
            picture: An array of uint8, laid out as `format` says, or a frame of PyAV. Its memory is used as it is: it
                may be changed again once the hook that returned the frame is called anew. Only what is in "yuv420p"
                already is encoded out of that very memory, later: give each of those its own.
            format: PyAV's name of the array's pixel format.

        Raises:
            TypeError: It is something else.
            ValueError: The array's shape does not fit the format.
        """
        frame = picture if isinstance(picture, av.VideoFrame) else _to_frame(picture, format)
        return VideoFrame(frame, pts=self.pts, arrived=self.arrived, look=self.look)

    def writable(self) -> "VideoFrame":
        """Return this frame, with a buffer of its own if others still need the one that it has.

        Call it before you change a picture in place: the decoder needs what it has decoded for the pictures after it.
        """
        self.frame.make_writable()
        return self

    def __repr__(self) -> str:
        return f"<VideoFrame {self.width}x{self.height} {self.frame.format.name} at {self.seconds:.3f} s>"


class AudioFrame:
    """Some samples of a stream.

    Args:
        frame: PyAV's frame; it is not copied.
        pts: When the first of them is heard, in ticks of 1/90000 s.
        arrived: When the first byte came, by `time.monotonic()`.
    """

    __slots__ = ("arrived", "frame", "pts")

    def __init__(self, frame: av.AudioFrame, *, pts: int, arrived: float | None = None) -> None:
        self.frame = frame
        self.pts = pts
        self.arrived = arrived

    @property
    def seconds(self) -> float:
        """When it is heard, in seconds."""
        return self.pts / TICKS

    @property
    def sample_rate(self) -> int:
        """Samples a second."""
        return self.frame.sample_rate

    @property
    def samples(self) -> int:
        """How many samples there are of each channel."""
        return self.frame.samples

    @property
    def channels(self) -> int:
        """How many channels there are."""
        return self.frame.layout.nb_channels

    def to_ndarray(self) -> "NDArray[np.float32]":
        """Return the samples as float32 from -1 to 1, in the shape (channels, samples)."""
        import numpy as np

        samples = self.frame.to_ndarray()
        if not self.frame.format.is_planar:
            samples = samples.reshape(-1, self.channels).T
        if samples.dtype.kind == "f":
            return samples.astype(np.float32, copy=False)
        middle = 128.0 if samples.dtype == np.uint8 else 0.0
        scale = float(1 << (8 * samples.dtype.itemsize - 1))
        return ((samples.astype(np.float32) - middle) / scale).astype(np.float32, copy=False)

    def replace(self, samples: "NDArray[np.float32] | av.AudioFrame") -> "AudioFrame":
        """Return a frame with other samples and this one's timestamp.

        Args:
            samples: float32 from -1 to 1, in the shape (channels, samples), at this frame's sample rate; or a frame of
                PyAV.

        Raises:
            TypeError: It is something else.
            ValueError: The shape is another one, or a sample is no finite number.
        """
        frame = samples if isinstance(samples, av.AudioFrame) else _to_audio_frame(samples, self.sample_rate)
        return AudioFrame(frame, pts=self.pts, arrived=self.arrived)

    def writable(self) -> "AudioFrame":
        """Return this frame, with a buffer of its own if others hold the one that it has."""
        self.frame.make_writable()
        return self

    def __repr__(self) -> str:
        return f"<AudioFrame {self.samples} x {self.channels} at {self.sample_rate} Hz, {self.seconds:.3f} s>"


def _to_frame(picture: object, format: str) -> av.VideoFrame:
    import numpy as np

    if not isinstance(picture, np.ndarray):
        raise TypeError(f"a picture is an array of uint8 or an av.VideoFrame, not {type(picture).__name__}")
    array = cast("NDArray[Any]", picture)
    if array.dtype != np.uint8:
        raise TypeError(f"a picture is an array of uint8, not of {array.dtype}: convert it with .astype('uint8')")
    return av.VideoFrame.from_numpy_buffer(np.ascontiguousarray(array), format=format)


def _to_audio_frame(samples: object, sample_rate: int) -> av.AudioFrame:
    import numpy as np

    if not isinstance(samples, np.ndarray) or cast("NDArray[Any]", samples).dtype.kind != "f":
        raise TypeError("samples are an array of float32, from -1 to 1, or an av.AudioFrame")
    array = cast("NDArray[Any]", samples)
    if array.ndim != 2 or not 1 <= array.shape[0] <= 8:
        raise ValueError(f"samples have the shape (channels, samples), not {array.shape}")
    layout = {1: "mono", 2: "stereo"}.get(array.shape[0], f"{array.shape[0]}c")
    if not np.isfinite(array).all():
        raise ValueError("samples are from -1 to 1: there is a NaN or an infinite one among them")
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(array, np.float32), format="fltp", layout=layout)
    frame.sample_rate = sample_rate
    return frame
