"""What a live stream talks through: trickle channels, or a gateway's HTTP routes."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Start = Literal["current", "next", "earliest"]
"""Which of the worker's segments is read first, where one comes late."""


@dataclass(frozen=True, slots=True)
class Part:
    """Something of a stream of MPEG-TS, or about it."""

    data: bytes = b""
    """The next bytes."""

    is_silent: bool = False
    """Nothing has come for a moment."""

    ends_segment: bool = False
    """The segment is over."""

    is_gap: bool = False
    """Something is missing before what follows."""


class Sink(Protocol):
    """Takes the media that goes to the worker."""

    async def write(self, data: bytes, *, starts_segment: bool) -> None:
        """Send MPEG-TS; waits while too much waits for the network.

        Raises:
            LivepeerError: It cannot be sent.
        """
        ...


class Lines(Protocol):
    """The lines to one stream. What they cannot do raises SettingsError."""

    tells_end: bool
    """Whether the worker is heard to end where it was told to stop."""

    async def watch(self) -> None:
        """Take reports until there are no more; they go to the stream's log."""
        ...

    async def tell(self, message: bytes) -> None:
        """Send a message to the worker."""
        ...

    def data(self) -> AsyncGenerator[Any]:
        """Give what the worker sends as data, until it is over."""
        ...

    def sink(self, *, ends_input: bool) -> AbstractAsyncContextManager[Sink]:
        """Open the way for media to the worker."""
        ...

    def parts(self, start: Start) -> AsyncGenerator[Part]:
        """Give the worker's media, until it is over."""
        ...

    async def leave(self) -> None:
        """End every reading, also one that waits."""
        ...
