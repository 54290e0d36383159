"""JSON Schema (2020-12) of inputs and outputs, refusing what cannot cross the wire."""

from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from ._description import BINARY_MEDIA_TYPE, JsonSchema


class NoJsonFormError(Exception):
    """Raised when a type would cross the wire as something else than it says."""


class _Generator(GenerateJsonSchema):
    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        setting = self._config.val_json_bytes if self.mode == "validation" else self._config.ser_json_bytes
        found: JsonSchemaValue = {"type": "string", "format": "base64" if setting == "base64" else "binary"}
        self.update_with_validations(found, schema, self.ValidationsMapping.bytes)
        return found


def input_schema(model: type[BaseModel]) -> JsonSchema:
    """Schema of a request's document.

    Raises:
        NoJsonFormError: If a field reads bytes as text, or is a path of the server's own disk.
    """
    schema = model.model_json_schema(schema_generator=_Generator, mode="validation", by_alias=True)
    _refine(schema, is_input=True)
    return schema


def output_schema(annotation: Any, media_type: str | None) -> JsonSchema:
    """Schema of an answer or of one event's data."""
    if annotation in (bytes, bytearray, memoryview, Path):
        return {"type": "string", "contentMediaType": media_type or BINARY_MEDIA_TYPE}
    schema = TypeAdapter(annotation).json_schema(schema_generator=_Generator, mode="serialization", by_alias=True)
    _refine(schema, is_input=False)
    return schema


def _refine(node: Any, *, is_input: bool) -> None:
    """Say base64 the way JSON Schema does, and refuse paths of the server's disk as inputs."""
    if isinstance(node, list):
        for item in cast("list[Any]", node):
            _refine(item, is_input=is_input)
    elif isinstance(node, dict):
        found = cast("dict[str, Any]", node)
        match found.get("format"):
            case "base64" | "base64url" if found.get("type") == "string":
                del found["format"]
                found["contentEncoding"] = "base64"
            case "binary" if is_input:
                raise NoJsonFormError(
                    "a model of your own reads bytes as UTF-8 text; annotate the field pydantic.Base64Bytes, "
                    "or set val_json_bytes='base64' in its model_config"
                )
            case "path" | "file-path" | "directory-path" if is_input:
                raise NoJsonFormError("a path would name a file of the server's own disk; take bytes instead")
            case _:
                pass
        for value in found.values():
            _refine(value, is_input=is_input)
