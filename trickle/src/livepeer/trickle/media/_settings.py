"""What the media path may be told, and the hooks that it calls."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from ._frames import AudioFrame, VideoFrame

VideoResult = VideoFrame | Sequence[VideoFrame] | None
"""What a video hook returns: a frame, several, or None to drop the one that it was given."""

AudioResult = AudioFrame | Sequence[AudioFrame] | None
"""What an audio hook returns."""


@dataclass(frozen=True, kw_only=True)
class MediaSettings:
    """How media is decoded, encoded and cut.

    Raises:
        ValueError: One of them cannot be used; says which.
    """

    segment_seconds: float = 1.0
    """How long a segment is, and so how far the keyframes are apart."""

    encoder: Literal["auto", "libx264", "h264_nvenc"] = "libx264"
    """Encodes the video; `auto` is NVENC where it opens, else libx264."""

    preset: str = "superfast"
    """Of the encoder: libx264's name, which stands for a similar one of NVENC."""

    bitrate: int | None = None
    """Of the video, in bits a second; None for constant quality."""

    encoder_threads: int | None = None
    """How many threads encode one stream; None for 2. Give 1 where many streams run at once."""

    frame_rate: float | None = None
    """What the encoder is told to expect, for its rate control; None for 30. Timestamps count, not this."""

    audio_codec: Literal["aac", "opus"] = "aac"
    """Of audio that a hook has changed."""

    audio_bitrate: int = 128_000
    """Of audio that a hook has changed, in bits a second."""

    max_age_seconds: float = 0.25
    """Frames that have waited longer than this for the hook are dropped, but never the newest. A hook that cannot keep
    up gets the newest alone. With `math.inf` none is dropped, and the input waits."""

    audio: Literal["hold", "pass"] = "hold"
    """Whether audio waits for video that is late, 0.3 s at most."""

    on_hook_error: Literal["drop", "pass", "stop"] = "drop"
    """What becomes of a frame whose hook raised: it is dropped, passed on unchanged, or the stream stops."""

    hook_error_budget: int = 30
    """How many errors of hooks are borne; each good frame gives one back."""

    packet_error_budget: int = 100
    """How many bad packets are borne; each good one gives one back."""

    idle_seconds: float | None = 60.0
    """After so long without input the stream ends; None for never."""

    start: Literal["current", "next", "earliest"] = "current"
    """The segment of the input to begin with."""

    def __post_init__(self) -> None:
        for name in ("segment_seconds", "audio_bitrate"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is more than 0, not {getattr(self, name)}")
        for name in ("bitrate", "encoder_threads", "frame_rate", "idle_seconds"):
            if getattr(self, name) is not None and not getattr(self, name) > 0:
                raise ValueError(f"{name} is more than 0 or None, not {getattr(self, name)}")
        for name in ("max_age_seconds", "hook_error_budget", "packet_error_budget"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is 0 or more, not {getattr(self, name)}")
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is one of {', '.join(choices)}, not {getattr(self, name)!r}")


_PRESETS = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo")
_CHOICES = {
    "preset": _PRESETS,
    "encoder": ("auto", "libx264", "h264_nvenc"),
    "audio_codec": ("aac", "opus"),
    "audio": ("hold", "pass"),
    "on_hook_error": ("drop", "pass", "stop"),
    "start": ("current", "next", "earliest"),
}


@dataclass(frozen=True, kw_only=True)
class MediaHooks:
    """What is done to a stream. A track without a hook is copied, and never decoded."""

    video: Callable[[VideoFrame], VideoResult] | None = None
    """Called with each picture."""

    audio: Callable[[AudioFrame], AudioResult] | None = None
    """Called with each piece of audio."""

    generate_video: Callable[[], Iterator[VideoFrame]] | None = None
    """Makes pictures without an input; they are sent at the times that their timestamps say."""

    generate_audio: Callable[[], Iterator[AudioFrame]] | None = None
    """Makes audio without an input."""
