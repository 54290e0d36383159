"""How our answers differ from BentoML's: each of these makes the one of the other."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .records import Answer, Case, Change

END = b"data: [DONE]\n\n"
FAILED = {
    "title": "The model failed",
    "status": 500,
    "code": "model_failed",
    "detail": "the model raised an error; the server's log has it under this request's id",
    "request_id": "<id>",
}
REFUSED = {
    "title": "The model refused the call",
    "status": 404,
    "code": "refused",
    "detail": "no such stream",
    "request_id": "<id>",
}


def compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def unlisted(_: Case, answer: Answer) -> Answer:
    """The one object of a list of one."""
    document = json.loads(answer.body)
    return replace(answer, body=compact(document[0]).encode()) if isinstance(document, list) else answer


def status(code: int) -> Change:
    """The same with another status."""
    return lambda _, answer: replace(answer, status=code)


def refusal(text: str, code: int = 400) -> Change:
    """An error as BentoML writes them, with words of its own."""
    body = compact({"error": text}).encode()
    return lambda _, answer: with_headers(replace(answer, status=code, body=body), content_type="application/json")


def problem(document: Mapping[str, Any], *headers: tuple[str, str]) -> Change:
    """The contract's document of an error, and nothing of BentoML's."""
    head = (("content-type", "application/problem+json"), *headers)
    made = Answer(status=document["status"], headers=head, body=compact(document).encode())
    return lambda _, __: made


def answered(value: Any, dump: Callable[[Any], str] = compact) -> Change:
    """A JSON value that is well, and no header besides."""
    made = Answer(status=200, headers=(("content-type", "application/json"),), body=dump(value).encode())
    return lambda _, __: made


def text(words: str) -> Change:
    """Text that is well."""
    made = Answer(status=200, headers=(("content-type", "text/plain; charset=utf-8"),), body=words.encode())
    return lambda _, __: made


def typed(media_type: str) -> Change:
    """The same of another type."""
    return lambda _, answer: with_headers(answer, content_type=media_type)


def untyped(_: Case, answer: Answer) -> Answer:
    """The same of no type."""
    return replace(answer, headers=tuple(each for each in answer.headers if each[0] != "content-type"))


def where(code: int, change: Change) -> Change:
    """A change of the answers that have this status."""
    return lambda case, answer: change(case, answer) if answer.status == code else answer


def as_events(case: Case, answer: Answer) -> Answer:
    """The events of a stream whose items BentoML writes one after the other."""
    items = case.items or ()
    assert answer.body in (written(items, json.dumps), written(items, compact)), answer.body
    events = [event(item) for item in items if item != END.decode()]
    return with_headers(
        replace(answer, body=b"".join([*events, END])), cache_control="no-cache", x_accel_buffering="no"
    )


def with_failure(error: Mapping[str, Any]) -> Change:
    """A stream that says that it did not come to its end."""
    failure = f"event: error\ndata: {compact({'error': error})}\n\n".encode()
    return lambda _, answer: replace(answer, body=answer.body.removesuffix(END) + failure + END)


def written(items: Sequence[Any], dump: Callable[[Any], str]) -> bytes:
    """Items as BentoML writes them."""
    return b"".join(
        item if isinstance(item, bytes) else (item if isinstance(item, str) else dump(item)).encode() for item in items
    )


def event(item: Any) -> bytes:
    """An item as the contract writes it (BYOC contract, section 4)."""
    if isinstance(item, str) and item.startswith(("data:", "event:")):
        return item.encode()
    value = {"b64": base64.b64encode(item).decode()} if isinstance(item, bytes) else item
    return f"data: {compact(value)}\n\n".encode()


def with_headers(answer: Answer, **headers: str) -> Answer:
    """An answer with headers of these names instead of its own."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    kept = [(name, value) for name, value in answer.headers if name not in given]
    return replace(answer, headers=tuple(sorted([*kept, *given.items()], key=lambda each: each[0])))
