"""What a publisher has done."""

from dataclasses import dataclass

from livepeer.trickle._outcomes import Acknowledged, Lost, Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class PublisherStats:
    """What a publisher has done so far."""

    segments: int
    """How many segments were begun by the caller."""

    bytes: int
    """How many bytes were written to them."""

    acknowledged: int
    """How many segments the server has."""

    lost: int
    """How many segments did not arrive, or not as a whole; those that were dropped among them."""

    refused: int
    """How many segments the server answered with an error."""

    dropped_bytes: int
    """How many bytes gave way to newer ones."""

    reconnections: int
    """How many connections broke in use."""

    restarts: int
    """How often the server had forgotten the channel."""


class Tally:
    """Counts what a publisher does."""

    def __init__(self) -> None:
        self.segments = 0
        self.bytes = 0
        self.reconnections = 0
        self.restarts = 0
        self._acknowledged = 0
        self._lost = 0
        self._refused = 0
        self._dropped_bytes = 0

    def count(self, outcome: Outcome) -> None:
        """Note how a segment ended."""
        if isinstance(outcome, Acknowledged):
            self._acknowledged += 1
        elif isinstance(outcome, Lost):
            self._lost += 1
            self._dropped_bytes += outcome.bytes if outcome.reason == "dropped" else 0
        else:
            self._refused += 1

    def stats(self) -> PublisherStats:
        """Return the counts."""
        return PublisherStats(
            segments=self.segments,
            bytes=self.bytes,
            acknowledged=self._acknowledged,
            lost=self._lost,
            refused=self._refused,
            dropped_bytes=self._dropped_bytes,
            reconnections=self.reconnections,
            restarts=self.restarts,
        )
