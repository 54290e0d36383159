"""What a mounted application says of itself in OpenAPI, taken into the server's own document."""

import re
from collections.abc import Mapping
from typing import Any, cast

JsonObject = dict[str, Any]

_METHODS = frozenset(("get", "put", "post", "delete", "options", "head", "patch", "trace"))
_CONTRACTS_OWN = re.compile(r"/|/(run|predict|openapi\.json|(docs|stream)(/.*)?)")
"""Paths that are the contract's, though the document does not describe them all."""

_PREFIX = "Mounted"
_REFERENCE = re.compile(r"#/components/([^/]+)/([^/]+)(.*)", re.DOTALL)

_Names = dict[tuple[str, str], str]
"""Section and name of each component that is called otherwise here."""


def take_in(document: Mapping[str, Any], paths: JsonObject, components: JsonObject, *, needs_token: bool) -> None:
    """Add an application's paths and components to those that are there, which win.

    Args:
        document: The application's own.
        paths: Takes its paths.
        components: Takes its components; one whose name is taken gets another.
        needs_token: Whether its requests need the server's bearer token too.
    """
    theirs: dict[str, JsonObject] = document.get("components", {})
    names = _rename(theirs, components)
    for section, entries in theirs.items():
        held = components.setdefault(section, {})
        for name, entry in entries.items():
            held[names.get((section, name), name)] = _repoint(entry, names)
    taken = {operation["operationId"] for item in paths.values() for operation in _operations(item).values()}
    for path, item in document.get("paths", {}).items():
        if path in paths or _CONTRACTS_OWN.fullmatch(path.rstrip("/") or "/"):
            continue
        paths[path] = found = _repoint(item, names)
        for operation in _operations(found).values():
            _settle(operation, document, names, taken, needs_token=needs_token)


def _rename(theirs: Mapping[str, JsonObject], ours: Mapping[str, JsonObject]) -> _Names:
    found: _Names = {}
    for section, entries in theirs.items():
        taken = {*ours.get(section, {}), *entries}
        for name in ours.get(section, {}):
            if name in entries:
                found[section, name] = _free(name, taken)
    return found


def _free(name: str, taken: set[str]) -> str:
    """A name that is not taken; it is from now on."""
    while name in taken:
        name = _PREFIX + name
    taken.add(name)
    return name


def _operations(item: Any) -> dict[str, JsonObject]:
    return {method: value for method, value in item.items() if method in _METHODS}


def _settle(
    operation: JsonObject, document: Mapping[str, Any], names: _Names, taken: set[str], *, needs_token: bool
) -> None:
    """Say in the operation itself what held for all of its document, and give it an id of its own."""
    if "operationId" in operation:
        operation["operationId"] = _free(operation["operationId"], taken)
    asked: list[JsonObject] = operation.get("security", document.get("security", []))
    either: list[JsonObject] = [
        {names.get(("securitySchemes", scheme), scheme): scopes for scheme, scopes in way.items()} for way in asked
    ]
    if needs_token:
        either = [{**way, "bearer": []} for way in either or [{}]]
    if either or "security" in operation:
        operation["security"] = either


def _repoint(node: Any, names: _Names) -> Any:
    """A copy in which references follow their components' new names."""
    if isinstance(node, list):
        return [_repoint(item, names) for item in cast("list[Any]", node)]
    if isinstance(node, dict):
        return {key: _repoint(value, names) for key, value in cast("JsonObject", node).items()}
    if names and isinstance(node, str) and (found := _REFERENCE.fullmatch(node)):
        section, name, rest = found.groups()
        return f"#/components/{section}/{names.get((section, name), name)}{rest}"
    return node
