"""What the unit tests of the model side share: models loaded by the adapter, as a host would."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from livepeer.adapters.cog import CogAdapter
from livepeer.adapters.cog._capability import CogCapability
from livepeer.core import Target

MODELS = Path(__file__).parent / "models"


@pytest.fixture
def load() -> Iterator[Callable[[str], CogCapability]]:
    """Loads a model of `models/`, as ``unit_inputs.py:Name``, and lets go of it after the test."""
    loaded: list[CogCapability] = []

    def load(text: str) -> CogCapability:
        capability = CogAdapter().load(Target.parse(text if text.startswith("/") else str(MODELS / text)))
        loaded.append(capability)
        return capability

    yield load
    for capability in reversed(loaded):
        capability.teardown()
