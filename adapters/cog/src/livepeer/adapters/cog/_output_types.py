"""What a model's return annotation says of its output."""

import collections.abc
import dataclasses
import inspect
import io
import types
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, cast, get_args, get_origin

from livepeer.core import JsonSchema

from . import _sdk
from ._declaration import MISSING

_CONCATENATED = (_sdk.ConcatenateIterator, _sdk.AsyncConcatenateIterator)
_ASYNC = (collections.abc.AsyncIterator, collections.abc.AsyncIterable, collections.abc.AsyncGenerator)
_SYNC = (collections.abc.Iterator, collections.abc.Iterable, collections.abc.Generator)
_FILE: JsonSchema = {"type": "string", "format": "uri"}
_PLAIN: dict[Any, JsonSchema] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    types.NoneType: {"type": "null"},
    _sdk.Secret: {"type": "string", "format": "password", "x-cog-secret": True},
}
_COG_SECRET: JsonSchema = {"type": "string", "format": "password", "writeOnly": True, "x-cog-secret": True}
_RECORD_MARKS = ("__required_keys__", "__dataclass_fields__", "model_fields")
"""By what a TypedDict, a dataclass (Cog's `BaseModel` among them) and a pydantic model are known."""


class OutputType:
    """What a predict returns, or yields.

    Args:
        returned: Its return annotation.
        predict: Tells by itself whether it yields.
    """

    def __init__(self, returned: Any, predict: Callable[..., Any]) -> None:
        function = inspect.unwrap(predict)
        origin = get_origin(returned) or returned
        self.concatenates = origin in _CONCATENATED
        """Whether the items are pieces of one text."""

        is_async_iterator = origin in _ASYNC or origin is _sdk.AsyncConcatenateIterator
        self.streams = (
            self.concatenates
            or is_async_iterator
            or origin in _SYNC
            or inspect.isgeneratorfunction(function)
            or inspect.isasyncgenfunction(function)
        )
        """Whether the output comes item by item."""

        self.is_async = is_async_iterator or inspect.iscoroutinefunction(predict) or inspect.isasyncgenfunction(predict)
        """Whether predict wants an event loop."""

        item = _item(returned, origin) if self.streams else returned
        self.schema = _Schemas(nullable=False).of(item)
        """JSON Schema (2020-12) of the output, or of one item."""

        self.cog_schema = self._as_cog(_Schemas(nullable=True).of(item))
        """The output as `cog build` describes it, all of its items together."""

    def _as_cog(self, schema: JsonSchema) -> JsonSchema:
        if self.streams:
            schema = {"type": "array", "items": schema, "x-cog-array-type": "iterator"}
        if self.concatenates:
            schema["x-cog-array-display"] = "concatenate"
        return {**schema, "title": "Output"}


def _item(returned: Any, origin: Any) -> Any:
    """What an iterator's annotation says of one item."""
    if origin in _CONCATENATED:
        return str
    arguments = get_args(returned)
    return arguments[0] if arguments and origin in (*_SYNC, *_ASYNC) else Any


class _Schemas:
    """Writes schemas of annotations.

    Args:
        nullable: As Cog writes them, for OpenAPI 3.0, where anything that is not known is an object.
    """

    def __init__(self, *, nullable: bool) -> None:
        self._nullable = nullable
        self._anything: JsonSchema = {"type": "object"} if nullable else {}
        self._open: list[Any] = []

    def of(self, annotation: Any) -> JsonSchema:
        if annotation is None:
            annotation = types.NoneType
        if annotation in (Any, MISSING):
            return dict(self._anything)
        if annotation is _sdk.Secret and self._nullable:
            return dict(_COG_SECRET)
        if annotation in _PLAIN:
            return dict(_PLAIN[annotation])
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Annotated:
            return self._opaque(arguments[0]) if _sdk.is_opaque(arguments) else self.of(arguments[0])
        if origin in (Union, types.UnionType):
            return self._union(arguments)
        if origin is Literal:
            return {"enum": list(arguments)}
        return self._container(origin or annotation, arguments)

    def _opaque(self, annotation: Any) -> JsonSchema:
        is_list = annotation is list or get_origin(annotation) is list
        return {"type": "array", "items": {"type": "object"}} if is_list else {"type": "object"}

    def _union(self, arguments: tuple[Any, ...]) -> JsonSchema:
        found = [self.of(argument) for argument in arguments if argument is not types.NoneType]
        if types.NoneType not in arguments:
            return {"anyOf": found}
        if not self._nullable:
            return {"anyOf": [*found, {"type": "null"}]}
        return {**(found[0] if len(found) == 1 else {"anyOf": found}), "nullable": True}

    def _container(self, kind: Any, arguments: tuple[Any, ...]) -> JsonSchema:
        if not isinstance(kind, type):
            return dict(self._anything)
        kind = cast("type[Any]", kind)
        if issubclass(kind, list | set | frozenset | tuple):
            items = self.of(arguments[0]) if len(set(arguments) - {...}) == 1 else dict(self._anything)
            return {"type": "array", "items": items}
        if any(hasattr(kind, mark) for mark in _RECORD_MARKS):
            return self._record(kind)
        if issubclass(kind, Mapping):
            known = {"additionalProperties": self.of(arguments[1])} if len(arguments) == 2 else {}
            return {"type": "object", **known}
        if hasattr(kind, "__fspath__") or issubclass(kind, io.IOBase):
            return dict(_FILE)
        if issubclass(kind, Enum):
            return {"enum": [member.value for member in kind]}
        return dict(self._anything)

    def _record(self, kind: type[Any]) -> JsonSchema:
        if kind in self._open:
            return {"type": "object"}
        self._open.append(kind)
        try:
            hints = typing.get_type_hints(kind, include_extras=True)
            fields = _required_fields(kind, hints)
            properties = {name: {**self.of(hints[name]), "title": _title(name)} for name in fields}
        except NameError:
            return {"type": "object"}
        finally:
            self._open.pop()
        required = [name for name, must in fields.items() if must and not _is_optional(hints[name])]
        schema: JsonSchema = {"type": "object", "properties": properties}
        return {**schema, "required": required} if required else schema


def _required_fields(kind: type[Any], hints: Mapping[str, Any]) -> dict[str, bool]:
    """The fields of a record, and whether each is always there."""
    if typing.is_typeddict(kind):
        required: Any = getattr(kind, "__required_keys__", ())
        return {name: name in required for name in hints}
    if hasattr(kind, "__dataclass_fields__"):
        return {
            field.name: field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
            for field in dataclasses.fields(kind)
        }
    fields: Mapping[str, Any] = getattr(kind, "model_fields", {})
    return {name: field.is_required() for name, field in fields.items() if name in hints}


def _is_optional(annotation: Any) -> bool:
    return get_origin(annotation) in (Union, types.UnionType) and types.NoneType in get_args(annotation)


def _title(name: str) -> str:
    return " ".join(part[:1].upper() + part[1:] for part in name.split("_"))
