"""Runs the checks, many at once, and tells what came of each."""

import secrets
from collections.abc import Callable, Collection, Mapping
from contextlib import AsyncExitStack
from itertools import count

import anyio
import httpx2
from websockets.exceptions import WebSocketException

from livepeer.conformance import Check, Checks, Judge, Result, select_facts

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
    _stream_messages,
    _stream_starts,
)
from ._facts import FACTS
from ._network import Network, Part, network_client
from ._probing import find_missing
from ._trial import Trial
from ._worker import Workers, scripted_workers

_MODULES = (
    _registration,
    _authentication,
    _jobs,
    _batch,
    _sse,
    _stream_starts,
    _stream_messages,
    _health,
    _runner,
    _calls,
    _announcing,
    _routes,
    _settings,
)

CHECKS = Checks[Trial].merged(module.check for module in _MODULES)
"""Every check by its fact's id."""

_AT_ONCE = 16


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
    facts = select_facts(FACTS, only)
    async with network_client() as http:
        missing = await find_missing(network, http)
        async with scripted_workers(network.worker_host) as workers:
            attempts = _Attempts(network, missing, http, workers)
            foreseen = (WebSocketException,)
            judge = Judge(CHECKS, attempts.attempt, missing=missing.items(), foreseen=foreseen, on_result=on_result)
            return await judge.check_all(facts, at_once=_AT_ONCE)


class _Attempts:
    def __init__(
        self, network: Network, missing: Mapping[Part, str], http: httpx2.AsyncClient, workers: Workers
    ) -> None:
        self._network = network
        self._missing = missing
        self._http = http
        self._workers = workers
        self._run_id = secrets.token_hex(3)
        self._numbers = count(1)

    async def attempt(self, check: Check[Trial]) -> None:
        """Make a trial, run one check with it, and clean up."""
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
