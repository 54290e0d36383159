"""Which network a capability is announced to."""

import logging
from typing import Any

from livepeer.core import Registrar, Registration

from ._byoc import BYOCRegistrar
from ._lifecycle import Lifecycle
from ._live_runner import LiveRunnerRegistrar
from ._options import RegistrationOptions
from ._registrar import NetworkRegistrar, NotSpokenError, RefusedError

logger = logging.getLogger("livepeer.server")


def make_registrar(lifecycle: Lifecycle, options: RegistrationOptions) -> Registrar:
    """The registrar for the network that the options name."""
    match options.network:
        case "byoc":
            return BYOCRegistrar(lifecycle, options)
        case "live-runner":
            return LiveRunnerRegistrar(lifecycle, options)
        case "auto":
            return AutoRegistrar(lifecycle, options)


class AutoRegistrar:
    """BYOC, or Live Runner where the orchestrator does not know BYOC: upstream removes the one for the other.

    Args:
        lifecycle: What is served, and in what state.
        options: Where and as what.
    """

    def __init__(self, lifecycle: Lifecycle, options: RegistrationOptions) -> None:
        self._lifecycle = lifecycle
        self._options = options
        self._current: NetworkRegistrar = BYOCRegistrar(lifecycle, options)

    @property
    def registration(self) -> Registration:
        """Where it stands on the network that was found."""
        return self._current.registration

    @property
    def offer(self) -> dict[str, Any]:
        """What it offers the network that was found."""
        return self._current.offer

    @property
    def networks(self) -> frozenset[str]:
        """The one that was found."""
        return self._current.networks

    @property
    def sends_token(self) -> bool:
        """Whether the network that was found sends the bearer token."""
        return self._current.sends_token

    async def keep(self) -> None:
        """Find the network, then do what its registrar does; also when an orchestrator comes back without BYOC."""
        try:
            await self._current.announce()
        except NotSpokenError:
            logger.info("%s does not speak BYOC: trying Live Runner", self._options.orch_url)
            self._current = LiveRunnerRegistrar(self._lifecycle, self._options)
        except RefusedError as error:
            self._current.give_up(error)
            return
        await self._current.keep()

    async def withdraw(self) -> None:
        """Take the announcement back from the network that was found."""
        await self._current.withdraw()
