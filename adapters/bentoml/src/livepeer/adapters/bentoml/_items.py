"""One item of a stream as the event that carries it."""

import base64
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from pydantic_core import from_json

from livepeer.core import JSON_MEDIA_TYPE, MAX_LINE_BYTES, SSE_MEDIA_TYPE, Encoded, encode_json, sse_event

from ._outputs import Outputs, encode_image, is_image, read_file

_FIELDS = (b"data:", b"event:", b"id:", b"retry:", b":")
"""How a line of an event that somebody has written by hand begins."""

_DONE = b"[DONE]"


def encode_item(item: Any, outputs: Outputs) -> Encoded | None:
    """An item as an event's data: text as a JSON string, bytes as ``{"b64": ...}``, all else as an answer's JSON.

    Server-sent events that the api has written itself pass as they are, but for its own ``data: [DONE]``: the end is
    the server's to tell.

    Returns:
        None if nothing is to be sent.

    Raises:
        ModelFailedError: If it is not what the api's annotation says, or has no JSON form.
    """
    if isinstance(item, str | bytes):
        events = _written_by_hand(item.encode(errors="replace") if isinstance(item, str) else item)
        if events is not None:
            return Encoded(events, SSE_MEDIA_TYPE) if events else None
        return _json(item)
    if isinstance(item, PurePath):
        return _json(read_file(item))
    if is_image(item):
        return _json(encode_image(item)[0])
    checked = outputs.check(item)
    return _json(checked) if isinstance(checked, bytes) else Encoded(outputs.dump(checked), JSON_MEDIA_TYPE)


def _json(item: str | bytes) -> Encoded:
    found = {"b64": base64.b64encode(item).decode()} if isinstance(item, bytes) else item
    return Encoded(encode_json(found), JSON_MEDIA_TYPE)


def _written_by_hand(text: bytes) -> bytes | None:
    """Whole events, fit for the network; None if the text is none, or cannot be made fit."""
    if not text.startswith(_FIELDS):
        return None
    text = text.replace(b"\r\n", b"\n")
    if not text.endswith(b"\n\n"):
        return None
    try:
        return b"".join(_fit(event) for event in text.split(b"\n\n") if event.strip() and not _is_end(event))
    except ValueError:
        return None


def _is_end(event: bytes) -> bool:
    return event.startswith(b"data:") and event[5:].strip() == _DONE


def _fit(event: bytes) -> bytes:
    """An event within the network's limits (BYOC contract, section 4): short lines, and no word that ends the stream.

    Raises:
        ValueError: If its data would have to be changed, and is no JSON, where that can be done.
    """
    lines = event.split(b"\n")
    if _DONE not in event and all(len(line) <= MAX_LINE_BYTES for line in lines):
        return event + b"\n\n"
    data = b"".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
    from_json(data)
    others = list(_short(line for line in lines if not line.startswith(b"data:")))
    return b"".join(line + b"\n" for line in others) + sse_event(data)


def _short(lines: Iterator[bytes]) -> Iterator[bytes]:
    for line in lines:
        if _DONE in line or len(line) > MAX_LINE_BYTES:
            raise ValueError("a line that is no data cannot be divided")
        yield line
