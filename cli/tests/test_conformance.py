import json
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from typer.testing import CliRunner

import livepeer.cli.conformance
from livepeer.cli import app
from livepeer.cli.conformance import FACTS, Network, NetworkError, Result, check_network
from livepeer.cli.conformance._listening import FreePort, listening
from livepeer.cli.conformance._suite import CHECKS
from livepeer.conformance import Checks
from livepeer.devnet import BlockingDevNet

NEGATIVE = (
    "byoc.register.wrong-secret", "byoc.register.bearer", "byoc.register.bad-json", "byoc.register.method",
    "byoc.register.unconvertible", "byoc.unregister.plain-text", "batch.header", "batch.request", "batch.parameters",
    "batch.timeout.zero", "batch.signature.refused", "batch.unknown", "batch.failure.401", "batch.refusal.passed",
)  # fmt: skip
"""Facts about what a network refuses."""

POSITIVE = (
    "byoc.register.raw-secret", "byoc.register.scaling-zero", "byoc.unregister.unknown", "byoc.token.sent",
    "batch.signature.hex", "batch.body", "batch.answer.added", "sse.balance", "routes.run", "worker.input",
)  # fmt: skip
"""Facts about what a network does."""


@pytest.fixture(scope="module")
def net() -> Iterator[BlockingDevNet]:
    with BlockingDevNet() as running:
        yield running


@pytest.fixture
def network(net: BlockingDevNet) -> Network:
    return Network(gateway_url=net.gateway_url, orch_urls=net.orchestrator_urls, secret=net.secret)


@pytest.fixture
def run(net: BlockingDevNet, tmp_path: Path) -> Callable[..., Any]:
    """Runs the command against the network."""
    secret_file = tmp_path / "secret"
    secret_file.write_text(f"{net.secret}\n")

    def invoke(*arguments: str, **options: str) -> Any:
        given = {"--gateway": net.gateway_url, "--orch": net.orchestrator_url, "--secret-file": str(secret_file)}
        given |= {f"--{name.replace('_', '-')}": value for name, value in options.items()}
        words = [word for option in given.items() for word in option]
        return CliRunner().invoke(app, ["conformance", "network", *words, *arguments], prog_name="livepeer")

    return invoke


