"""How many calls of an api run at once."""

from typing import Any

import pytest
from bento_operations import MODELS

from livepeer.adapters.bentoml import _sdk
from livepeer.adapters.bentoml._native_operation import NativeOperation
from livepeer.adapters.bentoml._predict_operation import PredictOperation
from livepeer.adapters.bentoml._runtime import Runtime


def slots(service: str) -> dict[str, tuple[str | None, int]]:
    runtime = Runtime(_sdk.load(f"bento_unit_slots.py:{service}", str(MODELS)))
    found: dict[str, Any] = {}
    for name in runtime.apis:
        native, predict = NativeOperation(runtime, name).description, PredictOperation(runtime, name).description
        assert (native.pool, native.capacity) == (predict.pool, predict.capacity)
        found[name] = native.pool, native.capacity
    return found


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        (
            "Plain",
            {
                "sync": ("threads", 1),
                "steps": ("threads", 1),
                "async_": ("api async_", 32),
                "items": ("api items", 32),
                "batched": ("api batched", 8),
                "batched_sync": ("api batched_sync", 8),
            },
        ),
        (
            "Threaded",
            {
                "sync": ("threads", 4),
                "steps": ("threads", 4),
                "async_": ("api async_", 5),
                "items": ("api items", 5),
                "batched": ("api batched", 8),
                "batched_sync": ("api batched_sync", 8),
            },
        ),
        (
            "Limited",
            {
                "sync": ("threads", 3),
                "steps": ("threads", 3),
                "async_": ("service", 3),
                "items": ("service", 3),
                "batched": ("service", 3),
                "batched_sync": ("service", 3),
            },
        ),
    ],
)
def test_the_slots_are_those_of_the_configuration(service: str, expected: dict[str, tuple[str, int]]) -> None:
    assert slots(service) == expected


def test_the_timeout_is_the_edges_where_there_is_no_stream() -> None:
    runtime = Runtime(_sdk.load("bento_unit_slots.py:Limited", str(MODELS)))
    found = {name: NativeOperation(runtime, name).description.timeout_seconds for name in ("sync", "items")}
    assert found == {"sync": 7, "items": None}


def test_what_the_environment_says_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENTOML_CONFIG_OVERRIDES", '{"services": {"Limited": {"threads": 2}}}')
    assert slots("Limited")["sync"] == ("threads", 2)
