"""The records of a Live Runner (contract, section 7)."""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d*)?)(ns|us|µs|ms|s|m|h)")


def go_seconds(text: Any) -> float:
    """Read a Go duration, such as ``"5s"`` or ``"1m30s"``.

    Raises:
        ValueError: If it is none.
    """
    parts = _PART.findall(text) if isinstance(text, str) else []
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is no Go duration")
    return sum(float(number) * _UNIT_SECONDS[unit] for number, unit in parts)


GoSeconds = Annotated[float, BeforeValidator(go_seconds), Field(gt=0)]


class PriceInfo(BaseModel):
    """A price in US dollars; the orchestrator converts it to wei."""

    price: str
    """Decimal, as text: JSON numbers lose digits."""

    currency: Literal["usd"] = "usd"
    unit: Literal["hour", "720p", "fixed"]


class Runner(BaseModel):
    """What a runner offers, whether it says so itself or the orchestrator's operator does."""

    model_config = ConfigDict(frozen=True)

    label: str
    runner_url: str
    """Base URL at which the orchestrator reaches the worker; callers never see it."""

    app: str
    """Readable ``org/name``, by which callers find it."""

    version: str
    metadata: str
    """The discovery card, at most 1,024 bytes."""

    mode: Literal["single-shot", "persistent"]
    capacity: int
    price_info: PriceInfo | None = None


class Heartbeat(Runner):
    """What a runner says of itself, the first time and every time."""

    runner_id: str
    status: Literal["ready", "loading"]
    """Only a ready runner is listed and called."""

    gpu: dict[str, Any] | None = None
    session_ids: list[str] = Field(default_factory=list[str])


class StaticRunner(Runner):
    """An entry of an orchestrator's `runners.json`, which needs no registration."""

    routing: Literal["label"] = "label"
    """The public URL keeps the label where it would have an id."""

    health_url: str = "/healthz"
    """Only the status is looked at, so `/health`, which is 200 always, would not do (contract, section 6)."""

    healthy_status_code: int = 200


class Channel(BaseModel):
    """A trickle channel."""

    url: str


class HeartbeatAnswer(BaseModel):
    """What an orchestrator says to it."""

    heartbeat_interval: GoSeconds
    heartbeat_ttl: GoSeconds
    heartbeat_secret: str = ""
    """In the first answer only."""

    o2r: Channel | None = None
    """Where the orchestrator tells of sessions; in the first answer only."""

    session_ids: list[str] | None = None
    """The sessions that are alive; whatever the runner thinks."""

    @property
    def live_session_ids(self) -> frozenset[str]:
        """The same as a set: Go writes an empty list as `null` at times."""
        return frozenset(self.session_ids or ())
