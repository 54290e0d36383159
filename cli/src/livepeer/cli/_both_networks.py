"""The same capability on both networks at once, as only a development network has them side by side."""

from typing import Any

import anyio

from livepeer.core import Registrar, Registration, RegistrationState
from livepeer.server import BYOCRegistrar, Lifecycle, LiveRunnerRegistrar, RegistrationOptions


class BothNetworks:
    """Announces a capability to BYOC and to Live Runner.

    Args:
        lifecycle: What is served, and in what state.
        options: Where and as what.
    """

    sends_token = False

    def __init__(self, lifecycle: Lifecycle, options: RegistrationOptions) -> None:
        self._registrars: tuple[Registrar, ...] = (
            BYOCRegistrar(lifecycle, options),
            LiveRunnerRegistrar(lifecycle, options),
        )

    @property
    def registration(self) -> Registration:
        """The first one that does not stand as it should, or else the first."""
        found = [registrar.registration for registrar in self._registrars]
        return next((one for one in found if one.state is not RegistrationState.REGISTERED), found[0])

    @property
    def networks(self) -> frozenset[str]:
        """Both."""
        return frozenset[str]().union(*(registrar.networks for registrar in self._registrars))

    @property
    def offer(self) -> dict[str, Any]:
        """What both are offered."""
        return {name: value for registrar in reversed(self._registrars) for name, value in registrar.offer.items()}

    async def keep(self) -> None:
        """Keep it announced to both."""
        async with anyio.create_task_group() as tasks:
            for registrar in self._registrars:
                tasks.start_soon(registrar.keep)

    async def withdraw(self) -> None:
        """Take both announcements back."""
        async with anyio.create_task_group() as tasks:
            for registrar in self._registrars:
                tasks.start_soon(registrar.withdraw)
