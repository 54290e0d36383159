"""What an orchestrator knows of a live runner, and how a runner describes itself (Live Runner, contract section 7)."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal
from urllib.parse import urlsplit

from ._fields import as_object, boolean_field, integer_field, object_field, text_field, texts_field

METADATA_BYTES = 1024

RunnerMode = Literal["persistent", "single-shot"]
PriceUnit = Literal["hour", "720p", "fixed"]

_MODES: dict[str, RunnerMode] = {
    "": "persistent",
    "persistent": "persistent",
    "single-shot": "single-shot",
    "single_shot": "single-shot",
}
_UNITS: dict[str, PriceUnit] = {"": "hour", "hour": "hour", "720p": "720p", "fixed": "fixed"}


@dataclass(frozen=True, kw_only=True)
class RunnerGpu:
    """The device that a runner says it uses."""

    id: str = ""
    """Its number or name on the machine."""

    name: str = ""
    """Its product name."""

    vram_mb: int = 0
    """Its memory in megabytes."""


@dataclass(frozen=True, kw_only=True)
class RunnerPrice:
    """What a runner asks for, in the currency of its operator."""

    price: Decimal
    """The price of one unit."""

    currency: str
    """`usd`; without payments whatever the runner sent."""

    unit: str
    """`hour`, `720p` or `fixed`; without payments whatever the runner sent."""


@dataclass(frozen=True, kw_only=True)
class RegisteredRunner:
    """A live runner as the orchestrator holds it at one moment (Live Runner, contract section 7)."""

    runner_id: str
    """Its id, chosen by the runner or by the orchestrator."""

    label: str
    """A name for its operator; identifies a static runner."""

    app: str
    """What callers look for in `/discovery`, for example `org/name`."""

    runner_url: str
    """The base URL of the worker; never shown to callers."""

    version: str
    """The version of the app, as the runner wrote it."""

    metadata: str
    """Text for callers, at most 1,024 bytes; by convention a card in JSON."""

    status: str
    """`ready` or empty if it takes calls; anything else hides it from callers."""

    mode: RunnerMode
    """`persistent` for sessions that are reserved, `single-shot` for one call at a time and slot."""

    capacity: int
    """How many sessions it takes at once, at least 1."""

    proxy: bool
    """Whether its public URLs are `/run/...` URLs that hide runner and session."""

    gpu: RunnerGpu | None
    """Its device, if it named one."""

    price_info: RunnerPrice | None
    """Its price, if it named one."""

    session_ids: tuple[str, ...] = ()
    """The sessions that run now, oldest first."""

    route: str = ""
    """What stands for it in public URLs: its id, or the label of a static runner that asked for that."""

    static: bool = False
    """Whether it was registered by a document and is asked for its health, instead of sending heartbeats."""

    @property
    def ready(self) -> bool:
        """Whether callers can find and call it."""
        return self.status in ("", "ready")


def parse_runner(fields: dict[str, object], *, paid: bool) -> RegisteredRunner:
    """Read what a runner says about itself.

    Args:
        fields: The body of a heartbeat, or an entry of a static document.
        paid: Whether a price must be there, and be one that can be converted.

    Raises:
        ValueError: A field holds another type or value than the orchestrator takes; the text says which.
    """
    texts_field(fields, "session_ids")  # It must fit, but the orchestrator's own list is what counts.
    mode = _MODES.get(text_field(fields, "mode"))
    capacity = integer_field(fields, "capacity")
    if mode is None:
        raise ValueError('mode must be "persistent" or "single-shot"')
    if capacity < 0:
        raise ValueError("capacity must be >= 0")
    return RegisteredRunner(
        runner_id=text_field(fields, "runner_id").strip(),
        label=text_field(fields, "label"),
        app=_app(fields),
        runner_url=_runner_url(fields),
        version=text_field(fields, "version"),
        metadata=_metadata(fields),
        status=_status(fields),
        mode=mode,
        capacity=capacity or 1,
        proxy=boolean_field(fields, "proxy"),
        gpu=_gpu(fields),
        price_info=_paid_price(fields) if paid else _price(fields),
    )


def is_web_url(url: str) -> bool:
    """Whether this is an absolute URL with `http` or `https` and a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _runner_url(fields: dict[str, object]) -> str:
    url = text_field(fields, "runner_url")
    if not is_web_url(url):
        raise ValueError("invalid runner_url")
    return url


def _app(fields: dict[str, object]) -> str:
    app = text_field(fields, "app")
    if not app or app != app.strip():
        raise ValueError("app must be trimmed")
    return app


def _metadata(fields: dict[str, object]) -> str:
    metadata = text_field(fields, "metadata")
    if len(metadata.encode()) > METADATA_BYTES:
        raise ValueError(f"metadata must be at most {METADATA_BYTES} bytes")
    if "\N{REPLACEMENT CHARACTER}" in metadata:
        raise ValueError("metadata must not contain Unicode replacement character U+FFFD")
    return metadata


def _status(fields: dict[str, object]) -> str:
    status = text_field(fields, "status")
    if status != status.strip().lower():
        raise ValueError("status must be lowercase and trimmed")
    return status


def _gpu(fields: dict[str, object]) -> RunnerGpu | None:
    value = fields.get("gpu")
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return RunnerGpu(id=str(value))
    gpu = as_object(value, "gpu")
    return RunnerGpu(id=text_field(gpu, "id"), name=text_field(gpu, "name"), vram_mb=integer_field(gpu, "vram_mb"))


def _price(fields: dict[str, object]) -> RunnerPrice | None:
    info = object_field(fields, "price_info")
    value = info.get("price")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("price_info.price must be a number")
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("price_info.price must be a number") from None
    return RunnerPrice(price=price, currency=text_field(info, "currency"), unit=text_field(info, "unit"))


def _paid_price(fields: dict[str, object]) -> RunnerPrice:
    asked = _price(fields)
    if asked is None:
        raise ValueError("price_info.price is required")
    if not asked.price.is_finite() or asked.price <= 0:
        raise ValueError("price_info.price must be a positive decimal")
    if asked.currency.strip().lower() not in ("", "usd"):
        raise ValueError("price_info.currency must be usd")
    unit = _UNITS.get(asked.unit.strip().lower())
    if unit is None:
        raise ValueError("price_info.unit must be hour, 720p, or fixed")
    return RunnerPrice(price=asked.price, currency="usd", unit=unit)
