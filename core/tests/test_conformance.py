"""The conformance suites themselves: complete, and able to fail."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any

import pytest

import livepeer.conformance
from livepeer.conformance import (
    ADAPTER_FACTS,
    WORKER_FACTS,
    AdapterConformance,
    Check,
    Checks,
    Fact,
    Judge,
    Result,
    Sample,
    SkippedError,
    Worker,
    WorkerError,
    check_worker,
    expect,
    expect_that,
)
from livepeer.conformance._adapter._kit import kit_errors
from livepeer.conformance._adapter._suite import ADAPTER_CHECKS
from livepeer.conformance._json_schema import example_of, misfit, schema_errors, wrong_fields
from livepeer.conformance._worker._suite import WORKER_CHECKS

pytestmark = pytest.mark.anyio

Answer = tuple[int, str, str]
"""Status, media type and body."""

MOST_BYTES = 1 << 24

INPUT_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}


def schema(*, streams: bool) -> str:
    own = {"name": "wrong", "path": "/predict", "streams": streams}
    return json.dumps({**own, "input": INPUT_SCHEMA, "output": {"type": "array"}})


@contextmanager
def answering(answer: Callable[[str, str], Answer]) -> Iterator[str]:
    """A server that answers as the function says, by method and path; its base URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one write, or each answer waits for an acknowledgement

        def respond(self) -> None:
            length = int(self.headers.get("content-length", "0"))
            self.rfile.read(length if length < MOST_BYTES else 0)
            status, media_type, body = answer(self.command, self.path)
            self.send_response(status)
            self.send_header("content-type", media_type)
            self.send_header("content-length", str(len(body.encode())))
            self.end_headers()
            self.wfile.write(body.encode())

        do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = respond  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def says_yes(*, streams: bool) -> Callable[[str, str], Answer]:
    """Takes everything for good."""

    def answer(method: str, path: str) -> Answer:
        return 200, "application/json", schema(streams=streams) if method == "GET" and path == "/schema" else "{}"

    return answer


def says_no(*, streams: bool) -> Callable[[str, str], Answer]:
    """Breaks at everything, and tells why."""

    def answer(method: str, path: str) -> Answer:
        if method == "GET" and path == "/schema":
            return 200, "application/json", schema(streams=streams)
        return 500, "text/plain", "Traceback (most recent call last):"

    return answer


def says_nonsense(numbers: Iterator[int]) -> Callable[[str, str], Answer]:
    """Answers in the right shapes, with something else each time."""

    def answer(method: str, path: str) -> Answer:
        del method, path
        number = next(numbers)
        return 200, "text/html", f'{{"number": {number}, "input": {{"type": "{number}"}}}}'

    return answer


WRONG: Sequence[Callable[[str, str], Answer]] = (
    says_yes(streams=True),
    says_yes(streams=False),
    says_no(streams=True),
    says_no(streams=False),
    says_nonsense(count()),
)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def judged(url: str, *only: str, **options: Any) -> list[Result]:
    text = {"text": "hello"}
    worker = Worker(url=url, **{"token": "secret", "input": text, "slow_input": text, **options})
    return await check_worker(worker, only=only)


@pytest.mark.parametrize(("facts", "checks"), [(WORKER_FACTS, WORKER_CHECKS), (ADAPTER_FACTS, ADAPTER_CHECKS)])
def test_no_clause_is_without_a_check_and_no_check_without_a_clause(facts: Sequence[Fact], checks: Any) -> None:
    assert {fact.id for fact in facts} == set(checks)


def test_an_id_is_given_once_and_a_sentence_said_once() -> None:
    facts = [*WORKER_FACTS, *ADAPTER_FACTS]
    assert [id for id, times in Counter(fact.id for fact in facts).items() if times > 1] == []
    assert [text for text, times in Counter(fact.sentence for fact in facts).items() if times > 1] == []
    assert [fact.id for fact in facts if not fact.sentence.endswith(".")] == []


async def test_every_clause_of_a_worker_fails_at_some_wrong_worker() -> None:
    failed: set[str] = set()
    for answer in WRONG:
        with answering(answer) as url:
            results = await judged(url)
        assert sum(result.outcome == "failed" for result in results) > len(results) / 2
        assert all(result.reason for result in results if result.outcome != "passed")
        failed |= {result.fact.id for result in results if result.outcome == "failed"}
    assert [fact.id for fact in WORKER_FACTS if fact.id not in failed] == []


async def test_a_failure_says_what_was_expected_and_what_was_seen() -> None:
    with answering(says_no(streams=False)) as url:
        [result] = await judged(url, "input.malformed")
    assert result.reason.startswith("the status for ")
    assert result.reason.endswith(": expected 400, saw 500")


async def test_what_cannot_be_checked_is_skipped_with_the_reason() -> None:
    with answering(says_no(streams=False)) as url:
        results = await judged(
            url, "full.refused", "token.wrong", "sse.done", "call.answer", input=None, slow_input=None, token=None
        )
    assert {result.fact.id: result.reason for result in results if result.outcome == "skipped"} == {
        "call.answer": "no input was given, and the schema has no example of text",
        "full.refused": "no slow input was given",
        "sse.done": "no input was given, and the schema has no example of text; the default operation does not stream",
        "token.wrong": "no token was given",
    }


