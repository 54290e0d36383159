"""The adapter half of the conformance suite can fail: wrong adapters do not pass it."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from livepeer.conformance import ADAPTER_FACTS
from livepeer.conformance._adapter._facts import LOADING_FACTS

WRONG = Path(__file__).with_name("wrong")

FAILING: Mapping[str, tuple[str, ...]] = {
    "Greedy": ("adapter.claims-nothing-else",),
    "Blind": ("adapter.claims",),
    "Eager": ("adapter.runs-nothing",),
    "Marking": ("adapter.changes-nothing",),
    "Lenient": ("adapter.broken", "adapter.missing", "setup.broken"),
    "Careless": (
        "decode.wrong-fields", "decode.malformed", "decode.anything", "call.unknown-field", "mounts.contract-first",
    ),
    "Telling": ("model.failing", "model.exiting", "stream.failing-midway"),
    "Collecting": (
        "stream.items", "stream.true", "stream.closed",
        "stream.async-items", "stream.async-true", "stream.async-closed",
    ),
    "Deaf": ("cancel.sync", "cancel.async"),
    "Mangling": ("call.output", "call.text", "call.large", "files.in", "files.out", "batches.meet", "mounts.route"),
    "Quiet": ("call.logged",),
    "Hasty": ("setup.first", "setup.loading", "setup.failing"),
    "Forgetful": ("teardown.once", "teardown.after-failed-setup"),
    "Denying": ("model.crashing",),
    "Misdescribing": (
        "adapter.manifest", "describe.info", "describe.operations", "describe.schemas", "describe.inputs",
        "describe.streams", "describe.live",
    ),
    "Fleeting": ("live.start", "live.twice", "live.capacity", "live.own-end"),
    "Undying": ("live.stop", "live.own-end"),
    "Agreeing": ("live.unknown", "live.params"),
}  # fmt: skip
"""The clauses that each wrong adapter breaks."""

_AT_ONCE = 4

Outcomes = dict[str, str]
Prove = Callable[..., tuple[Outcomes, str]]


@pytest.fixture(scope="module")
def prove(tmp_path_factory: pytest.TempPathFactory) -> Prove:
    """Runs tests of the kits as their author would; the outcome of each, and what was printed."""
    folder = tmp_path_factory.mktemp("wrong")
    installed = folder / "wrong_adapters-0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: wrong-adapters\nVersion: 0\n")
    names = "\n".join(f"{name.lower()} = adapters:{name}" for name in FAILING)
    (installed / "entry_points.txt").write_text(f"[livepeer.adapters]\n{names}\n")

    def run(*tests: str) -> tuple[Outcomes, str]:
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-c", os.devnull, "--tb=short", "-rA", *tests],
            cwd=WRONG,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(WRONG), str(folder)])},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        found = re.findall(r"^(PASSED|FAILED|ERROR|XFAIL) \S*::test_clause\[(?:load|process)-(\S+)\]", ran.stdout, re.M)
        return {id: outcome for outcome, id in found}, ran.stdout

    return run


def test_every_clause_has_an_adapter_that_breaks_it() -> None:
    broken = {id for ids in FAILING.values() for id in ids}
    assert broken == {fact.id for fact in ADAPTER_FACTS}


@pytest.fixture(scope="module")
def proven(prove: Prove) -> dict[str, tuple[Outcomes, str]]:
    """What came of each wrong adapter, a few at a time: what never happens is waited for again and again."""

    def run(name: str) -> tuple[Outcomes, str]:
        return prove(*(f"kits.py::Test{name}::test_clause[{_place(id)}-{id}]" for id in FAILING[name]))

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return dict(zip(FAILING, threads.map(run, FAILING), strict=True))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", FAILING)
def test_a_wrong_adapter_fails(proven: dict[str, tuple[Outcomes, str]], name: str) -> None:
    outcomes, text = proven[name]
    assert outcomes == dict.fromkeys(FAILING[name], "FAILED"), text


def test_a_clause_that_is_known_not_to_hold_is_no_failure_until_it_holds(prove: Prove) -> None:
    nodes = [f"kits.py::TestKnown::test_clause[load-adapter.{what}]" for what in ("claims", "claims-nothing-else")]
    outcomes, text = prove(*nodes)
    assert outcomes["adapter.claims"] == "XFAIL", text
    assert "XPASS(strict)" in text


def test_a_class_without_samples_is_told_which_to_bring(prove: Prove) -> None:
    _, text = prove("kits.py::TestNothing")
    assert "TestNothing: bring the sample echo" in text
    assert "bring the sample broken" in text


def _place(id: str) -> str:
    return "load" if id in {fact.id for fact in LOADING_FACTS} else "process"
