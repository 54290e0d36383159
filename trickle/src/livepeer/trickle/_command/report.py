"""What a command says on stderr about what is missing."""
# ruff: noqa: T201 (a command speaks to its user)

import sys

from livepeer.trickle._errors import LineError
from livepeer.trickle._outcomes import Acknowledged, Gap, Outcome

_SHOWN_BYTES = 80


class Report:
    """Says what was lost, missed or left out, and remembers that something was."""

    def __init__(self) -> None:
        self.status = 0
        """The command's exit status, if nothing else decides it."""

        self._missed = 0  # As far as it was said.

    def outcome(self, outcome: Outcome) -> None:
        """Say that a published segment did not arrive, if so."""
        if not isinstance(outcome, Acknowledged):
            self.say(f"segment {outcome.seq} was lost ({outcome.bytes} bytes): {outcome.detail}")

    def gap(self, gap: Gap) -> None:
        """Say that segments were missed."""
        self._missed += gap.count
        segments = f"segment {gap.first}" if gap.count == 1 else f"segments {gap.first} to {gap.last}"
        self.say(f"missed {segments}: gone from the server before they were read")

    def rest(self, missed: int) -> None:
        """Say that segments were missed which none came after, so that they were in no gap.

        Args:
            missed: How many were missed in all.
        """
        if missed > self._missed:
            left = missed - self._missed
            self.say(f"missed {left} segments more: the channel ended, or began anew, before they were read")

    def line(self, error: LineError) -> None:
        """Say that a line was left out."""
        shown = error.line[:_SHOWN_BYTES].decode(errors="replace")
        self.say(f"{error}: {shown!r}")

    def say(self, text: str) -> None:
        """Say that something is missing."""
        self.status = 3
        print(text, file=sys.stderr)
