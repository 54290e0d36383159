"""The table at the end: what broke, what came of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

HEADS = (
    "scenario",
    "network",
    "calls",
    "ok",
    "at once",
    "wrong",
    "twice",
    "restarts",
    "slowest s",
    "leaks",
    "failures",
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """One scenario."""

    scenario: str
    network: str
    calls: int
    ok: int
    ok_at_once: int
    """Calls whose first attempt succeeded."""

    wrong: int = 0
    twice: int = 0
    """Attempts that were run or answered more than once."""

    restarts: int = 0
    slowest_seconds: float | None = None
    """The slowest return to a registration, of all restarts."""

    leaks: Sequence[str] = ()
    failures: Mapping[str, int] = field(default_factory=dict[str, int])
    """Failed attempts, by class and code."""

    def cells(self) -> tuple[str, ...]:
        """The row as text, a cell for each head."""
        return (
            self.scenario,
            self.network,
            str(self.calls),
            str(self.ok),
            str(self.ok_at_once),
            str(self.wrong),
            str(self.twice),
            str(self.restarts),
            "-" if self.slowest_seconds is None else f"{self.slowest_seconds:.1f}",
            ", ".join(self.leaks) or "none",
            ", ".join(f"{kind} {count}" for kind, count in sorted(self.failures.items())) or "none",
        )


def table(rows: Sequence[Row]) -> list[str]:
    """The rows as aligned lines under their heads."""
    lines = [HEADS, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEADS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
