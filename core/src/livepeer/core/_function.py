"""The ready-made operation: a Python function, whose signature is the schema."""

import inspect
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError, to_json

from ._call import Call
from ._description import BINARY_MEDIA_TYPE, JSON_MEDIA_TYPE, OperationDescription
from ._errors import CallError, FieldError, InvalidInputError, MalformedBodyError, ModelFailedError
from ._operation import Encoded
from ._signature import Signature

_PLAIN_TYPES = frozenset({str, dict, list, int, float, bool, type(None)})
"""What needs no second look before it becomes JSON."""


_LONG_TEXT = 1024 * 1024

_MOST_ERRORS = 100
"""How many fields an error names: a list of thousands of wrong items would make an answer many times its size."""


class FunctionOperation:
    """An operation over a Python function: its signature is the schema.

    Args:
        function: Sync or async, returning or yielding.
        name: The operation's name.
        path: Its route.
        capacity: How many calls may run at once.

    Raises:
        SignatureError: If a parameter has no JSON form; names it.
    """

    def __init__(
        self, function: Callable[..., Any], *, name: str = "predict", path: str = "/predict", capacity: int = 1
    ) -> None:
        self._function = function
        self._signature = Signature(function)
        self._validate = self._signature.model.__pydantic_validator__.validate_json
        self._bind = self._signature.bind
        returned = self._signature.returned
        self._media_type = returned.media_type
        self.is_async = self._signature.is_async
        self.description = OperationDescription(
            name=name,
            path=path,
            summary=inspect.getdoc(function) or "",
            input_schema=self._signature.input_schema,
            output_schema=returned.schema,
            output_media_type=returned.media_type or returned.schema.get("contentMediaType", JSON_MEDIA_TYPE),
            streams=returned.streams,
            capacity=capacity,
        )

    def decode(self, body: bytes, media_type: str = JSON_MEDIA_TYPE) -> BaseModel:
        """Validate a JSON document; an empty body is an empty document."""
        try:
            return self._validate(body or b"{}")
        except ValidationError as error:
            raise input_error(error) from None

    def invoke(self, value: BaseModel, call: Call) -> Any:
        """Call the function."""
        return self._bind(self._function, value, call)

    def encode(self, value: Any) -> Encoded:
        """Serialize to JSON, or to bytes as they are if the value is bytes or a file."""
        if type(value) in _PLAIN_TYPES:
            return Encoded(encode_json(value), JSON_MEDIA_TYPE)
        if isinstance(value, bytes | bytearray | memoryview):
            return self._encode_bytes(bytes(cast("bytes", value)), None)
        if isinstance(value, Path):
            return self._encode_bytes(_read(value), mimetypes.guess_type(value.name)[0])
        if isinstance(value, Iterator | AsyncIterator | Awaitable):
            kind = type(cast("object", value)).__name__
            raise ModelFailedError(
                f"the model returned a {kind}; annotate what it returns as Iterator[...] or AsyncIterator[...] "
                "to stream it, or define it with async def"
            )
        return Encoded(encode_json(value), JSON_MEDIA_TYPE)

    def _encode_bytes(self, body: bytes, guessed: str | None) -> Encoded:
        if self.description.streams:
            return Encoded(encode_json(body), JSON_MEDIA_TYPE)
        return Encoded(body, self._media_type or guessed or BINARY_MEDIA_TYPE)


def encode_json(value: Any) -> bytes:
    """Serialize a JSON value; bytes inside it become base64, NaN and infinities null.

    Raises:
        ModelFailedError: If it has no JSON form.
    """
    if type(value) is str and len(value) > _LONG_TEXT:
        # In one piece this would keep every other thread waiting for tens of milliseconds.
        pieces = (value[start : start + _LONG_TEXT] for start in range(0, len(value), _LONG_TEXT))
        return b'"%b"' % b"".join([encode_json(piece)[1:-1] for piece in pieces])
    try:
        return to_json(value, bytes_mode="base64", inf_nan_mode="null", by_alias=True)
    except (PydanticSerializationError, ValueError) as error:
        raise ModelFailedError(f"the model's answer has no JSON form: {error}") from error


def input_error(error: ValidationError) -> CallError:
    """Tell a caller what pydantic found, field by field, without echoing the input."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    if found[0]["type"] == "json_invalid":
        return MalformedBodyError(found[0]["msg"])
    errors = [FieldError(field=_dotted(item["loc"]), reason=item["msg"]) for item in found[:_MOST_ERRORS]]
    named = "; ".join(f"{item.field or 'the document'}: {item.reason}" for item in errors[:5])
    return InvalidInputError(named, errors=errors)


def _dotted(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelFailedError(f"the model answered with a file that cannot be read: {error.strerror}") from error