async def test_a_model_that_is_not_ready_is_not_called() -> None:
    def answer(method: str, path: str) -> Answer:
        assert method == "GET"
        return 200, "application/json", '{"status": "ERROR"}'

    with answering(answer) as url:
        [result] = await judged(url, "input.malformed")
    assert (result.outcome, result.reason) == ("skipped", "/health says ERROR")


async def test_an_unknown_clause_and_a_worker_that_is_not_there_are_errors() -> None:
    with pytest.raises(ValueError, match="no such fact: nonsense"):
        await judged("http://127.0.0.1:1", "nonsense")
    with pytest.raises(WorkerError, match="cannot be reached"):
        await judged("http://127.0.0.1:1")


async def test_a_check_may_pass_fail_skip_break_off_or_take_too_long() -> None:
    import anyio

    check = Checks[int]()

    @check("passes")
    async def passes(trial: int) -> None:
        expect("the trial", trial, 1)

    @check("fails")
    async def fails(trial: int) -> None:
        expect_that(trial == 2, "another trial", trial)

    @check("skips")
    async def skips(trial: int) -> None:
        raise SkippedError(f"not for {trial}")

    @check("breaks")
    async def breaks(trial: int) -> None:
        raise LookupError(trial)

    @check("hangs", seconds=0.01)
    async def hangs(trial: int) -> None:
        del trial
        await anyio.sleep_forever()

    async def attempt(check: Check[int]) -> None:
        await check.function(1)

    checks = Checks[int].merged([check])
    facts = [Fact(id, 1, f"It {id}.") for id in checks]
    results = await Judge(checks, attempt).check_all(facts, at_once=2)
    assert [(result.fact.id, result.outcome, result.reason) for result in results] == [
        ("passes", "passed", ""),
        ("fails", "failed", "expected another trial, saw 1"),
        ("skips", "skipped", "not for 1"),
        ("breaks", "failed", "LookupError: 1"),
        ("hangs", "failed", "it was not done within 0.01 s"),
    ]


def test_an_adapters_class_is_told_what_it_lacks_and_what_is_too_much() -> None:
    class Kit(AdapterConformance):
        adapter = "any"
        streams = True
        echo = Sample("a.py:A")
        failing = exiting = crashing = printing = slow_setup = failing_setup = echo
        streaming = blocking = echo

    assert list(kit_errors(Kit)) == [
        "bring the sample broken; AdapterConformance.broken says what it does",
        "streams is set: bring the sample failing_midway",
        "there is a sample blocking: set cancels",
        "failing needs a good_input, to see that its target goes on",
        "exiting needs a good_input, to see that its target goes on",
        "crashing needs a good_input, to see that its target goes on",
        "blocking needs a good_input, to see that its target goes on",
    ]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "text"}, "#/type may not be 'text'"),
        ({"properties": {"a": 1}}, "#/properties/a is no schema"),
        ({"anyOf": []}, "#/anyOf may not be []"),
        ({"items": {"minLength": -1}}, "#/items/minLength may not be -1"),
        ({"exclusiveMinimum": True}, "#/exclusiveMinimum may not be True"),
        ({"required": "a"}, "#/required may not be 'a'"),
        ({"$ref": "#/$defs/A"}, "#/$ref leads nowhere: #/$defs/A"),
    ],
)
def test_what_is_no_json_schema_is_named(schema: object, words: str) -> None:
    assert schema_errors(schema) == [words]


def test_a_value_that_does_not_fit_is_told() -> None:
    schema = {
        "properties": {"a": {"$ref": "#/$defs/A"}, "b": {"enum": [1]}, "c": {}, "d": {"items": {"type": "number"}}},
        "$defs": {"A": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
        "required": ["a"],
        "type": "object",
    }
    assert misfit({"a": None, "b": 1, "c": [], "d": [1.5, 2]}, schema, schema) is None
    assert misfit([], schema, schema) == "the value is no object"
    assert misfit({}, schema, schema) == "the value lacks a"
    assert misfit({"a": "x"}, schema, schema) == "the value.a fits no branch"
    assert misfit({"a": 1, "d": [True]}, schema, schema) == "the value.d[0] is no number"
    assert set(wrong_fields(schema)) == {"a", "b", "d"}


def test_an_example_is_made_of_examples_and_defaults() -> None:
    fields = {"a": {"examples": ["x"]}, "b": {"default": 2}, "c": {"enum": ["y"]}, "d": {"type": "string"}}
    assert example_of({"properties": fields, "required": ["a", "b", "c"]}) == ({"a": "x", "b": 2, "c": "y"}, "")
    assert example_of({"properties": fields, "required": ["a", "d"]}) == (None, "d")
    assert example_of({"examples": [{"z": 1}]}) == ({"z": 1}, "")
    assert example_of({}) == ({}, "")


def test_every_exported_name_exists() -> None:
    assert all(hasattr(livepeer.conformance, name) for name in livepeer.conformance.__all__)
