"""Every difference that is meant: for what reason, in which cases, and what our answer is instead of BentoML's."""

import json

from . import changes
from .records import Change, Difference

_REFUSED = (
    "fail: invalid argument", "fail: bad input", "fail: not found", "fail: unprocessable", "fail: teapot",
    "fail: payment", "fail: often", "fail: redirect", "fail, async: not found", "fail with a head: not found",
    "no stream: not found", "no stream: not found, sync", "a batch that fails", "a task that refuses",
    "guarded: an exception", "guarded: an exception for an origin", "guarded: no stream", "guarded: pickle",
    "pickle", "pickle with a parameter",
    "a file at an address within", "a root picture at an address within",
)  # fmt: skip

_UNEXPECTED = "An unexpected error has occurred, please check the server log."

_UNREADABLE = {
    "no integer": "Expecting value: line 1 column 1 (char 0)",
    "anything cut short": "Expecting value: line 1 column 6 (char 5)",
    "a root array cut short": "Expecting ',' delimiter: line 1 column 10 (char 9)",
    "multipart without a boundary": "Missing boundary in multipart.",
    "multipart that is none": "<no multipart>",
    "a picture that says to be another": "a file in it is not what it should be",
    "a picture cut short": "a file in it is not what it should be",
    "a picture that is none": "a file in it is not what it should be",
    "a root picture that is none": "a file in it is not what it should be",
}

_NOWHERE = {
    "GET of nowhere": "there is nothing at /nowhere",
    "POST to nowhere": "there is no operation at /nowhere",
    "a path in capitals": "there is no operation at /Add",
    "two slashes": "there is no operation at //add",
    "composed: an api of a dependency": "there is no operation at /tokens",
    "mounted: an api without the prefix": "there is no operation at /ping",
    "mounted: ready without the prefix": "there is nothing at /readyz",
    "guarded: a preflight of nowhere": "there is nothing at /nowhere",
}

_STREAMS = (
    "words", "words, sync", "words that are not ASCII", "lines", "numbers", "many", "documents", "models", "arrays",
    "bytes", "frames", "nothing", "nothing, sync", "a head", "a failure later", "a failure later, sync",
    "a refusal later", "JSON is asked for", "composed, passed on", "composed, by oneself", "guarded",
    "guarded, of an origin", "guarded, with a head", "guarded, a failure later", "composed, counted",
    "limited, in time", "limited, late after the first", "rooted",
)  # fmt: skip

_BUSY = changes.problem(
    {
        "title": "Every slot is taken",
        "status": 503,
        "code": "busy",
        "detail": "all 1 slots are taken",
        "retryable": True,
        "request_id": "<id>",
        "retry_after_seconds": 1.0,
    },
    ("retry-after", "1"),
)
_LATE = changes.problem(
    {
        "title": "The call took too long",
        "status": 504,
        "code": "deadline_exceeded",
        "detail": "the call took longer than 2 s",
        "retryable": True,
        "request_id": "<id>",
    }
)


def _nothing(text: str) -> Change:
    return changes.problem(
        {"title": "Not found", "status": 404, "code": "not_found", "detail": text, "request_id": "<id>"}
    )


