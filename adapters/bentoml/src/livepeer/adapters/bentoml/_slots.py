"""How many calls of an api run at once, and for how long."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from . import _sdk

_THREADS_POOL = "threads"
_SERVICE_POOL = "service"
_DEFAULT_CAPACITY = 32
"""Of an async api that says nothing: BentoML has no limit at all."""


@dataclass(frozen=True, kw_only=True)
class Slots:
    """The limits of an api; both of its faces have the same."""

    pool: str
    """Whose slots it takes: those of all sync apis, of the whole service, or its own."""

    capacity: int
    """Of the pool."""


def slots_of(method: Any, configuration: Mapping[str, Any], most: int | None) -> Slots:
    """The slots of an api.

    Args:
        method: The api.
        configuration: The service's, with BentoML's defaults filled in.
        most: How many calls of the service this process may run, `max_concurrency` of BentoML; None for any number.
    """
    if not method.batchable and not _is_async(method):
        threads = int(configuration.get("threads") or 1)
        return Slots(pool=_THREADS_POOL, capacity=threads if most is None else min(threads, most))
    if most is not None:
        return Slots(pool=_SERVICE_POOL, capacity=most)
    own = f"api {method.name}"
    if method.batchable:
        # Callers must be able to meet in a batch.
        return Slots(pool=own, capacity=method.max_batch_size)
    concurrency = cast("dict[str, Any]", configuration.get("traffic") or {}).get("concurrency")
    return Slots(pool=own, capacity=int(concurrency or _DEFAULT_CAPACITY))


def _is_async(method: Any) -> bool:
    function = _sdk.get_original_func(method.func)
    return inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
