"""Adapters: how a framework's own object becomes a capability, and how one is found."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

from ._capability import Capability
from ._errors import TargetError, UnclaimedTargetError
from ._target import Target

if TYPE_CHECKING:
    from ._manifest import Manifest

logger = logging.getLogger("livepeer.core")

ADAPTER_GROUP = "livepeer.adapters"
"""Entry-point group in which a distribution names its `Adapter`; the entry point's name is the adapter's."""


class Adapter(Protocol):
    """Turns a framework's own object into a capability. An entry point names a class without arguments."""

    def claims(self, target: Target) -> bool:
        """Whether the target is this framework's. May import the target, must not run it.

        Raises:
            TargetError: If it is, but is broken.
        """
        ...

    def load(self, target: Target) -> Capability:
        """Make the capability, without loading any weights.

        Raises:
            TargetError: If the target cannot be served; names what to change.
        """
        ...

    def manifest(self, target: Target) -> "Manifest":
        """Translate the framework's own build file.

        Raises:
            TargetError: If it cannot be read.
        """
        ...


def find_adapter(target: Target, name: str | None = None) -> Adapter:
    """The adapter that claims a target.

    An adapter whose framework is not installed is passed over; any other failure is reported.

    Args:
        target: What to serve.
        name: Ask this adapter alone.

    Raises:
        UnclaimedTargetError: If none does.
        TargetError: If the one asked for is not installed, or the target is broken.
    """
    asked: list[str] = []
    for entry_name, adapter in _installed(name):
        asked.append(entry_name)
        if name is not None or adapter.claims(target):
            return adapter
    if name is not None:
        raise TargetError(f"there is no adapter {name!r}; install the distribution that brings it")
    listed = ", ".join(asked) or "none"
    raise UnclaimedTargetError(f"no installed adapter claims {target.text!r} (asked: {listed})")


def _installed(name: str | None) -> Iterator[tuple[str, Adapter]]:
    import importlib.metadata  # lazily: an edge never asks

    for entry in sorted(importlib.metadata.entry_points(group=ADAPTER_GROUP), key=lambda entry: entry.name):
        if name is not None and entry.name != name:
            continue
        try:
            adapter: Adapter = entry.load()()
        except ModuleNotFoundError as error:
            logger.debug("adapter %s is passed over: %s is not installed", entry.name, error.name)
            if name is not None:
                raise TargetError(f"adapter {name!r} needs {error.name}, which is not installed") from error
            continue
        yield entry.name, adapter
