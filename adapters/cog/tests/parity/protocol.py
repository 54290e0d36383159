"""Cases of Cog's HTTP: bodies, ids, paths."""

import json
from typing import Any

from cog_server import Server

from .asking import Request, answer, failed, post, retried, succeeded, until_status
from .cancelling import accepted
from .iterators import NOT_STREAMING
from .loopback import webhook
from .records import Answer, Case, Difference, Matching, Model

UNPARSED = "Failed to parse the request body as JSON: "
ASYNC = {"prefer": "respond-async"}
JSON = {"content-type": "application/json"}


def posted(name: str, content: bytes, cog: Any, *, headers: dict[str, str] | None = None, **more: Any) -> Case:
    ask = Request(method="POST", path="/predictions", content=content, headers=JSON if headers is None else headers)
    return Case(name=name, ask=retried(ask), cog=cog, **more)


def broken(error: str) -> Answer:
    return Answer(status=400, body=UNPARSED + error)


def unparsed(name: str, content: bytes, error: str) -> Case:
    """A body that is no JSON."""
    return unreadable(name, content, 400, UNPARSED, error)


def mistyped(name: str, content: bytes, error: str) -> Case:
    """A body that is JSON of another shape."""
    return unreadable(name, content, 422, "Failed to deserialize the JSON body into the target type: ", error)


def unreadable(name: str, content: bytes, status: int, words: str, error: str) -> Case:
    ours = Answer(status=status, body=Matching("^" + words))
    return posted(name, content, Answer(status=status, body=words + error), ours=ours, because=Difference.WORDS)


def put(server: Server, name: str, document: Any, headers: dict[str, str] | None = None) -> Answer:
    return answer(server.client.put(f"/predictions/{name}", json=document, headers=headers or {}))


def put_twice(server: Server) -> list[Any]:
    """The same id before, while and after it runs."""
    document = {"input": {"text": "once", "seconds": 0.5}}
    first = until_status(202, lambda: put(server, "twice", document, ASYNC))
    again = put(server, "twice", document)
    after = until_status(200, lambda: put(server, "twice", {"input": {"text": "b"}}))
    return [first, again.status, sorted(again.body), after]


def put_in_background(server: Server) -> list[Any]:
    calls = webhook()
    document = {"input": {"text": "later"}, "webhook": calls.url, "webhook_events_filter": ["completed"]}
    return [put(server, "later", document, ASYNC), calls.until_done()]


def put_other_id(server: Server) -> Answer:
    return put(server, "one", {"id": "other", "input": {}})


def same_headers(server: Server) -> dict[str, str | None]:
    response = post(server, {"input": {}})
    return {name: response.headers.get(name) for name in ("content-type", "cache-control", "transfer-encoding")}


def raw_envelope(server: Server) -> list[str]:
    """The keys of an envelope in their order."""
    return list(json.loads(post(server, {"id": "a", "input": {}}).content))


def too_large(server: Server) -> int:
    body = b'{"input":{"text":"' + b"a" * (100 * 1024 * 1024) + b'"}}'
    return server.client.post("/predictions", content=body, headers=JSON).status_code


def version(server: Server) -> list[str]:
    return sorted(server.client.get("/health-check").json())


NOTHING = succeeded("nothing", logs="echo nothing\n")

PUT_TWICE = [
    accepted("twice"),
    202,
    ["id", "input", "logs", "metrics", "status"],
    succeeded("b", id="twice", logs="echo b\n"),
]
LATER = {
    "id": "later",
    "logs": "echo later\n",
    "metrics": {"predict_time": "<seconds>"},
    "output": "later",
    "status": "succeeded",
}

