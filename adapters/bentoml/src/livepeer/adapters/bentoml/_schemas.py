"""JSON Schema (2020-12) of what an api takes and gives, from the models that BentoML makes of its signature.

BentoML's own schemas have types that JSON Schema does not know, and fail on recursive and optional models. They tell
what is a file, a tensor or a table, though; so they are made as it makes them, and put into JSON Schema's words then.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema

from livepeer.core import BINARY_MEDIA_TYPE, JSON_MEDIA_TYPE, JsonSchema

from . import _sdk

FILE, TENSOR, BYTES = "file", "tensor", "bytes"
"""Types that a schema has before it is translated; the last is ours, the others BentoML's."""

PATH_FORMATS = ("path", "file-path")
"""Formats of a file's path inside a user's own model, which BentoML leaves as it is."""

_DATA_KEYWORDS = ("default", "const", "enum", "examples")
"""What is no schema inside of one."""

_NUMBERS = {"int": "integer", "uint": "integer", "float": "number", "bfloat": "number", "bool": "boolean"}


class _Generator(GenerateJsonSchema):
    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    def bytes_schema(self, schema: core_schema.BytesSchema) -> JsonSchemaValue:
        if self.mode == "validation":
            return {"type": BYTES}
        return {"type": "string", **({"contentEncoding": "base64"} if self._config.ser_json_bytes == "base64" else {})}

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        # A type of the user's own, which has no schema and works all the same.
        return {}


def dialect_of(spec: type[BaseModel], mode: Literal["validation", "serialization"] = "validation") -> JsonSchema:
    """A model's schema with the types of this module in it: where its files are, above all.

    Inputs go by their aliases, answers by their names, as BentoML reads and writes them.
    """
    schema = spec.model_json_schema(schema_generator=_Generator, mode=mode, by_alias=mode == "validation")
    schema.pop("root_input", None)
    if "title" in schema:
        schema["title"] = str(schema["title"]).removesuffix("IODescriptor")
    if _is_root(spec):
        default = spec.model_fields["root"].get_default(call_default_factory=True)
        if isinstance(default, str | int | float | bool | list | dict | None):
            schema.setdefault("default", default)
    return schema


def input_schema(spec: type[BaseModel]) -> JsonSchema:
    """JSON Schema of the document that an api takes on the contract's own face."""
    return cast("JsonSchema", _translate(dialect_of(spec)))


def native_input_schema(spec: type[BaseModel]) -> JsonSchema:
    """JSON Schema of what an api takes on its own route: files are parts of a form, bytes are text."""
    return cast("JsonSchema", _as_parts(_translate(dialect_of(spec))))


def output_schema(method: Any) -> JsonSchema:
    """JSON Schema of an api's answer on the contract's own face, or of one item of its stream."""
    spec: type[BaseModel] = method.output_spec
    found = dialect_of(spec, "serialization")
    found.pop("default", None)
    kind = _root_kind(spec)
    if kind == TENSOR:
        # Written for an answer, it has lost its data type.
        return _tensor(dialect_of(spec))
    if kind in (FILE, BYTES):
        return _stream_of_bytes() if method.is_stream else _binary(output_media_type(method))
    return cast("JsonSchema", _translate(found))


def output_media_type(method: Any) -> str:
    """Media type of an api's answer on the contract's own face, as far as its signature tells."""
    declared: str | None = method.output_spec.media_type
    match _root_kind(method.output_spec):
        case "file":
            return declared or str(method.output_spec.mime_type())
        case "bytes":
            return declared or BINARY_MEDIA_TYPE
        case _:
            return JSON_MEDIA_TYPE


def _root_kind(spec: type[BaseModel]) -> Any:
    return dialect_of(spec).get("type") if _is_root(spec) else None


def _is_root(spec: type[BaseModel]) -> bool:
    return issubclass(spec, _sdk.IORootModel)


def _translate(node: Any) -> Any:
    if isinstance(node, list):
        return [_translate(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("JsonSchema", node)
    match schema:
        case {"type": "file"} | {"type": "string", "format": "path" | "file-path"}:
            return _file(schema)
        case {"type": "tensor"}:
            return _tensor(schema)
        case {"type": "dataframe"}:
            return _table(schema)
        case {"type": "bytes"}:
            return {**schema, "type": "string", "contentEncoding": "base64"}
        case _:
            found = {key: _inside(key, value) for key, value in schema.items()}
            if isinstance(found.get("default"), str) and "anyOf" in schema and _names_a_file(schema):
                del found["default"]
            return found


def _inside(key: str, value: Any) -> Any:
    if key in _DATA_KEYWORDS:
        return value
    if key in ("properties", "$defs"):
        # Names, not keywords: a property may well be called "default" or "type".
        return {name: _translate(schema) for name, schema in cast("JsonSchema", value).items()}
    return _translate(value)


def _as_parts(node: Any) -> Any:
    if isinstance(node, list):
        return [_as_parts(item) for item in cast("list[Any]", node)]
    if not isinstance(node, dict):
        return node
    schema = cast("JsonSchema", node)
    match schema:
        case {"type": "string", "format": "uri", "contentMediaType": _}:
            dropped = "format"
        case {"type": "string", "contentEncoding": _}:
            dropped = "contentEncoding"
        case _:
            dropped = None
    return {key: _as_parts(value) for key, value in schema.items() if key != dropped}


def _names_a_file(schema: JsonSchema) -> bool:
    return any(branch.get("type") == FILE or branch.get("format") in PATH_FORMATS for branch in schema["anyOf"])


def _notes(schema: JsonSchema, *, default: bool = True) -> JsonSchema:
    """What people wrote about a field."""
    kept = ("title", "description", "examples", "deprecated", *(("default",) if default else ()))
    return {key: schema[key] for key in kept if key in schema}


def _file(schema: JsonSchema) -> JsonSchema:
    """A file by its address; a default that is a path of this machine says nothing to a caller."""
    media_type = schema.get("content_type") or ("image/*" if schema.get("pil") else BINARY_MEDIA_TYPE)
    found = _notes(schema, default=False)
    return {**found, "type": "string", "format": "uri", "contentMediaType": media_type}


def _tensor(schema: JsonSchema) -> JsonSchema:
    """Nested lists, with what JSON Schema cannot say as annotations."""
    dtype, shape = schema.get("dtype"), schema.get("shape")
    number = _NUMBERS.get(str(dtype).rstrip("0123456789_"))
    item: JsonSchema = {} if dtype is not None and number is None else {"type": number or "number"}
    if shape is None:
        # Of any depth, or a lone number.
        item = {"type": "array"}
    for _ in shape or ():
        item = {"type": "array", "items": item}
    notes: Mapping[str, Any] = {"x-dtype": dtype, "x-shape": None if shape is None else list(shape)}
    return {**_notes(schema), **item, **{key: value for key, value in notes.items() if value is not None}}


def _table(schema: JsonSchema) -> JsonSchema:
    """A list of rows, or columns by name: BentoML takes both, whichever it writes."""
    rows: JsonSchema = {"type": "array", "items": {"type": "object"}}
    columns: JsonSchema = {"type": "object", "additionalProperties": {"type": "array"}}
    found = _notes(schema)
    if schema.get("columns"):
        found["x-columns"] = list(schema["columns"])
    return {**found, "anyOf": [rows, columns]}


def _binary(media_type: str) -> JsonSchema:
    return {"type": "string", "contentMediaType": media_type}


def _stream_of_bytes() -> JsonSchema:
    encoded: JsonSchema = {"type": "string", "contentEncoding": "base64"}
    return {"type": "object", "properties": {"b64": encoded}, "required": ["b64"]}
