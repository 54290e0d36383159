"""One input of a model: its schemas, and what it is when it is left out."""

import json
import re
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from livepeer.core import JsonSchema, TargetError

from ._declaration import MISSING, DeclaredParameter
from ._downloads import URL_PATTERN
from ._types import InputType, UnsupportedTypeError, input_type, modern

_CONSTRAINTS = {
    "ge": "minimum",
    "le": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "regex": "pattern",
}


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One input."""

    name: str
    order: int
    type: InputType
    """What its annotation means; nullable too if its default is None."""

    default: Any
    """What the model gets if it is left out; `MISSING` if it must not be."""

    required: bool
    cog_required: bool
    """Whether Cog says so: it does not let out what has None for a default unless it is `Optional`."""

    cog_nullable: bool
    choices: JsonSchema | None
    """The component that Cog's schema has for them."""

    constraints: JsonSchema
    notes: JsonSchema
    """What of the schema is for people: its title, say."""


def make_parameter(order: int, declared: DeclaredParameter, where: str) -> Parameter:
    """The input that a parameter declares.

    Args:
        order: Which parameter it is.
        declared: What the source says.
        where: What to call its model in errors.

    Raises:
        TargetError: If it has no form on the wire; names it.
    """
    try:
        found = input_type(declared.annotation)
    except UnsupportedTypeError as error:
        raise TargetError(f"{where}: input {declared.name!r}: {error}") from None
    field, default = declared.field, declared.default
    cog_nullable = found.nullable or (found.is_secret and found.schema.get("type") == "string" and default is None)
    has_default = default is not MISSING and (default is not None or cog_nullable)
    is_union = "anyOf" in found.schema
    nullable = found.nullable or default is None
    if nullable and default is MISSING:
        default = None
    return Parameter(
        name=declared.name,
        order=order,
        type=replace(found, nullable=nullable),
        default=default,
        required=default is MISSING,
        cog_required=not has_default and (is_union or not cog_nullable),
        cog_nullable=cog_nullable,
        choices=_choices(declared.name, found, field),
        constraints=_constraints(field),
        notes=_notes(order, declared, found, has_default),
    )


def _choices(name: str, found: InputType, field: Any) -> JsonSchema | None:
    if field is not None and field.choices:
        values = [choice.value if isinstance(choice, Enum) else choice for choice in field.choices]
        items = found.schema.get("items", found.schema)
        kind = items.get("type", "string")
    elif "enum" in found.schema:
        values, kind = found.schema["enum"], found.schema["type"]
    else:
        return None
    return {"title": name, "description": "An enumeration.", "enum": values, "type": kind}


def _constraints(field: Any) -> JsonSchema:
    found = {keyword: getattr(field, name, None) for name, keyword in _CONSTRAINTS.items()}
    return {keyword: _plain(value) for keyword, value in found.items() if value is not None}


def _plain(value: Any) -> Any:
    """Whole numbers without a point, as Cog's schemas have them and its errors say them."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _notes(order: int, declared: DeclaredParameter, found: InputType, has_default: bool) -> JsonSchema:
    field = declared.field
    title = " ".join(part[:1].upper() + part[1:] for part in declared.name.split("_"))
    notes: JsonSchema = {"title": title, "x-order": order}
    if has_default and _may_be_shown(declared.default, found):
        notes["default"] = declared.default.value if isinstance(declared.default, Enum) else declared.default
    if getattr(field, "description", None) is not None:
        notes["description"] = field.description
    if getattr(field, "deprecated", None):
        notes["deprecated"] = True
    if getattr(field, "accept", None) is not None:
        notes["x-cog-accept"] = field.accept
    return notes


def _may_be_shown(default: Any, found: InputType) -> bool:
    """Whether a default is JSON, no secret, and no file of this machine."""
    if default is None or isinstance(default, Enum):
        return True
    if found.is_secret or (found.is_file and not re.match(URL_PATTERN, str(default))):
        return False
    try:
        json.dumps(default, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def shape_of(parameter: Parameter) -> JsonSchema:
    """What a value must be, null aside."""
    schema = parameter.type.schema
    if parameter.choices is not None:
        allowed = {"enum": parameter.choices["enum"]}
        schema = {**schema, "items": {**schema["items"], **allowed}} if "items" in schema else {**schema, **allowed}
    return {**schema, **parameter.constraints}


def schema_of(parameter: Parameter) -> JsonSchema:
    """What is served of it: JSON Schema 2020-12."""
    shape = InputType(schema=shape_of(parameter), nullable=parameter.type.nullable)
    return {**modern(shape), **parameter.notes}


def cog_schema_of(parameter: Parameter) -> JsonSchema:
    """What `cog build` writes of it: OpenAPI 3.0, with the choices in a component of their own."""
    notes = dict(parameter.notes)
    if parameter.choices is not None:
        del notes["title"]
        shape: JsonSchema = {"allOf": [{"$ref": f"#/components/schemas/{parameter.name}"}]}
    else:
        shape = parameter.type.schema
    nullable = {"nullable": True} if parameter.cog_nullable else {}
    return {**shape, **notes, **parameter.constraints, **nullable}
