"""What travels between orchestrator, caller and signer where calls are paid (Live Runner, contract section 7).

On the real network these are protobuf messages with tickets in them. Here they are base64 of JSON of our own, which
holds what the rules need. A caller passes them on unread in either case.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Literal

from ._fields import integer_field, load_object, text_field
from ._runner_records import RunnerPrice

WeiUnit = Literal["seconds", "720p-pixel-seconds", "fixed"]

# One ether is 2,500 dollars here, and always.
WEI_PER_USD = 10**18 // 2500

# More than any price in 64 bits has: exponents beyond would take for ever to write out.
_DIGITS = 50

_PIXELS_720P = 1280 * 720 * 30


@dataclass(frozen=True, kw_only=True)
class WeiPrice:
    """A price as callers see it in `/discovery`."""

    price: int
    """Wei for one unit."""

    unit: WeiUnit
    """A second, a pixel of 720p video at 30 frames a second, or a whole session."""


def convert_price(asked: RunnerPrice | None) -> WeiPrice | None:
    """Convert a runner's price to wei; None if there is none, or if it is under one wei or beyond 64 bits."""
    if asked is None or abs(asked.price.adjusted()) > _DIGITS:
        return None
    unit, divisor = _CONVERSIONS[asked.unit]
    price = int(Fraction(asked.price) * WEI_PER_USD / divisor)
    return WeiPrice(price=price, unit=unit) if 0 < price < 2**63 else None


def units_per_second(unit: WeiUnit) -> int:
    """Return how many units a second of a session costs; a fixed price does not grow."""
    return {"seconds": 1, "720p-pixel-seconds": _PIXELS_720P, "fixed": 0}[unit]


_CONVERSIONS: dict[str, tuple[WeiUnit, int]] = {
    "hour": ("seconds", 3600),
    "720p": ("720p-pixel-seconds", 3600 * _PIXELS_720P),
    "fixed": ("fixed", 1),
}


@dataclass(frozen=True, kw_only=True)
class Terms:
    """On what terms an orchestrator takes payment for one session: the `payment_params` of a 402."""

    orchestrator: str
    """The base URL of the orchestrator."""

    manifest_id: str
    """The id that the session will have."""

    payer: str
    """The address that asked."""

    price: int
    """Wei for one unit."""

    unit: str
    """The unit of the price."""

    expires: int
    """The Unix time until which the terms hold, in seconds."""

    token: str = ""
    """By this the orchestrator knows its own terms again."""

    def signed(self, key: bytes) -> "Terms":
        """Return the same terms with the orchestrator's token."""
        unsigned = json.dumps(asdict(self) | {"token": ""}, sort_keys=True)
        return replace(self, token=hmac.digest(key, unsigned.encode(), hashlib.sha256).hex())

    def to_text(self) -> str:
        """Return the terms as they travel."""
        return _encode(asdict(self))


@dataclass(frozen=True, kw_only=True)
class Payment:
    """Money from a signer: the header `Livepeer-Payment`."""

    payer: str
    """The address that pays."""

    manifest_id: str
    """The session that is paid for."""

    price: int
    """The price that the payer has agreed to, in wei for one unit."""

    value: int
    """How much is paid, in wei."""

    nonce: int
    """Grows with each payment for the session, so that none counts twice."""

    def to_text(self) -> str:
        """Return the payment as it travels."""
        return _encode(asdict(self))


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who pays for what: the header `Livepeer-Segment`."""

    payer: str
    """The address that pays."""

    manifest_id: str
    """The session that is paid for."""

    terms: Terms
    """The orchestrator's own terms, given back to it."""

    def to_text(self) -> str:
        """Return the credentials as they travel."""
        return _encode({"payer": self.payer, "manifest_id": self.manifest_id, "terms": self.terms.to_text()})


def parse_terms(text: str) -> Terms:
    """Read the `payment_params` of a 402.

    Raises:
        ValueError: They are not such terms.
    """
    fields = _decode(text)
    return Terms(
        orchestrator=text_field(fields, "orchestrator"),
        manifest_id=text_field(fields, "manifest_id"),
        payer=text_field(fields, "payer"),
        price=integer_field(fields, "price"),
        unit=text_field(fields, "unit"),
        expires=integer_field(fields, "expires"),
        token=text_field(fields, "token"),
    )


def parse_payment(text: str) -> Payment:
    """Read the header `Livepeer-Payment`; an empty one pays nothing.

    Raises:
        ValueError: It is no such payment.
    """
    fields = _decode(text) if text else {}
    value = integer_field(fields, "value")
    if value < 0:
        raise ValueError("value must be >= 0")
    return Payment(
        payer=text_field(fields, "payer"),
        manifest_id=text_field(fields, "manifest_id"),
        price=integer_field(fields, "price"),
        value=value,
        nonce=integer_field(fields, "nonce"),
    )


def parse_credentials(text: str) -> Credentials:
    """Read the header `Livepeer-Segment`.

    Raises:
        ValueError: It holds no such credentials.
    """
    fields = _decode(text)
    return Credentials(
        payer=text_field(fields, "payer"),
        manifest_id=text_field(fields, "manifest_id"),
        terms=parse_terms(text_field(fields, "terms")),
    )


def _encode(fields: dict[str, object]) -> str:
    return base64.b64encode(json.dumps(fields, separators=(",", ":")).encode()).decode()


def _decode(text: str) -> dict[str, object]:
    return load_object(base64.b64decode(text, validate=True))
