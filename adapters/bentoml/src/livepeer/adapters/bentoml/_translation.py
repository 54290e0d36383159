"""A part of a manifest, as one of the places that BentoML keeps it in has it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Translation:
    """What a manifest can say, and by name what it cannot."""

    python: str | None = None
    python_packages: list[str] = field(default_factory=list[str])
    system_packages: list[str] = field(default_factory=list[str])
    base_image: str | None = None
    gpu: str | None = None
    capacity: int | None = None
    environment: dict[str, str] = field(default_factory=dict[str, str])
    unsupported: dict[str, Any] = field(default_factory=dict[str, Any])


def merge(parts: Iterable[Translation]) -> Translation:
    """All parts as one: lists grow, and of two values the later counts."""
    found = Translation()
    for part in parts:
        found = Translation(
            python=part.python or found.python,
            python_packages=[*found.python_packages, *part.python_packages],
            system_packages=[*found.system_packages, *part.system_packages],
            base_image=part.base_image or found.base_image,
            gpu=part.gpu or found.gpu,
            capacity=part.capacity or found.capacity,
            environment=found.environment | part.environment,
            unsupported=_merge_named(found.unsupported, part.unsupported),
        )
    return found


def _merge_named(found: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    merged = dict(found)
    for key, value in more.items():
        before = merged.get(key)
        if isinstance(before, list) and isinstance(value, list):
            merged[key] = [*before, *value]
        elif isinstance(before, dict) and isinstance(value, dict):
            merged[key] = {**before, **value}
        else:
            merged[key] = value
    return merged
