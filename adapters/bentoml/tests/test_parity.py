"""The same services, served by BentoML and by us, answer the same requests alike, but for what is meant to differ."""

from collections.abc import Iterator
from typing import Any

import pytest
from bento_parity.differences import DIFFERENCES
from bento_parity.records import Case, Service
from bento_parity.served import SERVICES
from bento_parity.serving import Pairs

pytestmark = pytest.mark.timeout(120)

CASES = [
    pytest.param(service, case, id=f"{service.target.partition(':')[2]}-{case.name}")
    for service in SERVICES
    for case in service.cases
]


@pytest.fixture(scope="module")
def pairs(request: pytest.FixtureRequest) -> Iterator[Pairs]:
    asked = [params(item).get("service") for item in request.session.items]
    wanted = {service.target for service in asked if isinstance(service, Service)}
    pairs = Pairs([service for service in SERVICES if service.target in wanted])
    yield pairs
    pairs.close()


def params(item: Any) -> dict[str, Any]:
    return item.callspec.params if hasattr(item, "callspec") else {}


@pytest.mark.parametrize(("service", "case"), CASES)
def test_we_answer_as_bentoml_does_but_for_what_is_meant(pairs: Pairs, service: Service, case: Case) -> None:
    theirs, ours = pairs.take(service).ask(case)
    assert case.status in (theirs[0].status, None), theirs
    expected = theirs
    for difference in DIFFERENCES:
        if case.name in difference.cases:
            before, expected = expected, [difference.cases[case.name](case, answer) for answer in expected]
            assert expected != before, f"there is no difference any more: {difference.reason}"
    assert ours == expected


def test_each_difference_has_cases_that_there_are() -> None:
    names = {case.name for service in SERVICES for case in service.cases}
    assert [difference.reason for difference in DIFFERENCES if not difference.cases] == []
    assert {name for difference in DIFFERENCES for name in difference.cases} - names == set()


def test_there_are_cases_enough() -> None:
    names = [case.name for service in SERVICES for case in service.cases]
    assert len(names) >= 90
    assert sorted(names) == sorted(set(names))
