"""What an api gives on the contract's own face: the value itself, as JSON or, a file, as its bytes."""

import io
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path, PurePath
from typing import Annotated, Any, cast

import anyio
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticSerializationError

from livepeer.core import BINARY_MEDIA_TYPE, JSON_MEDIA_TYPE, Encoded, ModelFailedError

from . import _sdk
from ._schemas import output_media_type


class Outputs:
    """The outputs of one api, or the items of its stream.

    Args:
        method: The api.
    """

    def __init__(self, method: Any) -> None:
        self._root = root_adapter(method.output_spec) if issubclass(method.output_spec, _sdk.IORootModel) else None
        self._name = str(method.name)
        self._media_type = output_media_type(method)

    async def answer(self, value: Any) -> Encoded:
        """Serialize an answer. Within its request: the file may be in its temporary directory.

        Raises:
            ModelFailedError: If the value is not what the api's annotation says, or has no JSON form.
        """
        if isinstance(value, PurePath):
            content = await anyio.to_thread.run_sync(read_file, value)
            return Encoded(content, mimetypes.guess_type(value.name)[0] or self._binary_type())
        if is_image(value):
            return Encoded(*encode_image(value))
        checked = self.check(value)
        if isinstance(checked, bytes):
            return Encoded(checked, self._binary_type())
        return Encoded(self.dump(checked), JSON_MEDIA_TYPE)

    def check(self, value: Any) -> Any:
        """A value as the api's annotation has it.

        Raises:
            ModelFailedError: If it is something else.
        """
        if self._root is None:
            if isinstance(value, BaseModel):
                return value
            raise ModelFailedError(f"{self._name} gave {_a(value)} where its annotation says a model")
        if isinstance(value, Iterator | AsyncIterator | Awaitable):
            raise ModelFailedError(f"{self._name} gave {_a(value)}; to stream its items, write it as a generator")
        if isinstance(value, _sdk.IORootModel):
            return value.root
        try:
            return self._root.validate_python(value)
        except ValidationError as error:
            raise ModelFailedError(f"{self._name} gave {_a(value)} that is not what its annotation says") from error

    def dump(self, checked: Any) -> bytes:
        """The JSON of a value that was checked.

        Raises:
            ModelFailedError: If it has none.
        """
        try:
            if self._root is None:
                return cast("bytes", checked.__pydantic_serializer__.to_json(checked))
            return self._root.dump_json(checked)
        except (PydanticSerializationError, ValueError) as error:
            raise ModelFailedError(f"what {self._name} gave has no JSON form: {error}") from error

    def _binary_type(self) -> str:
        return BINARY_MEDIA_TYPE if self._media_type == JSON_MEDIA_TYPE else self._media_type


def root_adapter(spec: type[BaseModel]) -> "TypeAdapter[Any]":
    """A root value's own validator, whose errors do not speak of a root that callers cannot see."""
    return field_adapter(spec.model_fields["root"])


def field_adapter(field: FieldInfo) -> "TypeAdapter[Any]":
    """What validates one field by itself, by its type and what is annotated to it."""
    annotation: Any = field.annotation
    return TypeAdapter(cast("Any", Annotated)[annotation, *field.metadata] if field.metadata else annotation)


def is_image(value: Any) -> bool:
    """Whether it is an image of PIL, which is not imported for that."""
    return type(value).__module__.startswith("PIL.") and hasattr(value, "save")


def encode_image(image: Any) -> tuple[bytes, str]:
    """An image in the format that it came in, PNG if it came in none, and its media type."""
    buffer = io.BytesIO()
    form: str = image.format or "PNG"
    image.save(buffer, format=form)
    return buffer.getvalue(), f"image/{form.lower()}"


def read_file(path: PurePath) -> bytes:
    """What is in a file that an api gave.

    Raises:
        ModelFailedError: If it cannot be read.
    """
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise ModelFailedError(f"the answer is a file that cannot be read: {error.strerror}") from error


def _a(value: Any) -> str:
    return f"a value of the type {type(value).__name__}"
