"""What is checked, and what came of it: the same two records for networks, workers and adapters."""

from dataclasses import dataclass, field
from typing import Literal

Outcome = Literal["passed", "failed", "skipped"]


@dataclass(frozen=True)
class Fact:
    """One sentence that can be checked. What a worker or an adapter owes is called a clause."""

    id: str
    """Stable and dotted: what it is about, the matter, the point."""

    section: int | str
    """Where it is stated: a section of the wire contract by its number, or another source by its name."""

    sentence: str
    """What holds."""

    fault: bool = field(default=False, kw_only=True)
    """Whether it would be better otherwise; it is asserted all the same."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a fact."""

    fact: Fact
    outcome: Outcome
    reason: str = ""
    """What was expected and what was seen, or why it was skipped."""

    seconds: float = 0.0
    """How long the check took."""
