"""What a subscriber bears, and what it has done."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriberStats:
    """What a subscriber has done so far."""

    segments: int
    """How many segments were opened; those without bytes are not among them."""

    bytes: int
    """How many bytes of them have come."""

    empty: int
    """How many segments without bytes were skipped."""

    gaps: int
    """How often segments were missed."""

    missed: int
    """How many segments were missed."""

    restarts: int
    """How often the numbers began anew."""

    refreshes: int
    """How often a request was made again because the channel was silent."""

    reconnections: int
    """How often a connection broke, or none could be opened."""

    interrupted: int
    """How many segments broke off."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """What a subscription bears."""

    max_buffered_bytes: int
    """How much is kept in memory before the rest is left in the network."""

    refresh_seconds: float
    """How long a request waits in silence before it is made again."""

    retry_seconds: float
    """How long the server may be out of reach."""

    wait_seconds: float
    """How long the channel may be absent: before it appears, and after it vanished with its server."""

    abandon_seconds: float
    """How long a segment may be silent once the channel has gone on without it."""

    def __post_init__(self) -> None:
        """Check them."""
        for name in ("max_buffered_bytes", "refresh_seconds", "abandon_seconds"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is more than 0, not {getattr(self, name)}")
        for name in ("retry_seconds", "wait_seconds"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} is 0 or more, not {getattr(self, name)}")
