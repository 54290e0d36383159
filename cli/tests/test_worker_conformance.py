"""`livepeer conformance worker`: a running worker against every clause."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from livepeer.cli import app
from livepeer.conformance import WORKER_FACTS

MODEL = """
from collections.abc import Iterator
from livepeer.runner import Call, Pipeline

class Held(Pipeline):
    def predict(self, call: Call, wait: bool = False) -> dict[str, bool]:
        while wait and not call.cancelled:
            pass
        return {"waited": wait}

class Streaming(Pipeline):
    def predict(self, text: str) -> Iterator[str]:
        yield text
        yield "[DONE]"
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "models_to_check.py"
    path.write_text(MODEL)
    return path


@pytest.fixture(scope="module")
def held(start: Any, command: Path, model: Path) -> Iterator[str]:
    yield from serving(start, command, f"{model}:Held")


@pytest.fixture(scope="module")
def streaming(start: Any, command: Path, model: Path) -> Iterator[str]:
    yield from serving(start, command, f"{model}:Streaming", LIVEPEER_TOKEN="sesame")


def serving(start: Any, command: Path, target: str, **environment: str) -> Iterator[str]:
    server = start(command, "serve", target, "--host", "127.0.0.1", "--port", "0", **environment)
    yield server.wait_for(r"http://127\.0\.0\.1:\d+")[0]
    server.end()


def run(url: str, *arguments: str) -> Any:
    return CliRunner().invoke(app, ["conformance", "worker", url, *arguments], prog_name="livepeer")


def outcomes(*results: Any) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for result in results:
        for each in json.loads(result.stdout):
            found.setdefault(each["id"], set()).add(each["outcome"])
    return found


def test_a_worker_of_ours_passes_every_clause(held: str, streaming: str) -> None:
    whole = run(held, "--slow-input", '{"wait": true}', "--json")
    stream = run(streaming, "--token", "sesame", "--input", '{"text": "hello"}', "--json")
    assert (whole.exit_code, stream.exit_code) == (0, 0), whole.stdout + stream.stdout
    assert {id: seen for id, seen in outcomes(whole, stream).items() if "passed" not in seen} == {}
    assert [each["id"] for each in json.loads(whole.stdout)] == [fact.id for fact in WORKER_FACTS]


def test_a_token_that_is_wrong_fails_and_the_table_says_why(streaming: str) -> None:
    result = run(streaming, "--token", "wrong", "--input", '{"text": "hello"}', "--only", "call.answer")
    assert result.exit_code == 1
    assert "expected 200, saw 401" in " ".join(result.stdout.split())
    assert result.stdout.splitlines()[-1] == "0 passed, 1 failed, 0 skipped"


def test_without_an_input_one_is_made_where_the_schema_allows_it(held: str, streaming: str) -> None:
    assert json.loads(run(held, "--only", "call.answer", "--json").stdout)[0]["outcome"] == "passed"
    [found] = json.loads(run(streaming, "--token", "sesame", "--only", "call.answer", "--json").stdout)
    assert found["outcome"] == "skipped"
    assert found["reason"] == "no input was given, and the schema has no example of text"


@pytest.mark.parametrize(
    ("url", "options", "code", "line"),
    [
        ("http://127.0.0.1:1", [], 1, "error: http://127.0.0.1:1 cannot be reached: "),
        ("nonsense", [], 1, "error: nonsense cannot be reached: "),
        ("http://127.0.0.1:1", ["--only", "nonsense"], 2, "error: no such fact: nonsense"),
        ("http://127.0.0.1:1", ["--input", "{"], 2, "error: --input is no JSON: "),
        ("http://127.0.0.1:1", ["--slow-input", "[]"], 2, "error: --slow-input is no JSON object"),
    ],
)
def test_an_error_of_the_command_is_one_line(url: str, options: list[str], code: int, line: str) -> None:
    result = run(url, *options)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr.startswith(line)
    assert len(result.stderr.splitlines()) == 1
