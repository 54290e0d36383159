"""Frames of the mount socket: ASGI messages, each as a head of compact JSON with its raw data behind it.

Both directions speak the same frames, and a stream number stands for one request. The frame that opens a
request brings its first messages along, and the one that ends it the last: a small request is one frame each way.
"""

import json
import struct
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final, NamedTuple

from ._wire import pack

Message = MutableMapping[str, Any]
"""An ASGI message."""

MOUNT_OPEN: Final = 48
"""Edge to host: a request's scope, and its first messages."""
MOUNT_MESSAGES: Final = 49
"""Either way: one message or more."""
MOUNT_PART: Final = 50
"""Either way: the beginning of the next message's data, where that is large and cannot be several messages."""
MOUNT_CREDIT: Final = 51
"""Either way: the reader took so many bytes."""
MOUNT_END: Final = 52
"""Host to edge: the last messages, and that the application has returned or raised."""
MOUNT_GONE: Final = 53
"""Edge to host: the caller has left; the message that says so. It needs no room."""

MOUNT_WINDOW_BYTES: Final = 256 * 1024
"""How much of one request may be on its way in one direction before its reader has taken any of it."""

MOUNT_PIECE_BYTES: Final = 64 * 1024
"""The most data in one frame, so that no request holds up another."""

_HEAD_SIZE = struct.Struct("<I")
_DATA = ("body", "bytes", "text")
_SCOPE_AS_IT_IS = ("type", "asgi", "http_version", "method", "scheme", "path", "client", "server", "subprotocols")
_SCOPE_BYTES = ("raw_path", "query_string")
_EXTENSIONS = ("websocket.http.response",)
"""What still works when the application is in another process."""

_encode = json.JSONEncoder(separators=(",", ":")).encode
_decode = json.JSONDecoder().decode


class MountOpening(NamedTuple):
    """What a MOUNT_OPEN says."""

    mount: int
    """Index into the description's mounts."""

    request_id: str
    scope: dict[str, Any]
    """As the application gets it, but for `state`."""

    messages: list[Message]


def data_key(message: Message) -> str | None:
    """Under which key a message has its data; None if it has none."""
    return next((key for key in _DATA if message.get(key) is not None), None)


def pack_open(
    number: int, mount: int, *, request_id: str, scope: Mapping[str, Any], messages: Sequence[Message]
) -> bytes:
    """Write a MOUNT_OPEN. What of the scope cannot cross, such as the server's own state, stays here."""
    head = {key: scope[key] for key in _SCOPE_AS_IT_IS if key in scope}
    for key in _SCOPE_BYTES:
        if scope.get(key) is not None:
            head[key] = scope[key].decode("latin-1")
    head["headers"] = _headers_to_text(scope["headers"])
    extensions = scope.get("extensions")
    if extensions:
        head["extensions"] = {name: extensions[name] for name in _EXTENSIONS if name in extensions}
    return pack(MOUNT_OPEN, number, _join([mount, request_id, head], messages))


def unpack_open(payload: bytes) -> MountOpening:
    """Read a MOUNT_OPEN."""
    (mount, request_id, scope), messages = _split(payload)
    for key in _SCOPE_BYTES:
        if key in scope:
            scope[key] = scope[key].encode("latin-1")
    for key in ("client", "server"):
        if scope.get(key) is not None:
            scope[key] = tuple(scope[key])
    scope["headers"] = _headers_to_bytes(scope["headers"])
    scope["root_path"] = ""
    return MountOpening(mount, request_id, scope, messages)


def pack_messages(number: int, messages: Sequence[Message], *, kind: int = MOUNT_MESSAGES) -> bytes:
    """Write a MOUNT_MESSAGES or a MOUNT_GONE.

    Raises:
        TypeError: If a message holds what no ASGI message does.
    """
    return pack(kind, number, _join(None, messages))


def unpack_messages(payload: bytes, parts: Sequence[bytes] = ()) -> list[Message]:
    """Read a MOUNT_MESSAGES or a MOUNT_GONE.

    Args:
        payload: The frame's.
        parts: What came as MOUNT_PART before it.
    """
    return _split(payload, parts)[1]


def pack_end(number: int, messages: Sequence[Message], problem: bytes | None) -> bytes:
    """Write a MOUNT_END.

    Args:
        number: The request's.
        messages: The last messages.
        problem: A `Problem` as JSON if the application failed.
    """
    return pack(MOUNT_END, number, _join(None if problem is None else problem.decode(), messages))


def unpack_end(payload: bytes) -> tuple[list[Message], str | None]:
    """Read a MOUNT_END: the last messages, and the `Problem` if there is one."""
    problem, messages = _split(payload)
    return messages, problem


def _join(extra: Any, messages: Sequence[Message]) -> bytes:
    heads: list[dict[str, Any]] = []
    data: list[bytes] = []
    for message in messages:
        head: dict[str, Any] = {}
        for key, value in message.items():
            if key == "headers":
                head[key] = _headers_to_text(value)
            elif key in _DATA and value is not None:
                raw = _as_bytes(value)
                head[key] = len(raw)
                data.append(raw)
            else:
                head[key] = value
        heads.append(head)
    start = _encode([extra, heads]).encode("ascii")
    return b"".join((_HEAD_SIZE.pack(len(start)), start, *data))


def _split(payload: bytes, parts: Sequence[bytes] = ()) -> tuple[Any, list[Message]]:
    (size,) = _HEAD_SIZE.unpack_from(payload)
    start = _HEAD_SIZE.size + size
    extra, messages = _decode(payload[_HEAD_SIZE.size : start].decode("ascii"))
    for message in messages:
        if "headers" in message:
            message["headers"] = _headers_to_bytes(message["headers"])
        for key in _DATA:
            length = message.get(key)
            if length is not None:
                raw = payload[start : start + length]
                start += length
                if parts:
                    raw, parts = b"".join((*parts, raw)), ()
                message[key] = raw.decode() if key == "text" else raw
    return extra, messages


def _as_bytes(value: Any) -> bytes:
    if type(value) is bytes:
        return value
    return value.encode() if isinstance(value, str) else bytes(memoryview(value))


def _headers_to_text(headers: Any) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _headers_to_bytes(headers: Sequence[Sequence[str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
