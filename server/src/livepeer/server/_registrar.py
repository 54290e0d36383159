"""What announcing to any network takes: waiting for the right moment, trying again, telling how it stands."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

import httpx2

from livepeer.core import Description, Registration, RegistrationState

from ._lifecycle import Lifecycle
from ._options import RegistrationOptions

logger = logging.getLogger("livepeer.server")

_TIMEOUT_SECONDS = 10.0


class RefusedError(Exception):
    """Raised when the network will say the same again."""


class NotSpokenError(RefusedError):
    """Raised when the orchestrator does not speak this network's protocol."""


class FailedError(Exception):
    """Raised when it may work later."""


class NetworkRegistrar(ABC):
    """A `Registrar` for one network.

    Args:
        lifecycle: What is served, and in what state.
        options: Where and as what.
    """

    network: ClassVar[str]
    sends_token: ClassVar[bool]

    def __init__(self, lifecycle: Lifecycle, options: RegistrationOptions) -> None:
        self._lifecycle = lifecycle
        self._options = options
        self._changed = asyncio.Event()
        self.registration = Registration(network=self.network, name=options.capability_name or "")
        lifecycle.listen(self._changed.set)

    @property
    def networks(self) -> frozenset[str]:
        """Its own."""
        return frozenset({self.network})

    @property
    @abstractmethod
    def offer(self) -> dict[str, Any]:
        """Name, capacity and price as `GET /capabilities` gives them."""

    @abstractmethod
    async def announce(self) -> None:
        """Do what `keep` does.

        Raises:
            RefusedError: If the network says no for good.
        """

    @abstractmethod
    async def withdraw(self) -> None:
        """Take the announcement back, if there is one."""

    async def keep(self) -> None:
        """Announce as soon as the capability is ready, and as often as the network needs, until cancelled."""
        try:
            await self.announce()
        except RefusedError as error:
            self.give_up(error)

    def give_up(self, error: RefusedError) -> None:
        """Say that the network said no for good; the serving goes on."""
        self._change(RegistrationState.REFUSED, str(error))
        logger.error("the orchestrator refuses %s: %s", self._name, error)

    @property
    def _description(self) -> Description:
        description = self._lifecycle.description
        assert description is not None, "nothing is announced before it is described"
        return description

    @property
    def _name(self) -> str:
        description = self._lifecycle.description
        return self._options.capability_name or (description.info.name if description is not None else "")

    @property
    def _bearable(self) -> int:
        """How many calls at once are not refused."""
        slots = self._lifecycle.offered
        return slots.capacity + slots.queue_size

    async def _until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    def _change(self, state: RegistrationState, reason: str | None = None, *, runner_id: str | None = None) -> bool:
        """Tell whoever listens how it stands; whether that is news."""
        found = Registration(state=state, network=self.network, name=self._name, reason=reason, runner_id=runner_id)
        if found == self.registration:
            return False
        self.registration = found
        self._lifecycle.changed()
        return True

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self._options.orch_url.rstrip("/"),
            timeout=_TIMEOUT_SECONDS,
            verify=self._options.verify_tls,
            trust_env=False,
        )


def words(error: Exception) -> str:
    """An error in words, its class first."""
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def answered(answer: httpx2.Response) -> str:
    """What an orchestrator answered, in its own words."""
    return f"{answer.status_code} {answer.text.strip()}"[:500]
