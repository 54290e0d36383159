"""The schema that we write of a model is the one that `cog build` writes."""

import json
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version
from parity.models import MODELS
from parity.serving import RECORDED_SCHEMAS, write_project

from livepeer.adapters.cog import CogAdapter
from livepeer.adapters.cog._face import cog_openapi
from livepeer.core import Target

RECORDED: dict[str, dict[str, Any]] = json.loads(RECORDED_SCHEMAS.read_text())
SERVED = {f"{model.file}:{model.target}": model for model in MODELS if model.schema}


@pytest.fixture(params=SERVED)
def reference(request: pytest.FixtureRequest) -> str:
    needed = SERVED[request.param].since
    if Version(version("cog")) < Version(needed):
        pytest.skip(f"needs Cog {needed}")
    return request.param


@pytest.fixture
def document(reference: str, tmp_path: Path) -> Iterator[dict[str, Any]]:
    capability = CogAdapter().load(Target.parse(str(write_project(SERVED[reference], tmp_path))))
    yield cog_openapi(capability._model)
    capability.teardown()


def test_the_schemas_are_those_of_cog_build(reference: str, document: dict[str, Any]) -> None:
    recorded = RECORDED[reference]["schemas"]
    assert {name: document["components"]["schemas"].get(name) for name in recorded} == recorded


def test_each_recorded_schema_is_of_a_model() -> None:
    assert RECORDED.keys() == SERVED.keys()
