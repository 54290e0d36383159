"""Runs checks, many at once or one after another, and tells what came of each."""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from enum import Enum
from typing import Generic, cast

import anyio
import httpx2

from livepeer.core import LivepeerError

from ._checks import Check, SkippedError, TrialT
from ._facts import Fact, Outcome, Result

logger = logging.getLogger("livepeer.conformance")

_FORESEEN = (
    LivepeerError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)
"""How somebody who is wrong breaks a check off; anything else is a mistake of the check."""


class Judge(Generic[TrialT]):
    """Checks facts.

    Args:
        checks: How, by the facts' ids.
        attempt: Makes a trial, and runs one check with it.
        missing: What is not there, with the reason; a check that needs it is skipped.
        foreseen: What else breaks a check off without being its mistake.
        on_result: Takes each result as soon as it is there.
    """

    def __init__(
        self,
        checks: Mapping[str, Check[TrialT]],
        attempt: Callable[[Check[TrialT]], Awaitable[None]],
        *,
        missing: Iterable[tuple[Enum, str]] = (),
        foreseen: tuple[type[Exception], ...] = (),
        on_result: Callable[[Result], None] | None = None,
    ) -> None:
        self._checks = checks
        self._attempt = attempt
        self._missing = tuple(missing)
        self._foreseen = (*_FORESEEN, *foreseen)
        self._on_result = on_result

    async def check_all(self, facts: Collection[Fact], *, at_once: int) -> list[Result]:
        """Check the facts, those that take longest first, and those that disturb others last.

        Args:
            facts: What to check.
            at_once: How many at the same time; one keeps to their order.

        Returns:
            The results in the order of the facts.
        """
        results: dict[str, Result] = {}

        async def run(fact: Fact) -> None:
            results[fact.id] = await self.check(fact)

        limiter = anyio.CapacityLimiter(at_once)

        async def run_limited(fact: Fact) -> None:
            async with limiter:
                await run(fact)

        ordered = list(facts) if at_once == 1 else sorted(facts, key=lambda fact: -self._checks[fact.id].seconds)
        async with anyio.create_task_group() as tasks:
            for fact in ordered:
                if not self._checks[fact.id].alone:
                    tasks.start_soon(run_limited, fact)
        for fact in ordered:
            if self._checks[fact.id].alone:
                await run(fact)
        return [results[fact.id] for fact in facts]

    async def check(self, fact: Fact) -> Result:
        """Check one fact, within the time that its check may take."""
        begin = anyio.current_time()
        outcome, reason = await self._judge(self._checks[fact.id])
        result = Result(fact=fact, outcome=outcome, reason=reason, seconds=anyio.current_time() - begin)
        if self._on_result is not None:
            self._on_result(result)
        return result

    async def _judge(self, check: Check[TrialT]) -> tuple[Outcome, str]:
        lacking = [reason for part, reason in self._missing if part in check.needs]
        if lacking:
            return "skipped", "; ".join(lacking)
        try:
            with anyio.fail_after(check.seconds):
                await self._attempt(check)
        except TimeoutError:
            return "failed", f"it was not done within {check.seconds:g} s"
        except Exception as caught:
            error = _first(caught)
            if not isinstance(error, self._foreseen):
                logger.exception("a check broke off")
            return ("skipped" if isinstance(error, SkippedError) else "failed"), _words(error)
        return "passed", ""


def select_facts(facts: Sequence[Fact], only: Collection[str]) -> list[Fact]:
    """The facts of these ids, in their order; all of them if none is named.

    Raises:
        ValueError: There is no such fact.
    """
    if unknown := set(only) - {fact.id for fact in facts}:
        raise ValueError(f"no such fact: {', '.join(sorted(unknown))}")
    return [fact for fact in facts if not only or fact.id in only]


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = cast("ExceptionGroup[Exception]", error).exceptions[0]
    return error


def _words(error: Exception) -> str:
    if isinstance(error, LivepeerError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
