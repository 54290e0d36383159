"""Outputs as JSON: by what a value is, whatever the annotation says."""

import base64
import dataclasses
import datetime
import io
import json
import math
import mimetypes
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, cast

from pydantic_core import PydanticSerializationError, to_jsonable_python

from livepeer.core import ModelFailedError

from . import _sdk

_AS_IT_IS = frozenset({str, int, bool, type(None)})
_UNKNOWN_FILE = "application/octet-stream"
_MEDIA_TYPES = {
    ".avif": "image/avif",
    ".flac": "audio/flac",
    ".glb": "model/gltf-binary",
    ".m4a": "audio/m4a",
    ".mkv": "video/x-matroska",
    ".txt": "text/plain",
    ".wav": "audio/wav",
    ".webp": "image/webp",
}
"""By Cog's table, where Python's own knows others, or depends on the machine."""


class OutputError(ModelFailedError):
    """Raised when a model's output has no form on the wire; the message says which value."""


def encode_output(value: Any) -> Any:
    """The JSON value of what a model returned; files become data URIs.

    Raises:
        OutputError: If it has none: a file that is not there, an infinity, an object of its own kind.
    """
    try:
        return _encode(value)
    except RecursionError:
        raise OutputError("Failed to serialize output: it holds itself, or is nested too deeply") from None


def _encode(value: Any) -> Any:
    kind = cast("type[Any]", type(value))
    if kind in _AS_IT_IS:
        return value
    if kind is float:
        return _finite(value)
    for kinds, encode in _ENCODERS:
        if isinstance(value, kinds):
            return encode(value)
    return _encode_other(value)


def _encode_other(value: Any) -> Any:
    if not isinstance(value, type):
        dumps = getattr(value, "model_dump", None) or getattr(value, "dict", None)
        if callable(dumps):
            return _encode(dumps())
        if dataclasses.is_dataclass(value):
            return {field.name: _encode(getattr(value, field.name)) for field in dataclasses.fields(value)}
    numpy: Any = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return _encode(cast("Any", value).item())
    if numpy is not None and isinstance(value, numpy.ndarray):
        return _encode(cast("Any", value).tolist())
    try:
        return to_jsonable_python(value, inf_nan_mode="constants")
    except (PydanticSerializationError, ValueError):
        raise _not_json(value) from None


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise OutputError(f"Failed to serialize output: ValueError: {value} is no JSON number")
    return value


def _encode_mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {_encode_key(key): _encode(each) for key, each in value.items()}


def _encode_key(key: Any) -> str:
    if isinstance(key, Enum):
        key = key.value
    if isinstance(key, str):
        return key
    if isinstance(key, int | float | None):
        return json.dumps(key)
    raise _not_json(key)


def _not_json(value: Any) -> OutputError:
    return OutputError(
        f"Failed to serialize output: TypeError: Object of type {type(value).__name__} is not JSON serializable"
    )


def _encode_path(value: os.PathLike[str]) -> str:
    path = Path(value)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise OutputError(f"Failed to read output file {path.name!r}: {error.strerror}") from None
    return _data_uri(content, path.name)


def _encode_stream(value: io.IOBase) -> str:
    stream = cast("Any", value)
    try:
        if stream.seekable():
            stream.seek(0)
        content: str | bytes = stream.read()
    except (OSError, ValueError) as error:
        raise OutputError(f"Failed to read output file: {error}") from None
    # Of a file opened by its descriptor, the name is a number.
    name = str(getattr(stream, "name", ""))
    return _data_uri(content, name) if isinstance(content, bytes) else _data_uri(content.encode(), name or "text.txt")


def _data_uri(content: bytes, name: str) -> str:
    media_type = _MEDIA_TYPES.get(Path(name).suffix.lower()) or mimetypes.guess_type(name)[0] or _UNKNOWN_FILE
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def _encode_all(value: Any) -> list[Any]:
    return [_encode(item) for item in value]


_ENCODERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (Enum, lambda value: _encode(value.value)),
    (_sdk.Secret, str),
    (str, str),
    (bool, bool),
    (int, int),
    (float, lambda value: _finite(float(value))),
    (Mapping, _encode_mapping),
    (datetime.date | datetime.time, lambda value: value.isoformat()),
    (os.PathLike, _encode_path),
    (io.IOBase, _encode_stream),
    ((list, tuple, set, frozenset, Iterator), _encode_all),
    (bytes | bytearray | memoryview, lambda value: _data_uri(bytes(value), "")),
)
"""In this order: an enumeration may be text, too, and a file is an iterator."""
