"""What is used of PyAV's codec contexts; its own annotations leave packets open."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import av


class Packet(Protocol):
    """What an encoder gives."""

    pts: int | None
    dts: int | None
    is_keyframe: bool

    def __bytes__(self) -> bytes:
        """Return its payload."""
        ...


class DecodesVideo(Protocol):
    """A context that decodes video."""

    def decode(self, packet: "av.Packet[Any] | None") -> "Sequence[av.VideoFrame]":
        """Return what a packet gives; without one, what was kept back."""
        ...

    def flush_buffers(self) -> None:
        """Forget what came before."""
        ...


class DecodesAudio(Protocol):
    """A context that decodes audio."""

    def decode(self, packet: "av.Packet[Any] | None") -> "Sequence[av.AudioFrame]":
        """Return what a packet gives."""
        ...

    def flush_buffers(self) -> None:
        """Forget what came before."""
        ...


class EncodesVideo(Protocol):
    """A context that encodes video."""

    def encode(self, frame: "av.VideoFrame | None") -> Sequence[Packet]:
        """Return what a frame gives; without one, what was kept back."""
        ...


class EncodesAudio(Protocol):
    """A context that encodes audio."""

    extradata: bytes | None

    def encode(self, frame: "av.AudioFrame | None") -> Sequence[Packet]:
        """Return what a frame gives; without one, what was kept back."""
        ...