@asynccontextmanager
async def saying(status: int, body: bytes) -> AsyncGenerator[Network]:
    """A network that answers everything alike, and has no Live Runner."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        is_runner = scope["path"].startswith(("/runners", "/discovery"))
        await Response(body, 404 if is_runner else status)(scope, receive, send)

    port = FreePort("127.0.0.1")
    async with listening(answer, port):
        yield Network(gateway_url=port.url, orch_urls=(port.url,), secret="secret")


def test_every_exported_name_exists_and_is_sorted() -> None:
    names = livepeer.cli.conformance.__all__
    assert sorted(names) == sorted(set(names))
    assert all(hasattr(livepeer.cli.conformance, name) for name in names)


def test_no_fact_is_without_a_check_and_no_check_without_a_fact() -> None:
    assert {fact.id for fact in FACTS} == CHECKS.keys()


def test_an_id_is_given_once() -> None:
    assert [id for id, times in Counter(fact.id for fact in FACTS).items() if times > 1] == []


def test_a_sentence_is_said_once_and_ends() -> None:
    assert [text for text, times in Counter(fact.sentence for fact in FACTS).items() if times > 1] == []
    assert [fact.id for fact in FACTS if not fact.sentence.endswith(".")] == []


def test_the_facts_are_of_these_sections_in_their_order() -> None:
    assert list(dict.fromkeys(fact.section for fact in FACTS)) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_a_fact_cannot_have_two_checks() -> None:
    first, second = Checks(), Checks()
    for checks in (first, second):
        checks("a.fact")(CHECKS["byoc.token.sent"].function)
    with pytest.raises(ValueError, match=r"a\.fact has a check already"):
        first("a.fact")(CHECKS["byoc.token.none"].function)
    with pytest.raises(ValueError, match=r"a\.fact has a check already"):
        Checks.merged([first, second])


@pytest.mark.parametrize(
    ("status", "body", "facts"), [(200, b"ok", NEGATIVE), (400, b"No orchestrators found", POSITIVE)]
)
async def test_a_network_that_always_says_the_same_fails(status: int, body: bytes, facts: tuple[str, ...]) -> None:
    async with saying(status, body) as network:
        results = await check_network(network, only=facts)
    assert [result.fact.id for result in results if result.outcome != "failed"] == []
    assert all(result.reason for result in results)


async def test_a_failure_says_what_was_expected_and_what_was_seen() -> None:
    async with saying(200, b"ok") as network:
        [result] = await check_network(network, only=["byoc.register.wrong-secret"])
    assert result.reason == "the answer: expected (400, 'invalid authorization'), saw (200, 'ok')"


async def test_what_a_network_lacks_is_skipped_with_the_reason() -> None:
    async with saying(200, b"ok") as network:
        results = await check_network(network, only=["runner.full", "batch.failure.next"])
    assert [(result.outcome, result.reason) for result in results] == [
        ("skipped", "a second orchestrator was not given"),
        ("skipped", "the orchestrator does not speak Live Runner"),
    ]


async def test_results_are_told_as_they_come_and_given_in_the_order_of_the_facts(network: Network) -> None:
    told: list[Result] = []
    ids = ["byoc.register.raw-secret", "batch.deadline", "settings.CAPACITY"]
    results = await check_network(network, only=ids[::-1], on_result=told.append)
    assert [result.fact.id for result in results] == ids
    assert told[-1].fact.id == "batch.deadline"
    assert sorted(result.fact.id for result in told) == sorted(ids)


async def test_nothing_of_it_is_left_on_the_network(net: BlockingDevNet, network: Network) -> None:
    leaky = ["byoc.capacity.timeout", "byoc.capacity.caller-left", "byoc.capacity.bad-request", "batch.leaked"]
    runners = ["runner.heartbeat.registers", "runner.o2r.sessions", "apps.session", "worker.runner.registers"]
    results = await check_network(network, only=[*leaky, *runners])
    assert {result.outcome for result in results} == {"passed"}
    assert not net.capabilities
    assert not net.runners


async def test_an_unknown_fact_is_refused(network: Network) -> None:
    with pytest.raises(ValueError, match="no such fact: nonsense"):
        await check_network(network, only=["nonsense"])


async def test_a_network_that_is_not_there_is_an_error() -> None:
    port = FreePort("127.0.0.1")  # bound, and nobody listens
    with pytest.raises(NetworkError, match="cannot be reached"):
        await check_network(Network(gateway_url=port.url, orch_urls=(port.url,), secret="secret"))
    port.socket.close()


def test_the_command_prints_a_table(run: Callable[..., Any]) -> None:
    result = run("--only", "byoc.register.raw-secret", "--only", "runner.absent")
    assert result.exit_code == 0
    assert "byoc.register.raw-secret" in result.stdout
    assert "the orchestrator speaks Live Runner" in " ".join(result.stdout.split())
    assert result.stdout.splitlines()[-1] == "1 passed, 0 failed, 1 skipped"


def test_the_command_prints_json(run: Callable[..., Any]) -> None:
    result = run("--json", "--only", "batch.answer.sniffed")
    [found] = json.loads(result.stdout)
    assert found.pop("seconds") > 0
    assert found == {
        "id": "batch.answer.sniffed",
        "section": 3,
        "sentence": "A gateway guesses the Content-Type, so JSON comes as text.",
        "fault": True,
        "outcome": "passed",
        "reason": "",
    }


def test_the_command_exits_with_1_if_a_fact_fails(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("wrong")
    result = run("--only", "byoc.register.raw-secret", secret_file=str(tmp_path / "wrong"))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def test_a_restart_command_that_fails_fails_the_fact(run: Callable[..., Any]) -> None:
    result = run("--json", "--only", "byoc.forget.restart", restart_command="no-such-command")
    assert result.exit_code == 1
    assert json.loads(result.stdout)[0]["reason"].startswith("the orchestrator was not restarted: ")


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        ({"only": "nonsense"}, 2, "error: no such fact: nonsense"),
        ({"secret_file": "/nowhere"}, 2, "error: the secret cannot be read: "),
        ({"orch": "http://127.0.0.1:1"}, 1, "error: http://127.0.0.1:1 cannot be reached: "),
    ],
)
def test_an_error_of_the_command_is_one_line(
    run: Callable[..., Any], options: dict[str, str], code: int, line: str
) -> None:
    result = run(**options)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(line)
    assert len(result.stderr.splitlines()) == 1
