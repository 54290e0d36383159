"""Cases of streams."""

from typing import Any

from .asking import Request, call, got
from .records import Case


def streamed(name: str, path: str, items: list[Any], document: Any = None, status: int = 200) -> Case:
    return Case(
        name=f"stream: {name}", ask=Request(path=path, form={"json": document or {}}), items=items, status=status
    )


FRAMES = ['data: {"delta": "a"}\n\n', 'event: usage\ndata: {"tokens": 2}\n\n']

CASES = (
    streamed("words", "/words", ["one", "two", "three"]),
    streamed("words, sync", "/words_sync", ["one", "two", "three"]),
    streamed("words that are not ASCII", "/words", ["é", "\U0001f600"], {"text": "é \U0001f600"}),
    streamed("lines", "/words", ["a\n", "", "\r\nb"], {"text": "a\n  \r\nb"}),
    streamed("numbers", "/numbers", [0, 1, 2]),
    streamed("many", "/numbers", list(range(300)), {"upto": 300}),
    streamed("documents", "/documents", [{"number": n, "text": f"é {n}\n"} for n in range(3)]),
    streamed("models", "/tokens", [{"text": "a", "index": 0}, {"text": "b", "index": 1}]),
    streamed("arrays", "/arrays", [[1, 2], [[0.5]]]),
    streamed("bytes", "/pieces", [b"\x00\x01", b"\xff"]),
    streamed("frames", "/events", [*FRAMES, "data: [DONE]\n\n"]),
    streamed("nothing", "/none_at_all", []),
    streamed("nothing, sync", "/none_at_all_sync", []),
    streamed("a head", "/headed", ["first", "second"], status=202),
    streamed("a failure later", "/fails_later", ["one"], {"kind": "value"}),
    streamed("a failure later, sync", "/fails_later_sync", ["one"], {"kind": "value"}),
    streamed("a refusal later", "/fails_later", ["one"], {"kind": "not found"}),
    Case(
        name="stream: JSON is asked for",
        ask=Request(path="/words", form={"json": {}}, headers=[("accept", "application/json")]),
        items=["one", "two", "three"],
    ),
    call("no stream: not found", "/fails_first", {"kind": "not found"}, 404),
    call("no stream: not found, sync", "/fails_first_sync", {"kind": "not found"}, 404),
    call("no stream: a failure", "/fails_first", {"kind": "value"}, 500),
    call("no stream: a failure, sync", "/fails_first_sync", {"kind": "value"}, 500),
    call("no stream: an HTTP exception", "/fails_first", {"kind": "http"}, 500),
    call("no stream: a parameter at fault", "/numbers", {"upto": "many"}, 400),
    got("GET of a stream", "/words", 405),
)
