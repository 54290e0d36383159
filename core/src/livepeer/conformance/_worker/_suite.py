"""Asks a running worker for every clause, one after another."""

import contextlib
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, cast

import httpx2

from livepeer.conformance._checks import Check, Checks, UnexpectedError
from livepeer.conformance._facts import Result
from livepeer.conformance._json_schema import example_of, required, resolved, wrong_fields
from livepeer.conformance._judging import Judge, select_facts
from livepeer.core import HealthState

from . import _calls, _documents, _health, _input, _problems, _routes, _strangers, _streams
from ._facts import WORKER_FACTS
from ._trial import WorkerTrial, eventually
from ._worker import Part, Worker, WorkerError

WORKER_CHECKS = Checks[WorkerTrial].merged(
    module.check for module in (_health, _documents, _routes, _input, _problems, _calls, _streams, _strangers)
)
"""Every check by its clause's id."""

_LOADING_SECONDS = 60.0
_SETTLE_SECONDS = 10.0


async def check_worker(
    worker: Worker,
    *,
    only: Collection[str] = (),
    on_result: Callable[[Result], None] | None = None,
) -> list[Result]:
    """Check a running worker from outside. It should have nobody else to serve meanwhile.

    Args:
        worker: What to check.
        only: Ids of the clauses to check; empty for all of them.
        on_result: Takes each result as soon as it is there.

    Returns:
        The results in the order of `WORKER_FACTS`.

    Raises:
        ValueError: `only` names what is no clause.
        WorkerError: The worker cannot be asked at all.
    """
    facts = select_facts(WORKER_FACTS, only)
    token = {"authorization": f"Bearer {worker.token}"} if worker.token else {}
    client = partial(httpx2.AsyncClient, base_url=worker.url, timeout=60, trust_env=False)
    async with client(headers=token) as http, client() as stranger:
        state = await _until_loaded(worker, http)
        document = await read_schema(http)
        input, without = (worker.input, "") if worker.input is not None else example_of(document.get("input"))
        trial = WorkerTrial(worker, http, stranger, document, input)
        missing = _find_missing(trial, state, without)
        judge = Judge(WORKER_CHECKS, partial(_attempt, trial), missing=missing.items(), on_result=on_result)
        return await judge.check_all(facts, at_once=1)


async def _attempt(trial: WorkerTrial, check: Check[WorkerTrial]) -> None:
    if Part.READY in check.needs:
        # What the check before has left behind must not be this one's failure; what never ends is told by the check.
        with contextlib.suppress(UnexpectedError, httpx2.HTTPError, LookupError, TypeError, ValueError):
            await trial.until_idle(_SETTLE_SECONDS)
    await check.function(trial)


async def _until_loaded(worker: Worker, http: httpx2.AsyncClient) -> str:
    """Wait for a worker that loads, and return its state; empty if it does not say."""
    state = ""

    async def is_loaded() -> bool:
        nonlocal state
        try:
            state = str((await http.get("/health")).json()["status"])
        except (LookupError, TypeError, ValueError, httpx2.DecodingError):
            return True
        return state != HealthState.LOADING

    try:
        await eventually(is_loaded, "the model to be loaded", seconds=_LOADING_SECONDS)
    except UnexpectedError:
        return state
    except (httpx2.TransportError, httpx2.InvalidURL) as error:
        raise WorkerError(f"{worker.url} cannot be reached: {error}") from error
    return state


async def read_schema(http: httpx2.AsyncClient) -> Mapping[str, Any]:
    """What a worker's `/schema` says; empty if that cannot be read."""
    try:
        found = (await http.get("/schema")).json()
    except (httpx2.HTTPError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _find_missing(trial: WorkerTrial, state: str, without: str) -> Mapping[Part, str]:
    schema = trial.input_schema
    streams = trial.document.get("streams") is True
    lacks = {
        Part.READY: (state in (HealthState.LOADING, HealthState.ERROR), f"/health says {state}"),
        Part.INPUT: (not trial.input_is_known, f"no input was given, and the schema has no example of {without}"),
        Part.TEXT: (not trial.has_text, "the input has no field that takes any text"),
        Part.SLOW: (trial.worker.slow_input is None, "no slow input was given"),
        Part.STREAMS: (not streams, "the default operation does not stream"),
        Part.WHOLE: (streams, "the default operation streams"),
        Part.TOKEN: (trial.worker.token is None, "no token was given"),
        Part.FIELDS: (not wrong_fields(schema), "every field of the schema takes anything"),
        Part.REQUIRED: (not required(schema), "no field is required"),
        Part.CLOSED: (
            resolved(schema, schema).get("additionalProperties") is not False,
            "the schema allows fields that it does not name",
        ),
    }
    return {part: reason for part, (lacking, reason) in lacks.items() if lacking}
