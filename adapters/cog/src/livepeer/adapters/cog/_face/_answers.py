"""Answers as Cog writes them: compact JSON with sorted keys, and plain text for a body that it cannot read."""

import json
import math
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any, cast

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_SORTED = json.JSONEncoder(sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
_AS_IT_IS = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))

_DEEPEST = 64

_JSON = b"application/json"
_TEXT = b"text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    body: bytes = b""
    media_type: bytes | None = None
    allow: bytes | None = None
    """The methods that a path has, if the request's is not among them."""

    async def send(self, send: Send) -> None:
        """Send it."""
        headers = [(b"content-length", b"%d" % len(self.body))]
        if self.media_type is not None:
            headers.append((b"content-type", self.media_type))
        if self.allow is not None:
            headers.append((b"allow", self.allow))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class RefusedError(Exception):
    """Raised when a request is refused; carries what Cog answers."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def to_json(document: Any, *, is_sorted: bool = True) -> bytes:
    """Write a document as Cog does: compact, and sorted at every depth but for its health."""
    encoder = _SORTED if is_sorted else _AS_IT_IS
    try:
        text = encoder.encode(document)
    except (TypeError, ValueError, RecursionError):
        text = encoder.encode(_plain(document))
    # A lone surrogate is legal in a Python string and nowhere else.
    return text.encode("utf-8", "replace")


def _plain(value: Any, depth: int = 0) -> Any:
    """A metric may be anything: what JSON has not is null, or the name of its type."""
    if isinstance(value, dict) and depth < _DEEPEST:
        return {str(key): _plain(item, depth + 1) for key, item in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list | tuple) and depth < _DEEPEST:
        return [_plain(item, depth + 1) for item in cast("list[Any]", value)]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else type(cast("Any", value)).__name__


def json_answer(status: int, document: Any, *, is_sorted: bool = True) -> Answer:
    """An answer that is a document."""
    return Answer(status, to_json(document, is_sorted=is_sorted), _JSON)


def text_answer(status: int, text: str) -> Answer:
    """An answer that is a sentence."""
    return Answer(status, text.encode("utf-8", "replace"), _TEXT)


def invalid_answer(location: list[str], message: str) -> Answer:
    """What an invalid body is answered, for one place in it."""
    return json_answer(422, {"detail": [{"loc": ["body", *location], "msg": message, "type": "value_error"}]})


LEFT = Answer(400)
"""For a caller that left before its request was whole: nobody reads it."""

NOT_FOUND = Answer(404)
ACCEPTED_CANCEL = json_answer(200, {})
UNKNOWN_PREDICTION = json_answer(404, {})

NO_STREAM = json_answer(
    406,
    {"error": "This model does not support streaming responses. Add @cog.streaming to predict() to enable SSE."},
)
NOT_READY = json_answer(
    503,
    {
        "error": "Setup has not finished yet. Wait until it has finished, or GET /health-check for status.",
        "status": "failed",
    },
)
AT_CAPACITY = json_answer(409, {"error": "At capacity - all prediction slots busy", "status": "failed"})
TOO_MANY_SUBSCRIBERS = json_answer(429, {"error": "Too many stream subscribers"})
OTHER_ID = invalid_answer(["id"], "prediction ID must match the ID supplied in the URL")
TOO_LARGE = text_answer(413, "Failed to buffer the request body: length limit exceeded")
NOT_JSON = text_answer(415, "Expected request with `Content-Type: application/json`")
