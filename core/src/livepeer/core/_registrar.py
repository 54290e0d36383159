"""Announcing a running capability to a network."""

from enum import StrEnum
from typing import Any, Protocol

from pydantic import BaseModel


class RegistrationState(StrEnum):
    """Where a registration stands."""

    WAITING = "waiting"
    """The capability is not ready yet."""

    REGISTERING = "registering"
    """Asking, or asking again after a failure that may pass."""

    REGISTERED = "registered"
    REFUSED = "refused"
    """The network said no, and will say no again; the reason tells what to change."""

    WITHDRAWN = "withdrawn"


class Registration(BaseModel):
    """What `/health` shows of a registration."""

    state: RegistrationState = RegistrationState.WAITING
    network: str
    """Which network: ``"byoc"`` or ``"live-runner"``."""

    name: str
    """The capability's name there."""

    runner_id: str | None = None
    """Its id on a network that gives it a new one each time (Live Runner, contract section 7)."""

    reason: str | None = None
    """Why it is not registered, in the network's own words where it gave any."""


class Registrar(Protocol):
    """Announces a capability, keeps it announced, withdraws it. A failure never stops the serving."""

    @property
    def registration(self) -> Registration:
        """Where it stands now."""
        ...

    @property
    def offer(self) -> dict[str, Any]:
        """What it offers the network: name, capacity, price; the shape of `GET /capabilities` (section 8)."""
        ...

    @property
    def networks(self) -> frozenset[str]:
        """The networks that it announces to, as `Registration.network` names them."""
        ...

    @property
    def sends_token(self) -> bool:
        """Whether the network's calls carry the server's bearer token; where they do not, it is not asked for."""
        ...

    async def keep(self) -> None:
        """Announce as soon as the capability is ready, and again as the network needs. Runs until cancelled."""
        ...

    async def withdraw(self) -> None:
        """Take the announcement back, before the socket closes. Does nothing if there is none."""
        ...
