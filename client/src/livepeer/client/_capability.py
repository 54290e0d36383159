"""What a network offers: the records that discovery gives."""

import json
import math
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeAlias, cast

Network: TypeAlias = Literal["byoc", "live-runner"]
Mode: TypeAlias = Literal["single-shot", "persistent"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Card:
    """What a worker says about itself; whatever it does not say is None (Live Runner, contract section 9)."""

    name: str | None = None
    """Name of the capability."""

    kind: str | None = None
    """``"batch"``, ``"stream"`` or ``"live"``."""

    description: str | None = None
    """A sentence for people."""

    image: str | None = None
    """The container image, with its digest."""

    schema_url: str | None = None
    """Where the JSON Schema of the operation is; `Gateway.schema` fetches it."""

    schema_sha256: str | None = None
    """SHA-256 of exactly that document, in hex."""

    transport: str | None = None
    """How the worker is talked to."""

    deadline_seconds: float | None = None
    """How long a call may take at the worker."""

    @classmethod
    def parse(cls, metadata: object) -> "Card":
        """Read a runner's metadata, which is any text: what is not understood is left out."""
        try:
            document = json.loads(metadata) if isinstance(metadata, str) else None
        except (ValueError, RecursionError):
            document = None
        if not isinstance(document, dict):
            return cls()
        members = cast("dict[str, Any]", document)
        return cls(**{field.name: _fitting(field.name, members.get(field.name)) for field in fields(cls)})


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """What a worker costs."""

    price: int | float
    """Amount for one unit."""

    currency: str
    """``"wei"`` on every network of today."""

    unit: str
    """``"seconds"``, ``"720p-pixel-seconds"`` or ``"fixed"``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Capability:
    """One worker that `Gateway.discover` found; `Gateway.run` and its like take it as it is."""

    name: str
    """The card's name, else the last part of the app."""

    network: Network
    """Over which network it is called."""

    app: str
    """``org/name`` on Live Runner; the name on BYOC."""

    url: str
    """Where it is called at its orchestrator; the orchestrator itself on BYOC."""

    orchestrator_url: str
    """Base URL of its orchestrator."""

    mode: Mode = "single-shot"
    """Whether calls stand alone, or are made within a session."""

    version: str = ""
    """The worker's own."""

    card: Card = Card()
    """What the worker says about itself; empty on BYOC."""

    capacity: int = 0
    """How many calls or sessions it takes at once; 0 where it is not known."""

    capacity_available: int = 0
    """How many more it would take now."""

    price: Price | None = None
    """What it costs; None where it is free, or not known."""

    def answers_to(self, name: str) -> bool:
        """Whether `name` means it: its app, the card's name, or the app's last part."""
        return name in (self.app, self.name, self.app.rpartition("/")[2])


def parse_runner(document: object, orchestrator_url: str) -> Capability | None:
    """Read a runner of a discovery document; None where nobody could call it."""
    if not isinstance(document, dict):
        return None
    runner = cast("dict[str, Any]", document)
    url, app, mode = _text(runner.get("url")), _text(runner.get("app")), runner.get("mode")
    if not app or not url.startswith(("http://", "https://")) or mode not in ("single-shot", "persistent"):
        return None
    card = Card.parse(runner.get("metadata"))
    return Capability(
        name=card.name or app.rpartition("/")[2],
        network="live-runner",
        app=app,
        url=url.rstrip("/"),
        orchestrator_url=orchestrator_url,
        mode=mode,
        version=_text(runner.get("version")),
        card=card,
        capacity=_count(runner.get("capacity")),
        capacity_available=_count(runner.get("capacity_available")),
        price=_price(runner.get("price_info")),
    )


def _price(document: object) -> Price | None:
    info = cast("dict[str, Any]", document) if isinstance(document, dict) else {}
    price = info.get("price")
    if price is None or not _is_number(price) or price <= 0:
        return None
    return Price(price=price, currency=_text(info.get("currency")), unit=_text(info.get("unit")))


def _fitting(name: str, value: Any) -> Any:
    fits = _is_number(value) if name == "deadline_seconds" else isinstance(value, str) and value
    return value if fits else None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0
