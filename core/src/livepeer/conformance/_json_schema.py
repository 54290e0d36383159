"""JSON Schema (2020-12), as far as a clause needs it: whether a schema is one, whether a value fits, what does not."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from livepeer.core import JsonSchema

_MISSING = object()

_STRINGS = {"$id", "$schema", "$ref", "$anchor", "$comment", "title", "description", "format", "pattern"}
_COUNTS = {"minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"}
_NUMBERS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_FLAGS = {"uniqueItems", "deprecated", "readOnly", "writeOnly"}
_SCHEMAS = {"items", "contains", "additionalProperties", "propertyNames", "not", "if", "then", "else"}
_LISTS_OF_SCHEMAS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_MAPS_OF_SCHEMAS = {"properties", "patternProperties", "$defs", "dependentSchemas"}

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "number": (int, float),
    "integer": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}

_WRONG_VALUES: tuple[object, ...] = ({"wrong": ["wrong"]}, [["wrong"]], "wrong")


def schema_errors(schema: object) -> list[str]:
    """What keeps a document from being a JSON Schema; a line each, with the place."""
    return list(_errors(schema, schema, "#"))


def misfit(value: object, schema: object, root: object) -> str | None:
    """What is wrong with a value; None if it fits, as far as types, enums, fields and items tell.

    Args:
        value: A JSON value.
        schema: The schema, or a part of one.
        root: The whole schema, in which references are looked up.
    """
    return next(_misfits(value, schema, root, "the value"), None)


def wrong_fields(schema: object) -> dict[str, object]:
    """A value that does not fit, for each property of which there is one."""
    found: dict[str, object] = {}
    for name, node in properties(schema).items():
        wrong = next((value for value in _WRONG_VALUES if misfit(value, node, schema) is not None), _MISSING)
        if wrong is not _MISSING:
            found[name] = wrong
    return found


def example_of(schema: object) -> tuple[dict[str, object] | None, str]:
    """A document from the examples and defaults of a schema, and the required field that has neither."""
    whole = _mapping(schema)
    given = _listed(whole.get("examples"))
    if given and isinstance(given[0], dict):
        return cast("dict[str, object]", given[0]), ""
    found: dict[str, object] = {}
    for name in required(schema):
        value = _example(properties(schema).get(name, {}), schema)
        if value is _MISSING:
            return None, name
        found[name] = value
    return found, ""


def properties(schema: object) -> dict[str, object]:
    """The named fields of an object's schema."""
    return _mapping(resolved(schema, schema).get("properties"))


def required(schema: object) -> list[str]:
    """The fields that must be there."""
    return [str(name) for name in _listed(resolved(schema, schema).get("required"))]


def resolved(node: object, root: object) -> dict[str, Any]:
    """A schema, or what it refers to; empty if that is nothing."""
    found = _mapping(node)
    seen: set[str] = set()
    while isinstance(reference := found.get("$ref"), str) and reference not in seen:
        seen.add(reference)
        found = _mapping(look_up(root, reference))
    return found


def look_up(root: object, reference: str) -> object:
    """What a reference within a document names; None if nothing."""
    found = root
    for part in reference.removeprefix("#").split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        found = _mapping(found).get(name)
    return found if reference.startswith("#") else None


def _errors(node: object, root: object, where: str) -> Iterator[str]:
    if isinstance(node, bool):
        return
    if not isinstance(node, dict):
        yield f"{where} is no schema"
        return
    for key, value in cast("dict[str, object]", node).items():
        here = f"{where}/{key}"
        if not _keyword_fits(key, value):
            yield f"{here} may not be {value!r:.60}"
        elif key == "$ref" and look_up(root, str(value)) is None:
            yield f"{here} leads nowhere: {value}"
        elif key in _SCHEMAS:
            yield from _errors(value, root, here)
        elif key in _LISTS_OF_SCHEMAS:
            for index, item in enumerate(_listed(value)):
                yield from _errors(item, root, f"{here}/{index}")
        elif key in _MAPS_OF_SCHEMAS:
            for name, item in _mapping(value).items():
                yield from _errors(item, root, f"{here}/{name}")


def _keyword_fits(key: str, value: object) -> bool:
    if key in _STRINGS:
        return isinstance(value, str)
    if key in _COUNTS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key in _NUMBERS:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if key in _FLAGS:
        return isinstance(value, bool)
    if key in _LISTS_OF_SCHEMAS:
        return bool(_listed(value))
    if key in _MAPS_OF_SCHEMAS:
        return isinstance(value, dict)
    if key == "required":
        return isinstance(value, list) and all(isinstance(name, str) for name in _listed(value))
    if key in ("enum", "examples"):
        return isinstance(value, list)
    if key == "type":
        return all(isinstance(name, str) and name in _TYPES for name in _type_names(value)) and value != []
    return True


def _misfits(value: object, schema: object, root: object, where: str) -> Iterator[str]:
    if schema is False:
        yield f"{where} may not be there"
    node = resolved(schema, root)
    if (names := _type_names(node.get("type"))) and not any(_is_of(value, name) for name in names):
        yield f"{where} is no {' or '.join(map(str, names))}"
        return
    if "enum" in node and value not in _listed(node["enum"]):
        yield f"{where} is none of {node['enum']}"
    if "const" in node and value != node["const"]:
        yield f"{where} is not {node['const']!r}"
    for branches in (node.get("anyOf"), node.get("oneOf")):
        if branches and all(misfit(value, branch, root) is not None for branch in _listed(branches)):
            yield f"{where} fits no branch"
    for branch in _listed(node.get("allOf")):
        yield from _misfits(value, branch, root, where)
    if isinstance(value, dict):
        yield from _field_misfits(cast("dict[str, object]", value), node, root, where)
    if isinstance(value, list) and "items" in node:
        for index, item in enumerate(cast("list[object]", value)):
            yield from _misfits(item, node["items"], root, f"{where}[{index}]")


def _field_misfits(value: dict[str, object], node: Mapping[str, Any], root: object, where: str) -> Iterator[str]:
    fields = _mapping(node.get("properties"))
    for name in _listed(node.get("required")):
        if name not in value:
            yield f"{where} lacks {name}"
    for name, item in value.items():
        rest = node.get("additionalProperties", True)
        yield from _misfits(item, fields.get(name, rest), root, f"{where}.{name}")


def _example(node: object, root: object) -> object:
    found = resolved(node, root)
    if examples := _listed(found.get("examples")):
        return examples[0]
    for key in ("default", "const"):
        if key in found:
            return found[key]
    values = _listed(found.get("enum"))
    return values[0] if values else _MISSING


def _is_of(value: object, name: object) -> bool:
    if isinstance(value, bool):
        return name == "boolean"
    if name == "integer" and isinstance(value, float):
        return value.is_integer()
    return isinstance(value, _TYPES.get(str(name), ()))


def _type_names(value: object) -> list[object]:
    return [] if value is None else cast("list[object]", value) if isinstance(value, list) else [value]


def _listed(value: Any) -> list[Any]:
    return cast("list[Any]", value) if isinstance(value, list) else []


def _mapping(value: object) -> JsonSchema:
    return cast("JsonSchema", value) if isinstance(value, dict) else {}
