"""How a published segment ends, and what a reader missed."""

from dataclasses import dataclass
from typing import Literal

LostReason = Literal["stalled", "disconnected", "evicted", "channel_closed", "dropped", "aborted", "closing"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Acknowledged:
    """The server has the whole segment."""

    seq: int
    """The segment's number on its channel."""

    bytes: int
    """How long it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lost:
    """The segment did not arrive, or not as a whole."""

    seq: int
    """The number that it had, or was to have."""

    bytes: int
    """How much of it was written."""

    reason: LostReason
    """Why: the server stopped reading or answering, the connection broke, the server gave its place to another
    segment, the channel was deleted, it gave way to newer ones, it was aborted, by itself or as its publisher was
    cancelled, or it was under way at the close."""

    detail: str
    """The same for a person, with what was seen."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Refused:
    """The server answered the segment with an error."""

    seq: int
    """The number that it was to have."""

    bytes: int
    """How much of it was written."""

    status: int
    """The answer's HTTP status."""

    detail: str
    """What the server said."""


Outcome = Acknowledged | Lost | Refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """Segments that a reader could not get: they had left the server, or fell to a skip ahead."""

    first: int
    """The number of the first of them."""

    last: int
    """The number of the last of them."""

    @property
    def count(self) -> int:
        """How many there are."""
        return self.last - self.first + 1
