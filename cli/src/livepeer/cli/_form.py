"""A schema as a form: which control each field gets, and what kind of thing comes out.

The rule is the one of devnet's dashboard, so that a terminal shows what a browser will. The first
line that fits wins:

    select    an enum, a constant, or a union of those
    boolean   a boolean
    range     a number or integer with both bounds
    number    any other number or integer
    file      a string with `contentEncoding: base64`, or with a `contentMediaType`
    address   a string with the format `uri`: a URL, or a file as a data URI
    textarea  a string that may be longer than 200 characters; without a limit, one whose name says prose
    text      any other string
    json      anything else: objects, lists, unions of several types
"""

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from livepeer.core import JsonSchema, OperationDescription

from ._inputs import resolve

FieldType = Literal["text", "textarea", "number", "range", "select", "boolean", "file", "address", "json"]
OutputType = Literal["text", "image", "audio", "video", "json"]

_LONG_CHARACTERS = 200
_PROSE = re.compile(
    r"(^|[^a-z0-9])(prompts?|text|content|messages?|instructions?|question|context|document|story|lyrics|description|body)"
    r"($|[^a-z0-9])"
)
_MOST_STEPS = 32
"""A reference may lead in a circle."""

_MEDIA: tuple[OutputType, ...] = ("image", "audio", "video")


class Field(BaseModel):
    """One field of an input."""

    model_config = ConfigDict(frozen=True)

    name: str
    type: FieldType
    label: str
    description: str | None = None
    required: bool
    default: Any = None
    minimum: int | float | None = None
    maximum: int | float | None = None
    options: list[Any] | None = None
    """The values of a select."""


def form_fields(schema: JsonSchema) -> list[Field]:
    """The fields of an input's schema, in its order; none if it is no object with named properties."""
    simple = _simplify(schema, schema)
    required: list[str] = simple.get("required", [])
    properties: dict[str, JsonSchema] = simple.get("properties", {})
    return [_field(name, node, schema, required=name in required) for name, node in properties.items()]


def output_type(operation: OperationDescription) -> OutputType:
    """What comes out: media by its media type, or by where callers in the field look for it (contract, section 8)."""
    schema = _simplify(operation.output_schema, operation.output_schema)
    for media_type in (operation.output_media_type, str(schema.get("contentMediaType", ""))):
        for kind in _MEDIA:
            if media_type.startswith(f"{kind}/"):
                return kind
    if schema.get("type") == "string" or operation.output_media_type.startswith("text/"):
        return "text"
    names = schema.get("properties", {})
    if "images" in names:
        return "image"
    for kind in _MEDIA:
        if kind in names:
            return kind
    return "json"


def _field(name: str, node: JsonSchema, root: JsonSchema, *, required: bool) -> Field:
    schema = _simplify(node, root)
    low, high = _bounds(schema)
    return Field(
        name=name,
        type=_type(name, schema),
        label=schema.get("title", name),
        description=schema.get("description"),
        required=required,
        default=schema.get("default"),
        minimum=low,
        maximum=high,
        options=_constants(schema),
    )


def _type(name: str, schema: JsonSchema) -> FieldType:
    if _constants(schema) is not None:
        return "select"
    match schema.get("type"):
        case "boolean":
            return "boolean"
        case "number" | "integer":
            return "number" if None in _bounds(schema) else "range"
        case "string" if schema.get("contentEncoding") == "base64" or schema.get("contentMediaType"):
            return "file"
        case "string" if schema.get("format") == "uri":
            return "address"
        case "string":
            return "textarea" if _is_long(name, schema) else "text"
        case _:
            return "json"


def _is_long(name: str, schema: JsonSchema) -> bool:
    if "maxLength" in schema:
        return schema["maxLength"] > _LONG_CHARACTERS
    return _PROSE.search(name.lower()) is not None


def _bounds(schema: JsonSchema) -> tuple[float | None, float | None]:
    step = 1 if schema.get("type") == "integer" else 0
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + step
    if high is None and "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - step
    return low, high


def _constants(schema: JsonSchema) -> list[Any] | None:
    if "enum" in schema:
        return schema["enum"]
    return [schema["const"]] if "const" in schema else None


def _simplify(schema: JsonSchema, root: JsonSchema) -> JsonSchema:
    """A schema with its references and one-armed unions merged into it; `null` in a union changes nothing."""
    found = schema
    for _ in range(_MOST_STEPS):
        following = _step(found, root)
        if following is None:
            break
        found = following
    return found


def _step(schema: JsonSchema, root: JsonSchema) -> JsonSchema | None:
    rest = {key: value for key, value in schema.items() if key not in ("$ref", "anyOf", "oneOf", "allOf")}
    if "$ref" in schema:
        return {**resolve(schema["$ref"], root), **rest}
    if len(schema.get("allOf", ())) == 1:
        return {**schema["allOf"][0], **rest}
    arms: list[JsonSchema] = schema.get("anyOf") or schema.get("oneOf") or []
    others = [arm for arm in arms if arm.get("type") != "null"]
    if len(others) == 1:
        return {**others[0], **rest}
    if others and (constants := list(_joined(others, root))) and None not in constants:
        return {"enum": [value for values in constants for value in values or ()], **rest}
    return None


def _joined(arms: list[JsonSchema], root: JsonSchema) -> Iterator[list[Any] | None]:
    for arm in arms:
        simple = _simplify(arm, root)
        yield _constants(simple)
