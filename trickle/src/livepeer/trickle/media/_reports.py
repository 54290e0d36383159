"""What the media path tells of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

NoticeKind = Literal[
    "input_started",
    "output_started",
    "hook_failed",
    "frames_dropped",
    "packets_corrupt",
    "segments_lost",
    "timestamps_jumped",
    "size_changed",
    "track_unsupported",
    "codec_restarted",
]

EndReason = Literal["input_ended", "channel_closed", "stopped", "idle", "hook_failed", "failed"]


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something that happened, for whoever watches the stream."""

    kind: NoticeKind
    """What it was; of each kind there is about one notice a second at most."""

    detail: str
    """The same for a person."""

    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """The same for a program; `count` is how often it happened since the notice before."""


@dataclass(frozen=True, kw_only=True)
class MediaEnd:
    """How a stream ended."""

    reason: EndReason
    """Why."""

    error: BaseException | None = None
    """What was raised, if something was."""


@dataclass(frozen=True, kw_only=True)
class MediaStats:
    """What has become of a stream so far."""

    frames_in: int
    """Pictures that came in."""

    frames_out: int
    """Pictures that were sent."""

    frames_dropped: int
    """Pictures that were too old when their turn came."""

    audio_frames_in: int
    """Pieces of audio that came in."""

    audio_frames_out: int
    """Pieces of audio that were sent."""

    hook_errors: int
    """How often a hook raised, or returned what it may not."""

    corrupt_packets: int
    """Packets that were damaged, or that a decoder did not take."""

    lost_segments: int
    """Segments of the input that were missed or broke off."""

    fps_in: float
    """Pictures a second that came in, over the last seconds."""

    fps_out: float
    """Pictures a second that were sent, over the last seconds."""

    latency_seconds: float | None
    """From the arrival of the newest picture that was sent to its sending; of audio, if there is no video."""

    last_input: float | None
    """When something came in last, by `time.monotonic()`."""

    last_output: float | None
    """When something was sent last, by `time.monotonic()`."""
