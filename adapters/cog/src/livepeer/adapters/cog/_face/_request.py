"""A request for a prediction, read as strictly as Cog reads it."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, cast

from pydantic_core import from_json

from ._answers import LEFT, NOT_JSON, TOO_LARGE, RefusedError, text_answer, to_json

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = Mapping[bytes, bytes]

MOST_BODY_BYTES = 100 * 1024 * 1024
WEBHOOK_EVENTS = ("start", "output", "logs", "completed")


class Mode(Enum):
    """How a caller wants to hear of the prediction."""

    WAIT = auto()
    """The whole of it, as the answer."""

    LATER = auto()
    """By webhook, or not at all (`Prefer: respond-async`)."""

    STREAM = auto()
    """As server-sent events."""

    @classmethod
    def of(cls, headers: Headers) -> "Mode":
        """Read it from the headers; a stream wins."""
        accept = headers.get(b"accept", b"")
        if b"text/event-stream" in accept and any(
            part.split(b";")[0].strip() == b"text/event-stream" for part in accept.split(b",")
        ):
            return cls.STREAM
        return cls.LATER if headers.get(b"prefer") == b"respond-async" else cls.WAIT


@dataclass(frozen=True, kw_only=True)
class PredictionRequest:
    """What the body says."""

    id: str | None = None
    input: Any = field(default_factory=dict[str, Any])
    context: Mapping[str, str] = field(default_factory=dict[str, str])
    webhook: str | None = None
    webhook_events: frozenset[str] = frozenset(WEBHOOK_EVENTS)


async def read_request(headers: Headers, receive: Receive) -> PredictionRequest:
    """Read the body, and take it apart.

    Raises:
        RefusedError: If it is too large, no JSON, or not of the shape.
    """
    media_type = headers.get(b"content-type")
    if media_type is None:
        # Cog reads a body that does not say what it is as none at all.
        return PredictionRequest()
    if media_type != b"application/json" and not _is_json(media_type):
        raise RefusedError(NOT_JSON)
    return parse_request(await _read_body(headers, receive))


def parse_request(body: bytes) -> PredictionRequest:
    """Take a body apart.

    Raises:
        RefusedError: If it is no JSON, or not of the shape.
    """
    try:
        document = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise RefusedError(text_answer(400, f"Failed to parse the request body as JSON: {error}")) from None
    if type(document) is not dict:
        raise _misshapen("", document, "struct PredictionRequest")
    found = cast("dict[str, Any]", document)
    given = found.get("input")
    return PredictionRequest(
        id=_text(found, "id"),
        input={} if given is None else given,
        context=_context(found["context"]) if "context" in found else {},
        webhook=_text(found, "webhook"),
        webhook_events=_events(found.get("webhook_events_filter", WEBHOOK_EVENTS)),
    )


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > MOST_BODY_BYTES:
        raise RefusedError(TOO_LARGE)
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusedError(LEFT)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BODY_BYTES:
            raise RefusedError(TOO_LARGE)
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _is_json(media_type: bytes) -> bool:
    essence = media_type.partition(b";")[0].strip().lower()
    return essence == b"application/json" or (essence.startswith(b"application/") and essence.endswith(b"+json"))


def _text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and type(value) is not str:
        raise _misshapen(name, value, "a string")
    return value


def _context(value: Any) -> Mapping[str, str]:
    if type(value) is not dict:
        raise _misshapen("context", value, "a map")
    for name, text in cast("dict[str, Any]", value).items():
        if type(text) is not str:
            raise _misshapen(f"context.{name}", text, "a string")
    return cast("dict[str, str]", value)


def _events(value: Any) -> frozenset[str]:
    if value is WEBHOOK_EVENTS:
        return frozenset(WEBHOOK_EVENTS)
    if type(value) is not list:
        raise _misshapen("webhook_events_filter", value, "a sequence")
    for index, name in enumerate(cast("list[Any]", value)):
        if name not in WEBHOOK_EVENTS:
            where = f"webhook_events_filter[{index}]"
            if type(name) is not str:
                raise _misshapen(where, name, "variant identifier")
            known = ", ".join(f"`{one}`" for one in WEBHOOK_EVENTS)
            raise _shape_error(f"{where}: unknown variant `{name}`, expected one of {known}")
    return frozenset(cast("list[str]", value))


def _misshapen(where: str, value: Any, expected: str) -> RefusedError:
    place = f"{where}: " if where else ""
    return _shape_error(f"{place}invalid type: {_kind(value)}, expected {expected}")


def _shape_error(text: str) -> RefusedError:
    return RefusedError(text_answer(422, f"Failed to deserialize the JSON body into the target type: {text}"))


def _kind(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return f"boolean `{to_json(value).decode()}`"
        case int():
            return f"integer `{value}`"
        case float():
            return f"floating point `{value}`"
        case str():
            return f"string {to_json(value).decode()}"
        case list():
            return "sequence"
        case _:
            return "map"
