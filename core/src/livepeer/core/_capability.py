"""What an adapter makes of somebody's model, and the host runs."""

from collections.abc import Awaitable, Sequence
from typing import Protocol

from ._description import Description, Info, MountDescription
from ._live import Living
from ._mount import Mounting
from ._operation import Operation


class Capability(Protocol):
    """A model, ready to be set up and called.

    Everything before `setup()` must be cheap: the host describes the capability first, so that the
    server can answer for its schema while the model loads. One with HTTP of its own is `Mounting`
    too, one that runs sessions is `Living`, and one that can tell whether it is well is `Checking`.
    """

    @property
    def info(self) -> Info:
        """Who it is."""
        ...

    @property
    def operations(self) -> Sequence[Operation]:
        """What it does; the first is the default operation. None only if it is `Living`."""
        ...

    def setup(self) -> Awaitable[None] | None:
        """Load the model. Sync: on the host's main thread; async: on the loop that runs the calls."""
        ...

    def teardown(self) -> Awaitable[None] | None:
        """Let go of what `setup()` took. Called once, also when `setup()` failed half-way."""
        ...


def describe(capability: Capability) -> Description:
    """The capability as it crosses the seam."""
    mounts = capability.mounts if isinstance(capability, Mounting) else ()
    return Description(
        info=capability.info,
        operations=tuple(operation.description for operation in capability.operations),
        mounts=tuple(MountDescription(paths=mount.paths, apart=mount.apart, openapi=mount.openapi) for mount in mounts),
        live=capability.live.description if isinstance(capability, Living) else None,
    )
