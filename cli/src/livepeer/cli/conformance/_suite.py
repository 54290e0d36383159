"""Runs the checks, many at once, and tells what came of each."""

import logging
import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from typing import Literal, cast

import anyio
import httpx2
from websockets.exceptions import WebSocketException

from livepeer.core import LivepeerError

from . import (
    _announcing,
    _authentication,
    _batch,
    _calls,
    _health,
    _jobs,
    _registration,
    _routes,
    _runner,
    _settings,
    _sse,
)
from ._checks import Check, Checks, SkippedError
from ._facts import FACTS, Fact
from ._network import Network, Part, network_client
from ._probing import find_missing
from ._trial import Trial
from ._worker import Workers, scripted_workers

logger = logging.getLogger("livepeer.cli")

_MODULES = (
    _registration,
    _authentication,
    _jobs,
    _batch,
    _sse,
    _health,
    _runner,
    _calls,
    _announcing,
    _routes,
    _settings,
)

CHECKS = Checks.merged(module.check for module in _MODULES)
"""Every check by its fact's id."""

_AT_ONCE = 16

_FORESEEN = (
    LivepeerError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    WebSocketException,
    LookupError,
    OSError,
    TypeError,
    ValueError,
)
"""How a network that is wrong breaks a check off; anything else is a mistake of the check."""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What came of a fact."""

    fact: Fact
    outcome: Literal["passed", "failed", "skipped"]
    reason: str = ""
    """What was expected and what was seen, or why it was skipped."""

    seconds: float = 0.0
    """How long the check took."""


async def check_network(
    network: Network,
    *,
    only: Collection[str] = (),
    on_result: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Check a network, and workers of our own on it, against the facts.

    Args:
        network: What to check.
        only: Ids of the facts to check; empty for all of them.
        on_result: Takes each result as soon as it is there.

    Returns:
        The results in the order of `FACTS`.

    Raises:
        ValueError: `only` names what is no fact.
        NetworkError: The network cannot be asked at all.
    """
    if unknown := set(only) - {fact.id for fact in FACTS}:
        raise ValueError(f"no such fact: {', '.join(sorted(unknown))}")
    facts = [fact for fact in FACTS if not only or fact.id in only]
    async with network_client() as http:
        missing = await find_missing(network, http)
        async with scripted_workers(network.worker_host) as workers:
            suite = _Suite(network, missing, http, workers, on_result)
            await suite.run(facts)
    return [suite.results[fact.id] for fact in facts]


class _Suite:
    def __init__(
        self,
        network: Network,
        missing: Mapping[Part, str],
        http: httpx2.AsyncClient,
        workers: Workers,
        on_result: Callable[[Result], None] | None,
    ) -> None:
        self.results: dict[str, Result] = {}
        self._network = network
        self._missing = missing
        self._http = http
        self._workers = workers
        self._on_result = on_result
        self._run_id = secrets.token_hex(3)
        self._numbers = count(1)

    async def run(self, facts: Collection[Fact]) -> None:
        """Check the facts, those that take longest first, and those that disturb others last."""
        limiter = anyio.CapacityLimiter(_AT_ONCE)
        slowest_first = sorted(facts, key=lambda fact: -CHECKS[fact.id].seconds)
        async with anyio.create_task_group() as tasks:
            for fact in slowest_first:
                if not CHECKS[fact.id].alone:
                    tasks.start_soon(self._run_limited, fact, limiter)
        for fact in slowest_first:
            if CHECKS[fact.id].alone:
                await self._run(fact)

    async def _run_limited(self, fact: Fact, limiter: anyio.CapacityLimiter) -> None:
        async with limiter:
            await self._run(fact)

    async def _run(self, fact: Fact) -> None:
        begin = anyio.current_time()
        outcome, reason = await self._judge(CHECKS[fact.id])
        result = Result(fact=fact, outcome=outcome, reason=reason, seconds=anyio.current_time() - begin)
        self.results[fact.id] = result
        if self._on_result is not None:
            self._on_result(result)

    async def _judge(self, check: Check) -> tuple[Literal["passed", "failed", "skipped"], str]:
        lacking = [self._missing[part] for part in Part if part in check.needs and part in self._missing]
        if lacking:
            return "skipped", "; ".join(lacking)
        try:
            with anyio.fail_after(check.seconds):
                await self._try(check)
        except TimeoutError:
            return "failed", f"it was not done within {check.seconds:g} s"
        except Exception as caught:
            error = _first(caught)
            if not isinstance(error, _FORESEEN):
                logger.exception("a check broke off")
            return ("skipped" if isinstance(error, SkippedError) else "failed"), _words(error)
        return "passed", ""

    async def _try(self, check: Check) -> None:
        async with AsyncExitStack() as stack:
            name = self._name()
            trial = Trial(
                self._network, self._missing, self._http, name, lambda: self._workers.worker(self._name()), stack
            )
            stack.push_async_callback(self._clean_up, trial)
            await check.function(trial)

    async def _clean_up(self, trial: Trial) -> None:
        """Leave no leak behind, whatever came of the check."""
        with anyio.CancelScope(shield=True), anyio.move_on_after(5):
            try:
                await trial.byoc.unregister()
                await trial.apps.unregister_all()
            except httpx2.HTTPError:
                pass  # a network that is gone holds nothing of ours

    def _name(self) -> str:
        return f"conformance-{self._run_id}-{next(self._numbers)}"


def _first(error: Exception) -> Exception:
    while isinstance(error, ExceptionGroup):
        error = cast("ExceptionGroup[Exception]", error).exceptions[0]
    return error


def _words(error: Exception) -> str:
    if isinstance(error, LivepeerError) and str(error):
        return str(error)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
