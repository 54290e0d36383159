"""A home for BentoML that is these tests' own, before anything imports it; and services, loaded as a host would."""

import atexit
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from livepeer.adapters.bentoml._finding import find_project
from livepeer.adapters.bentoml._project import Project
from livepeer.core import Target

if "BENTOML_HOME" not in os.environ:
    os.environ["BENTOML_HOME"] = tempfile.mkdtemp(prefix="bentoml-tests-")
    atexit.register(shutil.rmtree, os.environ["BENTOML_HOME"], ignore_errors=True)
os.environ["BENTOML_DO_NOT_TRACK"] = "True"

BENTOMLS_OWN_WARNINGS = (
    "ignore:The `__get_pydantic_core_schema__` method:pydantic.PydanticDeprecatedSince211",
    "ignore:GitWildMatchPattern:DeprecationWarning",
)
"""What it says of its own use of other libraries, when it is imported and when a service is defined."""

_WARNED_OF_BENTOML = (
    "ignore:GitWildMatchPattern:DeprecationWarning",
    "ignore:The `__get_pydantic_core_schema__` method:DeprecationWarning",
    "ignore:Accessing the 'model_fields' attribute on the instance:DeprecationWarning",
)
"""What BentoML does that others have given up: no affair of ours."""


def pytest_configure(config: pytest.Config) -> None:
    for line in _WARNED_OF_BENTOML:
        config.addinivalue_line("filterwarnings", line)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            for ignored in BENTOMLS_OWN_WARNINGS:
                item.add_marker(pytest.mark.filterwarnings(ignored))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def load() -> Iterator[Callable[[Any], tuple[Project, Any]]]:
    """Loads a target's service: the project, which is left after the test, and the service."""
    entered: list[Project] = []

    # Once the environment is as it should be.
    from livepeer.adapters.bentoml._loading import load_service

    def load(target: Any) -> tuple[Project, Any]:
        project = find_project(Target.parse(str(target)))
        project.enter()
        entered.append(project)
        return project, load_service(project)

    yield load
    for project in reversed(entered):
        project.leave()
