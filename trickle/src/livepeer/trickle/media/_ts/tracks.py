"""What a transport stream is made of, as its readers see it: tracks, and the units that they consist of."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["video", "audio"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Track:
    """One elementary stream of a program."""

    pid: int
    """The identifier of its packets."""

    kind: Kind
    """Whether it is seen or heard."""

    codec: str
    """The name of its decoder in FFmpeg."""

    extradata: bytes | None = None
    """What the decoder has to know first: of Opus an OpusHead, of others nothing, because the stream itself says it."""

    channels: int | None = None
    """How many channels of sound there are, where the tables say so."""


@dataclass(kw_only=True, slots=True)
class Unit:
    """What a decoder takes at once: a picture, or the sound of one PES packet."""

    track: Track
    """Where it belongs."""

    data: bytes
    """A whole access unit in Annex B form; of sound one or more whole frames, of Opus exactly one packet."""

    pts: int | None
    """When to show it, in ticks of 90 kHz that rise over the 33 bits' end."""

    dts: int | None
    """When to decode it, in the same ticks; the `pts` where the stream does not tell them apart."""

    is_keyframe: bool
    """Whether decoding can begin here; always so of sound."""

    is_broken: bool
    """Whether packets of it were lost."""

    arrived: float
    """When its first byte came, as the caller of the demuxer tells the time."""
