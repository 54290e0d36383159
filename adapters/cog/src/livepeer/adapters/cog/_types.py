"""What an annotation means for an input: its JSON Schema as Cog writes it, and how its value is made."""

import inspect
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from livepeer.core import JsonSchema

from . import _sdk
from ._downloads import Downloads

Convert = Callable[[Any, Downloads], Any]
"""Makes what the model gets of a value that fits the schema."""


class UnsupportedTypeError(Exception):
    """Raised when an annotation has no meaning for an input; the message says what is wrong with it."""


@dataclass(frozen=True, kw_only=True)
class InputType:
    """One annotation."""

    schema: JsonSchema
    """As Cog writes it, for OpenAPI 3.0."""

    convert: Convert | None = None
    """None if the model gets the JSON value as it is."""

    nullable: bool = False
    is_file: bool = False
    """Whether its values are, or hold, files: then it takes time to convert them."""

    is_secret: bool = False


OBJECT = {"type": "object"}
FILE: JsonSchema = {"type": "string", "format": "uri"}
SECRET: JsonSchema = {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True}

_PLAIN: dict[Any, InputType] = {
    str: InputType(schema={"type": "string"}),
    int: InputType(schema={"type": "integer"}),
    float: InputType(schema={"type": "number"}),
    bool: InputType(schema={"type": "boolean"}),
    Any: InputType(schema=OBJECT),
    dict: InputType(schema=OBJECT),
    list: InputType(schema={"type": "array", "items": {}}),
    inspect.Parameter.empty: InputType(schema={}),
    _sdk.File: InputType(schema=FILE, convert=lambda value, files: files.open(value), is_file=True),
    _sdk.Secret: InputType(schema=SECRET, convert=lambda value, files: _sdk.Secret(value), is_secret=True),
}
_PATH = InputType(schema=FILE, convert=lambda value, files: files.save(value), is_file=True)


def input_type(annotation: Any) -> InputType:
    """What an annotation of a parameter means.

    Raises:
        UnsupportedTypeError: If Cog has no such input, and JSON has none either.
    """
    try:
        found = _PLAIN.get(annotation)
    except TypeError:  # a Literal of something unhashable
        found = None
    if found is not None:
        return found
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _opaque(arguments[0]) if _sdk.is_opaque(arguments) else input_type(arguments[0])
    if origin is Union or origin is types.UnionType:
        return _union(arguments)
    if origin is Literal:
        return _choice(arguments)
    if origin in _SEQUENCES or annotation in _SEQUENCES:
        return _sequence(_SEQUENCES[origin or annotation], arguments)
    if _is_mapping(origin or annotation):
        return _PLAIN[dict]
    if isinstance(annotation, type):
        return _class(cast("type[Any]", annotation))
    raise UnsupportedTypeError(f"{_name(annotation)} is no input of Cog's")


def _class(annotation: type[Any]) -> InputType:
    if hasattr(annotation, "__fspath__"):
        return _PATH
    if issubclass(annotation, Enum):
        found = _choice([member.value for member in annotation])
        return InputType(schema=found.schema, convert=lambda value, files: annotation(value))
    raise UnsupportedTypeError(f"{_name(annotation)} is no input of Cog's")


def _opaque(annotation: Any) -> InputType:
    """Only whether it is a list, and whether it may be missing, is looked at."""
    arguments = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType) and types.NoneType in arguments:
        inner = [argument for argument in arguments if argument is not types.NoneType]
        found = _opaque(inner[0]) if len(inner) == 1 else _PLAIN[Any]
        return InputType(schema=found.schema, nullable=True)
    is_list = annotation is list or get_origin(annotation) is list
    return InputType(schema={"type": "array", "items": OBJECT}) if is_list else _PLAIN[Any]


def _union(arguments: Sequence[Any]) -> InputType:
    members = [argument for argument in arguments if argument is not types.NoneType]
    found = [input_type(member) for member in members]
    nullable = len(members) < len(arguments) or any(each.nullable for each in found)
    if len(found) == 1:
        return replace(found[0], nullable=nullable)
    for argument, each in zip(members, found, strict=True):
        if each.convert is not None:
            raise UnsupportedTypeError(f"{_name(argument)} cannot be told from the others of its union")
    variants = [{**each.schema, "nullable": True} if nullable else each.schema for each in found]
    return InputType(schema={"anyOf": variants}, nullable=nullable)


def _choice(values: Sequence[Any]) -> InputType:
    kinds: set[type] = {type(value) for value in values}
    if kinds not in ({str}, {int}):
        raise UnsupportedTypeError("choices are all text or all integers")
    return InputType(schema={"enum": list(values), "type": "string" if kinds == {str} else "integer"})


_SEQUENCES: dict[Any, Callable[[list[Any]], Any] | None] = {
    list: None,
    Sequence: None,
    tuple: tuple,
    set: set,
    frozenset: frozenset,
}


def _sequence(make: Callable[[list[Any]], Any] | None, arguments: Sequence[Any]) -> InputType:
    if (make is tuple and len(arguments) != 2) or (len(arguments) == 2 and arguments[1] is not ...):
        raise UnsupportedTypeError("a tuple as an input has one type for all its items: tuple[X, ...]")
    item = input_type(arguments[0]) if arguments else _PLAIN[Any]
    schema = {"type": "array", "items": modern(item) if item.nullable else item.schema}
    inner = item.convert

    def convert(value: list[Any], files: Downloads) -> Any:
        made = value if inner is None else [None if each is None else inner(each, files) for each in value]
        return made if make is None else make(made)

    converts = inner is not None or make is not None
    return InputType(
        schema=schema, convert=convert if converts else None, is_file=item.is_file, is_secret=item.is_secret
    )


def modern(found: InputType) -> JsonSchema:
    """The schema as JSON Schema 2020-12 has it, to which OpenAPI's `nullable` means nothing."""
    if not found.nullable:
        return found.schema
    variants: list[JsonSchema] = found.schema.get("anyOf", [found.schema])
    bare = [{key: value for key, value in variant.items() if key != "nullable"} for variant in variants]
    return {"anyOf": [*bare, {"type": "null"}]}


def _is_mapping(annotation: Any) -> bool:
    if typing.is_typeddict(annotation):
        return True
    return isinstance(annotation, type) and issubclass(cast("type[Any]", annotation), Mapping)


def _name(annotation: Any) -> str:
    return getattr(annotation, "__name__", None) or str(annotation)
