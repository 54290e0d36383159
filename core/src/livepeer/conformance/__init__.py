"""Conformance: every clause of the contract, and its check.

The machinery (`Fact`, `Checks`, `Judge`) serves every suite. `check_worker` asks any running worker over HTTP;
`AdapterConformance` is a test class for an adapter, with the pytest plugin `livepeer.conformance.plugin`. All but the
records takes `livepeer-core[conformance]`.
"""

import importlib
from typing import TYPE_CHECKING, Any

from ._adapter import AdapterConformance, Sample
from ._checks import Check, Checks, SkippedError, UnexpectedError, expect, expect_that
from ._facts import Fact, Result
from ._worker import Worker, WorkerError

if TYPE_CHECKING:
    from ._adapter._facts import ADAPTER_FACTS
    from ._judging import Judge, select_facts
    from ._worker._facts import WORKER_FACTS
    from ._worker._suite import check_worker

__all__ = [
    "ADAPTER_FACTS",
    "WORKER_FACTS",
    "AdapterConformance",
    "Check",
    "Checks",
    "Fact",
    "Judge",
    "Result",
    "Sample",
    "SkippedError",
    "UnexpectedError",
    "Worker",
    "WorkerError",
    "check_worker",
    "expect",
    "expect_that",
    "select_facts",
]

_LAZY = {
    "ADAPTER_FACTS": "_adapter._facts",
    "Judge": "_judging",
    "select_facts": "_judging",
    "WORKER_FACTS": "_worker._facts",
    "check_worker": "_worker._suite",
}


def __getattr__(name: str) -> Any:
    # What talks HTTP needs the extra, and the records do not.
    if name in _LAZY:
        return getattr(importlib.import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