MODELS = (
    Model(
        name="protocol",
        file="echo.py",
        target="Echo",
        cases=[
            posted("an input", b'{"input":{"text":"a"}}', succeeded("a", id="<generated>")),
            posted("an id", b'{"id":"mine","input":{"text":"a"}}', succeeded("a", id="mine")),
            posted("an empty object", b"{}", NOTHING),
            posted("null for the input", b'{"input":null}', NOTHING),
            posted("no body", b"", broken("EOF while parsing a value at line 1 column 0")),
            posted("no body and no content type", b"", NOTHING, headers={}),
            posted("no content type", b'{"input":{"text":"a"}}', NOTHING, headers={}),
            posted(
                "another content type",
                b'{"input":{"text":"a"}}',
                Answer(status=415, body="Expected request with `Content-Type: application/json`"),
                headers={"content-type": "text/plain"},
            ),
            posted(
                "a content type with a charset",
                b'{"input":{"text":"a"}}',
                succeeded("a"),
                headers={"content-type": "application/json; charset=utf-8"},
            ),
            posted("a field more", b'{"input":{"text":"a"},"version":"v","more":1}', succeeded("a")),
            posted("no JSON", b"{", broken("EOF while parsing an object at line 1 column 1")),
            unparsed("half a JSON", b'{"input":{"te', "input.?: EOF while parsing a string at line 1 column 13"),
            mistyped(
                "a list",
                b"[]",
                "invalid length 0, expected struct PredictionRequest with 5 elements at line 1 column 2",
            ),
            mistyped("text", b'"a"', 'invalid type: string "a", expected struct PredictionRequest at line 1 column 3'),
            mistyped("null", b"null", "invalid type: null, expected struct PredictionRequest at line 1 column 4"),
            unparsed(
                "bytes that are no UTF-8",
                b'{"input":{"text":"\xff"}}',
                "input.text: invalid unicode code point at line 1 column 20",
            ),
            mistyped(
                "an id that is a number",
                b'{"id":1,"input":{}}',
                "id: invalid type: integer `1`, expected a string at line 1 column 7",
            ),
            posted("an id that is null", b'{"id":null,"input":{}}', NOTHING),
            mistyped(
                "a context that is no object",
                b'{"context":[],"input":{}}',
                "context: invalid type: sequence, expected a map at line 1 column 11",
            ),
            mistyped(
                "a context of numbers",
                b'{"context":{"a":1},"input":{}}',
                "context.a: invalid type: integer `1`, expected a string at line 1 column 17",
            ),
            mistyped(
                "a webhook that is a number",
                b'{"webhook":1,"input":{}}',
                "webhook: invalid type: integer `1`, expected a string at line 1 column 12",
            ),
            posted("a webhook that is no URL", b'{"webhook":"nowhere","input":{}}', NOTHING),
            mistyped(
                "an unknown event",
                b'{"webhook_events_filter":["never"],"input":{}}',
                "webhook_events_filter[0]: unknown variant `never`, "
                "expected one of `start`, `output`, `logs`, `completed` at line 1 column 33",
            ),
            posted("a name twice", b'{"input":{"text":"a","text":"b"}}', succeeded("b")),
            unparsed(
                "a lone surrogate",
                b'{"input":{"text":"\\ud800"}}',
                "input.text: unexpected end of hex escape at line 1 column 25",
            ),
            unparsed("NaN", b'{"input":{"seconds":NaN}}', "input.seconds: expected value at line 1 column 21"),
            posted(
                "a failure", b'{"input":{"text":"fail"}}', failed("Prediction failed: ValueError: told to", logs="")
            ),
            Case(
                name="put",
                ask=lambda server: put(server, "mine", {"input": {"text": "a"}}),
                cog=succeeded("a", id="mine"),
            ),
            Case(name="put twice", ask=put_twice, cog=PUT_TWICE),
            Case(name="put in the background", ask=put_in_background, cog=[accepted("later"), [LATER]]),
            Case(
                name="put with another id",
                ask=put_other_id,
                cog=Answer(
                    status=422,
                    body={
                        "detail": [
                            {
                                "loc": ["body", "id"],
                                "msg": "prediction ID must match the ID supplied in the URL",
                                "type": "value_error",
                            }
                        ]
                    },
                ),
            ),
            Case(
                name="get a prediction",
                ask=Request(method="GET", path="/predictions/mine"),
                cog=Answer(status=405, body=""),
            ),
            Case(
                name="get predictions", ask=Request(method="GET", path="/predictions"), cog=Answer(status=405, body="")
            ),
            Case(
                name="delete a prediction",
                ask=Request(method="DELETE", path="/predictions/mine"),
                cog=Answer(status=405, body=""),
            ),
            Case(
                name="a path below",
                ask=Request(method="GET", path="/predictions/a/b/c"),
                cog=Answer(status=404, body=""),
            ),
            Case(
                name="cancel by GET",
                ask=Request(method="GET", path="/predictions/a/cancel"),
                cog=Answer(status=405, body=""),
            ),
            Case(
                name="cancel what is not there",
                ask=Request(method="POST", path="/predictions/none/cancel"),
                cog=Answer(status=404, body={}),
            ),
            Case(
                name="health by POST", ask=Request(method="POST", path="/health-check"), cog=Answer(status=405, body="")
            ),
            Case(
                name="events of a model that does not stream",
                ask=Request(
                    method="POST",
                    path="/predictions",
                    document={"input": {}},
                    headers={"accept": "text/event-stream"},
                ),
                cog=NOT_STREAMING,
            ),
            Case(
                name="headers",
                ask=same_headers,
                cog={"content-type": "application/json", "cache-control": None, "transfer-encoding": None},
            ),
            Case(name="keys in order", ask=raw_envelope, cog=["id", "logs", "metrics", "output", "status"]),
            Case(name="the keys of the health", ask=version, cog=["setup", "status", "version"]),
            Case(name="more than 100 MiB", ask=too_large, cog=413),
        ],
    ),
)
