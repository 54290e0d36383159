"""The pytest plugin: a test for each clause and placement of a class that derives from `AdapterConformance`.

A test module asks for it with ``pytest_plugins = ["livepeer.conformance.plugin"]``. It is no entry point: who installs
livepeer-core for something else pays nothing for it, and nobody's assertions are rewritten.
"""

from collections.abc import Callable, Iterator
from typing import cast

import anyio
import pytest

from ._adapter._kit import AdapterConformance, kit_errors
from ._adapter._stage import Stage
from ._adapter._suite import PLACEMENTS, judge_clause
from ._facts import Fact


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a test of each clause in each placement."""
    kit = _kit_of(metafunc.definition)
    if kit is None or "prove" not in metafunc.fixturenames:
        return
    errors = list(kit_errors(kit))
    if errors:
        pytest.fail(f"{kit.__name__}: {'; '.join(errors)}", pytrace=False)
    clauses = [(fact, placement) for placement, facts in PLACEMENTS.items() for fact in facts]
    metafunc.parametrize("prove", [_parameter(kit, *clause) for clause in clauses], indirect=True)


@pytest.fixture
def prove(request: pytest.FixtureRequest, conformance_stage: Stage) -> Callable[[], None]:
    """Proves the clause of a test."""
    fact, placement = cast("tuple[Fact, str]", request.param)

    def run() -> None:
        result = anyio.run(judge_clause, conformance_stage, fact, placement)
        if result.outcome == "skipped":
            pytest.skip(result.reason)
        if result.outcome == "failed":
            pytest.fail(f"{fact.id}: {fact.sentence}\n{result.reason}", pytrace=False)

    return run


@pytest.fixture(scope="class")
def conformance_stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """Where the samples of a class are put on, from its first test to its last."""
    kit = _kit_of(request.node)
    assert kit is not None
    stage = Stage(kit)
    yield stage
    stage.close()


def _kit_of(node: pytest.Item | pytest.Collector) -> type[AdapterConformance] | None:
    parent = node.getparent(pytest.Class)
    found: object = None if parent is None else parent.obj
    return found if isinstance(found, type) and issubclass(found, AdapterConformance) else None


def _parameter(kit: type[AdapterConformance], fact: Fact, placement: str) -> object:
    reason = kit.xfails.get(fact.id)
    marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True)]
    return pytest.param((fact, placement), id=f"{placement}-{fact.id}", marks=marks)
