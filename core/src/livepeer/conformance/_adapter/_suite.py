"""Judges one clause of an adapter's, in one placement."""

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import partial

from livepeer.conformance._checks import Check, Checks
from livepeer.conformance._facts import Fact, Result
from livepeer.conformance._judging import Judge
from livepeer.conformance._worker._facts import WORKER_FACTS

from . import _abilities, _calls, _lifecycle, _live, _loading, _streams
from ._facts import LOADING_FACTS, SERVING_FACTS
from ._stage import Stage
from ._trial import Ability, AdapterTrial

ADAPTER_CHECKS = Checks[AdapterTrial].merged(
    module.check for module in (_loading, _lifecycle, _calls, _streams, _abilities, _live)
)
"""Every check by its clause's id."""

PLACEMENTS: Mapping[str, Sequence[Fact]] = {
    "load": LOADING_FACTS,
    "process": (*SERVING_FACTS, *WORKER_FACTS),
    "inline": (*SERVING_FACTS, *WORKER_FACTS),
}
"""Where a clause is proven: without serving anything, in the host's process, and inline."""

_WIRE_IDS = {fact.id for fact in WORKER_FACTS}
_WORDS: Mapping[Ability, str] = {
    Ability.STREAMS: "the adapter does not stream",
    Ability.STREAMS_ASYNC: "the adapter does not stream what is async",
    Ability.CANCELS: "the adapter does not cancel sync work",
    Ability.CANCELS_ASYNC: "the adapter does not cancel async work",
    Ability.TAKES_FILES: "the adapter takes no files",
    Ability.GIVES_FILES: "the adapter gives no files",
    Ability.BATCHES: "the adapter does not batch",
    Ability.MOUNTS: "the adapter mounts nothing",
    Ability.RUNS_LIVE: "the adapter serves nothing that is live",
    Ability.TEARS_DOWN: "the adapter's framework has no teardown",
}


async def judge_clause(stage: Stage, fact: Fact, placement: str) -> Result:
    """Check a clause: one of the adapter's own, or one of the worker that serves its samples.

    Args:
        stage: Where the samples are put on.
        fact: The clause.
        placement: One of `PLACEMENTS`.
    """
    if fact.id in _WIRE_IDS:
        return (await stage.wire_results(placement))[fact.id]
    judge = Judge(ADAPTER_CHECKS, partial(_attempt, AdapterTrial(stage, placement)), missing=_missing(stage, placement))
    return await judge.check(fact)


async def _attempt(trial: AdapterTrial, check: Check[AdapterTrial]) -> None:
    await check.function(trial)


def _missing(stage: Stage, placement: str) -> list[tuple[Enum, str]]:
    lacks: list[tuple[Enum, str]] = [
        (ability, words) for ability, words in _WORDS.items() if not getattr(stage.kit, ability.name.lower())
    ]
    if placement == "inline":
        lacks.append((Ability.PROCESS, "inline there is no process of the model's own"))
    return lacks
