"""The development network against the contract: a test a fact.

`livepeer conformance network` asks any network the same.
"""

from collections.abc import Callable

import pytest

from livepeer.cli.conformance import FACTS, Fact, Result

SKIPPED = {
    "byoc.register.self-signed": "the development network has no TLS",
}
"""What cannot be checked here; anything else that is skipped is a failure."""


@pytest.mark.timeout(180)
@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.id)
def test_the_fact_holds(results: dict[str, Result], fact: Fact) -> None:
    result = results[fact.id]
    assert result.outcome == ("skipped" if fact.id in SKIPPED else "passed"), result.reason
    if fact.id in SKIPPED:
        pytest.skip(SKIPPED[fact.id])


def test_a_network_without_live_runner_skips_its_facts_and_says_why(judged: Callable[..., dict[str, Result]]) -> None:
    found = judged("runner.full", "apps.session", "discovery.fields", "byoc.register.raw-secret", networks=("byoc",))
    assert {id: result.outcome for id, result in found.items()} == {
        "byoc.register.raw-secret": "passed",
        "runner.full": "skipped",
        "discovery.fields": "skipped",
        "apps.session": "skipped",
    }
    assert found["runner.full"].reason == "the orchestrator does not speak Live Runner"


def test_a_network_without_byoc_skips_its_facts_and_says_why(judged: Callable[..., dict[str, Result]]) -> None:
    found = judged("batch.route", "runner.full", networks=("live-runner",))
    assert {id: result.outcome for id, result in found.items()} == {"batch.route": "skipped", "runner.full": "passed"}
    assert found["batch.route"].reason == "the orchestrator does not speak BYOC"


def test_a_call_that_would_have_to_be_paid_is_skipped_without_a_signer(
    judged: Callable[..., dict[str, Result]],
) -> None:
    found = judged("apps.headers", "apps.payment.get", "runner.unregister", paid=True, with_signer=False)
    assert {id: result.outcome for id, result in found.items()} == {
        "runner.unregister": "passed",
        "apps.headers": "skipped",
        "apps.payment.get": "skipped",
    }
