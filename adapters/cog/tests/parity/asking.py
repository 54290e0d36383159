"""Questions to a server, and answers without what varies."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2
from cog_server import Server

from .records import Answer, Case, Expected, Matching

LIMIT_SECONDS = 20


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """Asks for one prediction and waits for its envelope."""

    input: Any
    fields: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self, server: Server) -> Answer:
        return answer(post(server, {"input": self.input, **self.fields}))


@dataclass(frozen=True, kw_only=True)
class Stream:
    """Asks for a prediction's events: a list of (event, data)."""

    input: Any

    def __call__(self, server: Server) -> list[tuple[str, Any]]:
        with opened_stream(server, {"input": self.input}) as events:
            return [(name, data) for name, data in events]


@dataclass(frozen=True, kw_only=True)
class Request:
    """Any request."""

    method: str
    path: str
    content: bytes | None = None
    document: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, server: Server) -> Answer:
        body = (
            {"json": self.document} if self.content is None and self.document is not None else {"content": self.content}
        )
        return answer(server.client.request(self.method, self.path, headers=self.headers, **body))


def succeeds(name: str, document: Any, output: Any, **more: Any) -> Case:
    """A prediction whose output is known; `ours` may be another case's expectation."""
    return Case(name=name, ask=Prediction(input=document), cog=succeeded(output), **more)


def fails(name: str, document: Any, error: str, **more: Any) -> Case:
    """A prediction that fails with an error."""
    return Case(name=name, ask=Prediction(input=document), cog=failed(error), **more)


def refuses(name: str, document: Any, *details: tuple[str, str], **more: Any) -> Case:
    """A prediction whose input is refused: which input, and why."""
    return Case(name=name, ask=Prediction(input=document), cog=refused(*details), **more)


def succeeded(output: Any, **more: Any) -> Expected:
    return Expected(fields={"status": "succeeded", "output": output, **more})


def failed(error: str | Matching, **more: Any) -> Expected:
    """Whatever the error is, Cog says before it that the prediction failed."""
    words = error if isinstance(error, Matching) else f"Prediction failed: {error}"
    return Expected(fields={"status": "failed", "error": words, **more})


def fetch_failed(pattern: str) -> Expected:
    """A file that could not be had; the words are the HTTP library's."""
    return Expected(fields={"status": "failed", "error": Matching(f"^Input validation error: .*{pattern}")})


def refused(*details: tuple[str, str]) -> Answer:
    return Answer(
        status=422,
        body={
            "detail": [
                {
                    "loc": ["body", "input", name],
                    "msg": message,
                    "type": "value_error.missing" if message == "Field required" else "value_error",
                }
                for name, message in details
            ]
        },
    )


def post(server: Server, document: Any, headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """POST /predictions, again while Cog has not given back the slot of an earlier one."""
    for _ in range(500 if server.name == "cog" else 1):
        response = server.client.post("/predictions", json=document, headers=dict(headers or {}))
        if response.status_code != 409:
            break
        time.sleep(0.01)
    return response


@contextmanager
def opened_stream(
    server: Server, document: Any, *, path: str = "/predictions", method: str = "POST"
) -> Iterator[Iterator[tuple[str, Any]]]:
    """A prediction's events as they come."""
    headers = {"accept": "text/event-stream"}
    for _ in range(500 if server.name == "cog" else 1):
        with server.client.stream(method, path, json=document, headers=headers) as response:
            if response.status_code == 409 and server.name == "cog":
                response.read()
                time.sleep(0.01)
                continue
            assert response.status_code == 200, response.read()
            assert response.headers["content-type"] == "text/event-stream"
            yield _events(response.iter_lines())
            return
    raise AssertionError("the slot was never given back")


def _events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, steady(json.loads(line.removeprefix("data: ")))


def answer(response: httpx2.Response) -> Answer:
    """A response without what varies from run to run."""
    kind = response.headers.get("content-type", "")
    body = steady(response.json()) if kind.startswith("application/json") else response.text
    return Answer(status=response.status_code, body=body)


def steady(value: Any) -> Any:
    """A document without generated ids and times."""
    if isinstance(value, dict):
        return {name: _steady_field(name, each) for name, each in value.items()}
    if isinstance(value, list):
        return [steady(each) for each in value]
    if isinstance(value, str):
        return re.sub(r"\(slot [-0-9a-f]{36}\)", "(slot)", re.sub(r"/[^\s\"']*/project/", "<project>/", value))
    return value


def _steady_field(name: str, value: Any) -> Any:
    if name == "id" and isinstance(value, str) and re.fullmatch(r"pred_[0-9a-f]+", value):
        return "<generated>"
    if name == "predict_time" and isinstance(value, float):
        return "<seconds>"
    if name in ("started_at", "completed_at") and isinstance(value, str):
        return "<time>"
    return steady(value)


def until(condition: Callable[[], Any], what: str = "") -> Any:
    """Wait for what happens in another process."""
    limit = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < limit:
        found = condition()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"did not come true in {LIMIT_SECONDS} s: {what}")


def retried(ask: Request) -> Any:
    """Ask again while Cog has not given back the slot."""

    def again(server: Server) -> Answer:
        return until(lambda: unless_busy(ask(server)), "a free slot")

    return again


def unless_busy(found: Answer) -> Answer | None:
    return None if found.status == 409 else found


def until_status(status: int, ask: Callable[[], Answer]) -> Answer:
    """Ask until the answer has this status: Cog gives a slot back late."""

    def asked() -> Answer | None:
        found = ask()
        return found if found.status == status else None

    return until(asked, f"an answer of {status}")


@contextmanager
def in_background(work: Callable[[], Any]) -> Iterator[Callable[[], Any]]:
    """Run something beside; the value given waits for its result."""
    results: list[Any] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()

    def result() -> Any:
        thread.join(LIMIT_SECONDS)
        if errors:
            raise errors[0]
        assert results, "the request did not end"
        return results[0]

    yield result
    thread.join(LIMIT_SECONDS)
