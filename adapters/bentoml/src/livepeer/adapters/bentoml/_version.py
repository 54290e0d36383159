"""Which BentoML is installed, found without importing it or anything that it brings."""

import importlib.metadata
import re

from livepeer.core import TargetError

FLOOR, CEILING = (1, 4, 39), (1, 5)
"""The versions between which this adapter serves BentoML; it builds on what is BentoML's own affair."""

ADVICE = "pip install 'bentoml>=1.4.39,<1.5'"


def installed_version() -> str:
    """The installed BentoML's version.

    Raises:
        TargetError: If there is none, or one that is too old or too new.
    """
    try:
        version = importlib.metadata.version("bentoml")
    except importlib.metadata.PackageNotFoundError:
        raise TargetError(f"this is a BentoML service, and BentoML is not installed: {ADVICE}") from None
    if not FLOOR <= _numbers(version) < CEILING:
        raise TargetError(f"bentoml {version} is not supported: {ADVICE}")
    return version


def _numbers(version: str) -> tuple[int, ...]:
    """The numbers that a version begins with: ``1.4.40rc1`` is (1, 4, 40)."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, found[0].split("."))) if found else ()