DIFFERENCES = (
    Difference(
        reason="BentoML writes its items one after the other, and nobody can tell where one ends: ours are events",
        cases={f"stream: {name}": changes.as_events for name in _STREAMS},
    ),
    Difference(
        reason="BentoML ends a stream that fails as if it were whole: ours says that it is not",
        cases=dict.fromkeys(
            ("stream: a failure later", "stream: a failure later, sync", "stream: guarded, a failure later"),
            changes.with_failure(changes.FAILED),
        )
        | {"stream: a refusal later": changes.with_failure(changes.REFUSED)},
    ),
    Difference(
        reason="BentoML puts the one error into a list, for a comma too many: ours is the object that it meant",
        cases=dict.fromkeys(_REFUSED, changes.unlisted),
    ),
    Difference(
        reason="an orchestrator forgets a worker that answers 401: ours is 403 (BYOC contract, section 2)",
        cases=dict.fromkeys(
            (
                "answered: 401",
                "guarded: 401",
                "composed: failed with 401",
                "respond: unauthorized",
                "fail: unauthorized",
                "fail, async: unauthorized",
            ),
            changes.status(403),
        ),
    ),
    Difference(
        reason="BentoML says that it has failed when a body cannot be read: it is the caller's fault",
        cases={name: changes.refusal(f"the body cannot be read: {words}") for name, words in _UNREADABLE.items()},
    ),
    Difference(
        reason="BentoML takes an empty body for the text `{}`: ours is the empty text",
        cases={"no text": changes.text("<>"), "no bytes": changes.text("")},
    ),
    Difference(
        reason="BentoML fails when a file is text that is no address: ours says so",
        cases={"a file that is text": changes.refusal("a file is expected, or the http or https URL of one")},
    ),
    Difference(
        reason="addresses are fetched through our own guard, whose words are others",
        cases=dict.fromkeys(
            ("a file at an address within", "a root picture at an address within"),
            changes.refusal("127.0.0.1 is not on the public network"),
        ),
    ),
    Difference(
        reason="what is nobody's is answered by our edge, and no middleware of the service's sees it",
        cases={name: _nothing(text) for name, text in _NOWHERE.items()},
    ),
    Difference(
        reason="what is no HTTP is answered by our edge",
        cases=dict.fromkeys(
            ("a piece that is none", "no HTTP"),
            changes.problem(
                {
                    "title": "This is no HTTP/1.1",
                    "status": 400,
                    "code": "malformed_request",
                    "detail": "Invalid HTTP request received.",
                }
            ),
        ),
    ),
    Difference(
        reason="BentoML sends a caller who ends a path with a slash elsewhere: our edge takes it as the same path",
        cases={"a slash at the end": changes.answered(1.5)},
    ),
    Difference(
        reason="BentoML lets go of a call that took too long and counts its slot as free: our edge answers, and counts",
        cases=dict.fromkeys(("limited: too late", "limited: too late, sync"), _LATE),
    ),
    Difference(
        reason="a caller too many is told so, and to come back (BYOC contract, section 3)",
        cases={"narrow: one too many": changes.where(429, _BUSY)},
    ),
    Difference(
        reason="BentoML lets callers wait as long as they like: on the network another worker is free by then",
        cases={"rooted: two at once, sync": _BUSY},
    ),
    Difference(
        reason="an answer without content has no type of it",
        cases={"answered: no content": changes.untyped},
    ),
    Difference(
        reason="BentoML notices that a file is not there when its limit is over, and answers in other words",
        cases={"limited: a file that is not there": changes.refusal(_UNEXPECTED, 500)},
    ),
    Difference(
        reason="BentoML cannot cancel a task: ours can, and says when there is nothing to cancel",
        cases={
            "cancel of an unknown task": changes.refusal("task_id not found", 404),
            "cancel of a task that is done": changes.refusal("task <id> is completed already", 409),
        },
    ),
    Difference(
        reason="BentoML hands a dependency's refusal on as JSON within JSON: ours is the exception that it was",
        cases={"composed: refused": changes.refusal("refused a")}
        | {f"composed: failed with {code}": changes.refusal("failed", code) for code in (404, 409, 429)},
    ),
    Difference(
        reason="a dependency's call is a part of its caller's: it sees its headers, and its folder lives as long",
        cases={
            "composed: headers apart": changes.answered(["POST", "/told", "yes", True], json.dumps),
            "composed: folders apart": changes.answered(False),
        },
    ),
    Difference(
        reason="BentoML makes one exception of all that a dependency raises: ours comes through as it is",
        cases={"composed: caught what it did not mean": changes.refusal(_UNEXPECTED, 500)},
    ),
    Difference(
        reason="BentoML cannot take bytes among others from a dependency: ours are handed on as they are",
        cases={"composed: bytes kept": changes.text("b'a'")},
    ),
    Difference(
        reason="BentoML forgets its prefix when a service asks itself: ours does not",
        cases={"mounted: FastAPI, a method that asks an api": changes.answered([3, True])},
    ),
    Difference(
        reason="the network's own paths belong to our edge",
        cases=dict.fromkeys(("healthy", "rooted: the root"), changes.typed("application/json")),
    ),
    Difference(
        reason="BentoML fails to say what went wrong when an exception's code is a plain number",
        cases={"limited: a number for an exception's code": changes.refusal("tea", 418)},
    ),
)
