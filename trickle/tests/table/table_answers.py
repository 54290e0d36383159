"""The answers that the table names, to compare with those that came."""

from collections.abc import Mapping

from .table_wire import Answer

TEXT = {"content-type": "text/plain; charset=utf-8"}
ERROR = TEXT | {"x-content-type-options": "nosniff"}
CLOSE = {"connection": "close"}
CLOSED = {"lp-trickle-closed": "terminated"}


def seq(number: int) -> dict[str, str]:
    """The header of a segment's number."""
    return {"lp-trickle-seq": str(number)}


def latest(number: int) -> dict[str, str]:
    """The header of the number that is written next, the table's N."""
    return {"lp-trickle-latest": str(number)}


def content(media_type: str = "video/mp2t") -> dict[str, str]:
    """The header of a body's type, by default that of the channels here."""
    return {"content-type": media_type}


def counted(status: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
    """An answer with a length."""
    return Answer(status_line=f"HTTP/1.1 {status}", headers={**headers, "content-length": str(len(body))}, body=body)


def empty(headers: Mapping[str, str]) -> Answer:
    """A 200 without a body."""
    return counted("200 OK", headers)


def chunked(headers: Mapping[str, str], *chunks: bytes) -> Answer:
    """A 200 with a body in chunks."""
    return Answer(
        status_line="HTTP/1.1 200 OK",
        headers={**headers, "transfer-encoding": "chunked"},
        body=b"".join(chunks),
        chunks=chunks,
    )


def refusal(status: str, text: bytes, headers: Mapping[str, str] | None = None) -> Answer:
    """A refusal with a text."""
    return counted(status, ERROR | dict(headers or {}), text)


DONE = empty({})
CHANNEL_NOT_FOUND = refusal("404 Not Found", b"Stream not found\n")
PAGE_NOT_FOUND = refusal("404 Not Found", b"404 page not found\n")
INVALID_SEQ = refusal("400 Bad Request", b"Invalid idx\n")
NONEXISTENT_SEGMENT = refusal("400 Bad Request", b"Nonexistent segment\n")
INVALID_CHANNEL = refusal("400 Bad Request", b"Invalid stream\n")
ENTRY_NOT_FOUND = b"Entry not found"


def absent(number: int, next_seq: int) -> Answer:
    """The answer of a channel that has no such segment."""
    return counted("470 status code 470", TEXT | seq(number) | latest(next_seq), ENTRY_NOT_FOUND)
