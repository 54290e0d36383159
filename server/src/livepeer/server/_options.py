"""What may be set, in one place; the environment is read by `_environment` alone."""

from decimal import Decimal
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ServerOptions(BaseModel):
    """How a server serves. Everything has a default that suits a container."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    token: str | None = Field(default=None, min_length=1)
    """Bearer token that every POST, and every request to a mount, needs; None for none. A registered capability gets
    a random one."""

    queue_size: int = Field(default=0, ge=0)
    """How many calls may wait for a slot; a network finds another orchestrator sooner than a queue ends."""

    body_limit_bytes: int = Field(default=100 * 1024 * 1024, ge=1)
    """The largest request body."""

    body_timeout_seconds: float = Field(default=60.0, gt=0)
    """How long a body may stall before its call is given up."""

    deadline_seconds: float | None = Field(default=None, gt=0)
    """How long a call may take; None leaves that to the network, which then closes the connection."""

    on_stuck: Literal["wait", "kill"] = "wait"
    """What to do about a cancelled call that goes on: keep its slot until it ends, or end its host."""

    stuck_seconds: float = Field(default=5.0, ge=0)
    """How long a cancelled call may go on before it counts as stuck."""

    ping_seconds: float = Field(default=15.0, gt=0)
    """A stream that is silent this long gets a comment, so that nobody on the way takes it for dead."""

    drain_seconds: float = Field(default=30.0, ge=0)
    """How long calls may go on after the server was told to stop."""

    channel_origins: tuple[str, ...] = ()
    """From where a live session's channels may be, as `https://host:port`, besides the orchestrator that the capability
    is announced to; ``*`` for anywhere."""

    verify_tls: bool = True
    """Orchestrators often sign their own certificates: off only if you mean it."""

    operator_routes: bool = False
    """Whether `/metrics` and `/hardware/info` answer on this port, to strangers too."""


class RegistrationOptions(BaseModel):
    """How a capability is announced to an orchestrator (contract, sections 1 and 7)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    network: Literal["auto", "byoc", "live-runner"] = "auto"
    """What the orchestrator speaks; "auto" asks for BYOC, and for Live Runner where it does not know that."""

    orch_url: str
    """Base URL of the orchestrator."""

    orch_token: str = Field(min_length=1)
    """The orchestrator's secret, sent as it is."""

    capability_url: str
    """Base URL at which the orchestrator reaches this server."""

    capability_name: str | None = None
    """Name on the network; None for the capability's own."""

    capability_description: str | None = None
    capacity: int | None = Field(default=None, ge=1)
    """How many calls at once are offered; None for the capability's own."""

    verify_tls: bool = True
    """Orchestrators often sign their own certificates: off only if you mean it."""

    token: str = Field(min_length=1)
    """The bearer token that a BYOC orchestrator is to send; a Live Runner one sends none."""

    price_per_unit: int = Field(default=0, ge=0)
    """BYOC: in the currency, for `price_scaling` units."""

    price_scaling: int = Field(default=1, ge=1)
    currency: str = "wei"
    interval_seconds: float = Field(default=10.0, gt=0)
    """BYOC: how often to register again while idle: it heals what an orchestrator forgets and leaks."""

    app: str | None = Field(default=None, pattern=r"^[^\s/]+/\S+$")
    """Live Runner: readable ``org/name``, by which callers find it; None for ``capability/NAME``."""

    runner_mode: Literal["single-shot", "persistent"] = "single-shot"
    """Live Runner: whether each call is a session of its own, or callers reserve one for several, as they always do
    for a capability that is live."""

    price_usd: Decimal = Field(default=Decimal(0), ge=0)
    """Live Runner: in US dollars, for one `price_unit`; on-chain it must be over 0."""

    price_unit: Literal["hour", "720p", "fixed"] = "hour"
    """Live Runner: an hour of a session, an hour of 720p video at 30 frames a second, or a session."""

    image: str | None = None
    """Live Runner: the container image with its digest, for the discovery card."""

    schema_url: str | None = Field(default=None, pattern=r"^https?://\S+$")
    """Live Runner: where callers read the schema without paying; None for this server's own."""
