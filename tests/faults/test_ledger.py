"""The books themselves: what they would say of a network that errs."""

from pathlib import Path
from typing import Any

import pytest

from livepeer.client import BusyError, ModelFailedError

from .ledger import Ledger
from .measures import Holdings


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path)


def answer_to(asked: dict[str, Any], run: str) -> dict[str, Any]:
    return {**asked, "text": asked["text"][::-1], "run": run}


@pytest.mark.parametrize("call", [3, 10])
def test_a_calls_own_answer_is_right(ledger: Ledger, call: int) -> None:
    asked = ledger.ask(call, 1)
    ledger.take(asked, answer_to(asked, "a"))
    assert (ledger.ok, ledger.ok_at_once, ledger.wrong, ledger.answered_twice) == (1, 0, [], [])


def test_the_answer_to_another_attempt_is_wrong(ledger: Ledger) -> None:
    ledger.take(ledger.ask(3, 1), answer_to(ledger.ask(3, 0), "a"))
    assert (ledger.ok, len(ledger.wrong)) == (0, 1)


@pytest.mark.parametrize("answer", [None, [], {}, ""])
def test_the_answer_of_no_model_is_wrong(ledger: Ledger, answer: Any) -> None:
    ledger.take(ledger.ask(3, 0), answer)
    assert len(ledger.wrong) == 1


def test_an_answer_that_comes_again_is_seen(ledger: Ledger) -> None:
    for call in (3, 4):
        asked = ledger.ask(call, 0)
        ledger.take(asked, answer_to(asked, "a"))
    assert ledger.answered_twice == ["4.0 got run a again"]


def test_an_attempt_that_runs_again_is_seen(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("3 0 a\n3 1 b\n3 0 c\n")
    assert ledger.run_twice == ["3.0"]


def test_failures_are_told_apart_by_class_code_and_what_was_down(ledger: Ledger) -> None:
    ledger.fail(BusyError("full"))
    ledger.down = "host"
    ledger.fail(ModelFailedError("broken", code="host_crashed"))
    assert ledger.failures == {"BusyError/busy": 1, "ModelFailedError/host_crashed": 1}
    assert (ledger.final_during["nothing"], ledger.final_during["host"]) == (0, 1)


def test_what_is_held_beyond_its_tolerance_is_a_leak() -> None:
    before = Holdings(counts={"slots": 0, "edge sockets": 3}, memory_mib={"edge": 50, "host": 40})
    after = Holdings(counts={"slots": 1, "edge sockets": 6}, memory_mib={"edge": 57, "host": 60})
    assert after.leaks(before) == ["slots 0 to 1", "edge sockets 3 to 6"]
    assert after.growth(before) == ["host memory +20 MiB"]
    assert not before.leaks(after)
