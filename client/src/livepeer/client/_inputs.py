"""Request bodies out of Python values."""

import base64
import dataclasses
import datetime
import enum
import io
import json
import math
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from ._errors import InputError

JSON_MEDIA_TYPE = "application/json"
BINARY_MEDIA_TYPE = "application/octet-stream"


def encode_input(value: object) -> tuple[bytes, str]:
    """Turn an input into a request body and its media type.

    Binary values (``bytes``, ``bytearray``, ``memoryview``, a ``Path``, an open binary file) are the body itself where
    they are the whole input, and base64 text where they stand inside one. Files are read at once.

    Raises:
        InputError: The input, or a part of it, has no JSON form.
    """
    binary = _binary(value, "input")
    if binary is not None:
        return binary, BINARY_MEDIA_TYPE
    return encode_json({} if value is None else value, "input"), JSON_MEDIA_TYPE


def encode_json(value: object, path: str) -> bytes:
    """Turn a value into compact JSON in UTF-8; `path` is what errors call it.

    Raises:
        InputError: The value, or a part of it, has no JSON form.
    """
    try:
        return json.dumps(_to_json(value, path), ensure_ascii=False, separators=(",", ":")).encode()
    except RecursionError:
        raise InputError(f"{path} is nested too deeply, or holds itself") from None
    except UnicodeEncodeError as error:
        raise InputError(f"{path} holds text that is not Unicode: {error.object[error.start : error.end]!r}") from None


def _to_json(value: object, path: str) -> Any:
    match value:
        case enum.Enum():
            return _to_json(value.value, path)
        case None | str() | bool() | int():
            return value
        case float():
            if not math.isfinite(value):
                raise InputError(f"{path} is {value}, which JSON cannot express")
            return value
        case Mapping():
            mapping = cast("Mapping[object, object]", value)
            return {_key(key, path): _to_json(item, f"{path}.{key}") for key, item in mapping.items()}
        case list() | tuple():
            items = cast("list[object]", value)
            return [_to_json(item, f"{path}[{index}]") for index, item in enumerate(items)]
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
        case uuid.UUID():
            return str(value)
        case _:
            return _object_to_json(value, path)


def _object_to_json(value: object, path: str) -> Any:
    binary = _binary(value, path)
    if binary is not None:
        return base64.b64encode(binary).decode("ascii")
    # Pydantic's own JSON mode would turn bytes into text as UTF-8, so its Python mode is what is walked.
    model_dump: Callable[..., object] | None = getattr(value, "model_dump", None)
    if model_dump is not None and not isinstance(value, type):
        return _to_json(model_dump(mode="python"), path)
    record: Any = value
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        names = [field.name for field in dataclasses.fields(record)]
        return {name: _to_json(getattr(record, name), f"{path}.{name}") for name in names}
    raise InputError(f"{path} is a {type(value).__name__}, which has no JSON form")


def _key(key: object, path: str) -> str:
    if not isinstance(key, str):
        raise InputError(f"{path} has the key {key!r}; keys are strings in JSON")
    return key


def _binary(value: object, path: str) -> bytes | None:
    match value:
        case bytes():
            return value
        case bytearray() | memoryview():
            return bytes(cast("bytearray", value))
        case Path():
            try:
                return value.read_bytes()
            except OSError as error:
                raise InputError(f"{path} is a file that cannot be read: {error}") from error
        case io.TextIOBase():
            raise InputError(f"{path} is a file opened as text; open it as binary")
        case _ if callable(read := getattr(value, "read", None)) and not isinstance(value, type):
            return _content(read(), path)
        case _:
            return None


def _content(content: object, path: str) -> bytes:
    if not isinstance(content, bytes):
        raise InputError(f"{path} is a file whose read() gives {type(content).__name__}, not bytes")
    return content
