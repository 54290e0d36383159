"""Payments on Live Runner: what is asked for, and what is paid (contract section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

from ._capability import Price
from ._errors import ProtocolError
from ._exchange import Exchange, Reply

_INTERVAL_SECONDS = 5.0  # what go-livepeer's -livePaymentInterval is by default


@dataclass(frozen=True, kw_only=True, slots=True)
class Bill:
    """What a payment is to be made for."""

    payment_params: str
    """The orchestrator's terms, opaque."""

    manifest_id: str
    """What the payment is booked to: the id of the session."""

    unit: str
    """``"seconds"``, ``"720p-pixel-seconds"`` or ``"fixed"``."""

    price: Price | None = None
    """What discovery said."""

    state: object = None
    """What the session's last payment carried; None for the first one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Payment:
    """A payment, ready to be handed to the orchestrator."""

    payment: str
    """The header ``Livepeer-Payment``."""

    segment: str
    """The header ``Livepeer-Segment``."""

    state: object = None
    """Comes back with the session's next `Bill`."""

    @property
    def headers(self) -> Mapping[str, str]:
        """The two headers."""
        return {"Livepeer-Payment": self.payment, "Livepeer-Segment": self.segment}


@runtime_checkable
class Payer(Protocol):
    """Whatever can pay for calls on Live Runner (contract section 7).

    Its methods do no I/O themselves: each is a generator that asks for what it needs with
    ``reply = yield from ask(Request(...))``, so that it serves blocking and asynchronous calls alike. One that needs
    nothing is a generator all the same. Later payments of a session are made on a thread of their own.
    """

    def address(self) -> Exchange[str]:
        """Say who pays: an Ethereum address, ``0x`` and 40 hex digits."""
        ...

    def pay(self, bill: Bill) -> Exchange[Payment]:
        """Make a payment.

        Raises:
            SignerError: There is none; status 480 asks for fresh terms, 482 means that none is needed yet.
            PriceTooHighError: The price is over what this payer pays.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Challenge:
    """The terms in an answer 402."""

    payment_params: str
    """What the payer is to agree to, opaque."""

    manifest_id: str
    """Id of the session to be."""

    payment_url: str
    """Where that session's later payments go."""

    interval_seconds: float
    """How often they are due."""

    @classmethod
    def parse(cls, reply: Reply) -> Self:
        """Read an answer 402.

        Raises:
            ProtocolError: It holds no terms.
        """
        document = reply.json_object("the payment challenge")
        texts: dict[str, str] = {}
        for name in ("payment_params", "manifest_id", "payment_url"):
            text = document.get(name)
            if not isinstance(text, str) or not text:
                raise ProtocolError(f"the payment challenge has no {name}", status=402)
            texts[name] = text
        milliseconds: Any = document.get("payment_interval_ms")
        is_interval = isinstance(milliseconds, int) and not isinstance(milliseconds, bool) and milliseconds > 0
        return cls(**texts, interval_seconds=milliseconds / 1000 if is_interval else _INTERVAL_SECONDS)
