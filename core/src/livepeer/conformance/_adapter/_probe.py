"""`python -m livepeer.conformance._adapter._probe NAME FILE TARGET...`: a look at an adapter in a process of its own.

Nothing of the target runs here but its import; what is found goes into the file.
"""

import asyncio
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any, TypeVar

from livepeer.conformance._json_schema import wrong_fields
from livepeer.core import (
    CallError,
    Capability,
    Description,
    Living,
    Manifest,
    Target,
    TargetError,
    UnknownSessionError,
    describe,
    find_adapter,
)

from ._finding import Finding, Refusal

T = TypeVar("T")

BODIES: Mapping[str, bytes] = {
    "no JSON": b'{"half": ',
    "broken UTF-8": b'{"text": "\xff"}',
    "a list": b"[]",
    "a text": b'"text"',
    "null": b"null",
    "an unknown field": b'{"no_such_field_of_any_model": 1}',
    "a hundred thousand levels": b"[" * 100_000,
    "a number of 5,000 digits": b'{"text": %b}' % (b"1" * 5_000),
    "a lone surrogate": b'{"text": "\\ud800"}',
}
"""What `decode` is given beside wrong fields."""


def main() -> None:
    """Look at each target, and write the findings."""
    name, file, *targets = sys.argv[1:]
    Path(file).write_text(json.dumps([_look(name, target).model_dump(mode="json") for target in targets]))


def _look(name: str, text: str) -> Finding:
    try:
        target = Target.parse(text)
    except TargetError as error:
        return Finding(claims=_refusal(error, TargetError))
    adapter = find_adapter(target, name)
    before = _state_of(target)
    claims = _attempt(lambda: adapter.claims(target), TargetError)
    if claims is False:
        return Finding(claims=False)
    capability = _attempt(lambda: adapter.load(target), TargetError)
    if isinstance(capability, Refusal):
        return Finding(claims=claims, loaded=capability)
    described = _attempt(lambda: Description.model_validate_json(describe(capability).model_dump_json()), TargetError)
    after = _state_of(target)
    operations = described.operations if isinstance(described, Description) else ()
    schema = operations[0].input_schema if operations else {}
    bodies = {**BODIES, "wrong fields": json.dumps(wrong_fields(schema)).encode()}
    return Finding(
        claims=claims,
        loaded=described,
        manifest=_attempt(lambda: Manifest.model_validate(adapter.manifest(target).model_dump()), TargetError),
        changed=sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name)),
        wrong_fields=list(wrong_fields(schema)),
        decoded={each: _decode(capability, body) for each, body in bodies.items()},
        unknown_session=_ask_for_nobody(capability),
    )


def _decode(capability: Capability, body: bytes) -> Refusal | None:
    if not capability.operations:
        return None  # live alone
    operation = capability.operations[0]
    media_type = operation.description.input_media_types[0]
    found = _attempt(lambda: operation.decode(body, media_type), CallError)
    return found if isinstance(found, Refusal) else None


def _ask_for_nobody(capability: Capability) -> list[Refusal | None]:
    if not isinstance(capability, Living):
        return []
    live = capability.live
    asked = (lambda: asyncio.run(live.update("nobody", {})), lambda: asyncio.run(live.stop("nobody", "")))
    found = [_attempt(ask, UnknownSessionError) for ask in asked]
    return [each if isinstance(each, Refusal) else None for each in found]


def _attempt(work: Callable[[], T], expected: type[Exception]) -> T | Refusal:
    try:
        return work()
    except BaseException as error:  # noqa: BLE001 - an adapter's own code: whatever it raises is what was to be found
        return _refusal(error, expected)


def _refusal(error: BaseException, expected: type[Exception]) -> Refusal:
    fields = [each.field for each in error.errors] if isinstance(error, CallError) else []
    return Refusal(kind=type(error).__name__, is_expected=isinstance(error, expected), text=str(error), fields=fields)


def _state_of(target: Target) -> dict[str, int]:
    """Which object is where in the user's module, and in its classes and functions; empty if it cannot be imported."""
    if target.is_directory:
        return {}
    try:
        module = target.load_module()
    except TargetError:
        return {}
    return dict(_places(module.__name__, vars(module)))


def _places(module_name: str, namespace: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    for name, value in namespace.items():
        if name.startswith("__"):
            continue
        yield name, id(value)
        if isinstance(value, type | FunctionType) and value.__module__ == module_name:
            for inner, held in vars(value).items():
                if not inner.startswith("__") or inner in ("__init__", "__call__", "__wrapped__", "__signature__"):
                    yield f"{name}.{inner}", id(held)


if __name__ == "__main__":
    main()
