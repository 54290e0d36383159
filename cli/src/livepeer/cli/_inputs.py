"""What `-i` says, as a JSON document."""

import base64
import json
import mimetypes
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from livepeer.core import BINARY_MEDIA_TYPE, JsonSchema

from ._errors import UsageError

STANDARD_INPUT = "-"

_DATA_URI = "data:"


class Inputs:
    """The `-i` options of one command, read once.

    Args:
        items: `name=value`, `name=@file`, `name=data:@file` or `@file`, in the order given; a later one wins.

    Raises:
        UsageError: If one is neither, or a file cannot be read.
    """

    def __init__(self, items: Sequence[str]) -> None:
        self._document: dict[str, Any] = {}
        self._texts: dict[str, str] = {}
        self._files: dict[str, tuple[str, bytes]] = {}
        for item in items:
            if item.startswith("@"):
                self._take_document(item[1:])
            else:
                self._take_field(item)

    def document(self, schema: JsonSchema | None = None) -> dict[str, Any]:
        """The whole input.

        Args:
            schema: The input's JSON Schema, if it is known: a field that wants text then gets text, and a
                file for a field that wants an address becomes a data URI.
        """
        values = {name: _typed(text, _types_of(name, schema)) for name, text in self._texts.items()}
        files = {
            name: _data_uri(path, content) if _wants_address(name, schema) else _base64(content)
            for name, (path, content) in self._files.items()
        }
        return self._document | values | files

    def _take_document(self, path: str) -> None:
        document = _read_document(path)
        for name in document:
            self._forget(name)
        self._document |= document

    def _take_field(self, item: str) -> None:
        name, equals, text = item.partition("=")
        if not equals or not name:
            raise UsageError(f"-i {item!r} is neither name=value nor @file")
        self._forget(name)
        if text.startswith("@"):
            self._files[name] = (text[1:], _read(text[1:], item))
        elif text.startswith(f"{_DATA_URI}@"):
            path = text.removeprefix(f"{_DATA_URI}@")
            self._document[name] = _data_uri(path, _read(path, item))
        else:
            self._texts[name] = text

    def _forget(self, name: str) -> None:
        self._document.pop(name, None)
        self._texts.pop(name, None)
        self._files.pop(name, None)


def parse_json(text: str) -> Any:
    """Decode JSON as the standard has it, without NaN and infinities.

    Raises:
        ValueError: If it is none.
    """
    return json.loads(text, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _typed(text: str, types: frozenset[str]) -> Any:
    try:
        value = parse_json(text)
    except (ValueError, RecursionError):
        return text
    return text if "string" in types and _type_name(value) not in types else value


def _type_name(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _types_of(name: str, schema: JsonSchema | None) -> frozenset[str]:
    """JSON types that a field may have; none where the schema does not say."""
    if schema is None:
        return frozenset()
    return frozenset(_types(schema.get("properties", {}).get(name, {}), schema))


def _wants_address(name: str, schema: JsonSchema | None) -> bool:
    """Whether a field takes a URL rather than base64."""
    if schema is None:
        return False
    node: JsonSchema = schema.get("properties", {}).get(name, {})
    arms: list[JsonSchema] = [node, *node.get("anyOf", ()), *node.get("oneOf", ())]
    return any(arm.get("format") == "uri" for arm in arms)


def _data_uri(path: str, content: bytes) -> str:
    media_type = mimetypes.guess_type(path)[0] or BINARY_MEDIA_TYPE
    return f"{_DATA_URI}{media_type};base64,{_base64(content)}"


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


def _types(node: JsonSchema, root: JsonSchema) -> set[str]:
    if "$ref" in node:
        return _types(resolve(node["$ref"], root), root)
    given: str | list[str] = node.get("type", [])
    found = {given} if isinstance(given, str) else set(given)
    for key in ("anyOf", "oneOf", "allOf"):
        for part in cast("list[JsonSchema]", node.get(key, [])):
            found |= _types(part, root)
    return found | {"integer"} if "number" in found else found


def resolve(reference: str, root: JsonSchema) -> JsonSchema:
    """The schema that a local `$ref` names; one that allows anything if there is none."""
    found: Any = root
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part, {})
    return found


def _read_document(path: str) -> dict[str, Any]:
    try:
        document = parse_json(_read(path, f"@{path}").decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"-i @{path} holds no JSON document: {error}") from error
    if not isinstance(document, dict):
        raise UsageError(f"-i @{path} holds a JSON {_type_name(document)}, not an object")
    return cast("dict[str, Any]", document)


def _read(path: str, item: str) -> bytes:
    if path == STANDARD_INPUT:
        return sys.stdin.buffer.read()
    try:
        return Path(path).read_bytes()
    except OSError as error:
        hint = "" if item.startswith("@") else f"; text that begins with @ goes in quotes: {_quoted(item)}"
        raise UsageError(f"-i {item}: {path or 'a file without a name'}: {error.strerror}{hint}") from error


def _quoted(item: str) -> str:
    name, _, text = item.partition("=")
    return f"-i '{name}={json.dumps(text, ensure_ascii=False)}'"
