"""What was asked, run and answered, call by call."""

from collections import Counter
from pathlib import Path
from typing import Any

import anyio

from livepeer.client import LivepeerError

LARGE_EVERY = 10
LARGE_TIMES = 20_000
"""Every tenth call takes the way of large bodies, which is another one."""


class Ledger:
    """The books of one scenario.

    Args:
        records: Where the model records its runs.
    """

    def __init__(self, records: Path) -> None:
        self._records = records
        self._runs_seen: set[str] = set()
        self._progress = anyio.Event()
        self.calls = 0
        """How many calls have ended, well or not."""

        self.ok = 0
        self.ok_at_once = 0
        self.failures: Counter[str] = Counter()
        """Failed attempts, by class and code of the error."""

        self.final_during: Counter[str] = Counter()
        """Failed attempts that are not said to be retryable, by what was down."""

        self.lost: list[str] = []
        """Calls that never succeeded, and why."""

        self.wrong: list[str] = []
        """Answers that are not what the call should get."""

        self.answered_twice: list[str] = []
        """Runs whose answer came more than once."""

        self.down = "nothing"
        """What is being restarted."""

    def ask(self, call: int, attempt: int) -> dict[str, Any]:
        """Make the input of one attempt, unlike that of any other."""
        times = LARGE_TIMES if call % LARGE_EVERY == 0 else 1
        return {"call": call, "attempt": attempt, "text": f"{call}.{attempt}:" * times}

    def take(self, asked: dict[str, Any], answer: Any) -> None:
        """Book an answer."""
        run = answer.pop("run", "") if isinstance(answer, dict) else ""
        if answer == {**asked, "text": asked["text"][::-1]}:
            self.ok += 1
            self.ok_at_once += asked["attempt"] == 0
        else:
            self.wrong.append(f"{asked['call']}.{asked['attempt']} got {str(answer)[:200]}")
        if run in self._runs_seen:
            self.answered_twice.append(f"{asked['call']}.{asked['attempt']} got run {run} again")
        self._runs_seen.add(run)
        self._end()

    def fail(self, error: LivepeerError) -> None:
        """Book a failed attempt."""
        self.failures[f"{type(error).__name__}/{error.code}"] += 1
        self.final_during[self.down] += not error.retryable

    def lose(self, call: int, reason: str) -> None:
        """Book a call that nobody tries again."""
        self.lost.append(f"{call}: {reason}")
        self._end()

    async def until(self, calls: int) -> None:
        """Wait until that many calls have ended."""
        while self.calls < calls:
            await self._progress.wait()

    @property
    def run_twice(self) -> list[str]:
        """Attempts that were run more than once."""
        lines = (self._records / "runs").read_text().splitlines()
        runs = Counter(tuple(line.split()[:2]) for line in lines)
        return [".".join(attempt) for attempt, count in runs.items() if count > 1]

    def _end(self) -> None:
        self.calls += 1
        self._progress.set()
        self._progress = anyio.Event()
