"""A remote signer: pays for callers that have no wallet (Live Runner, contract section 7)."""

import math
import secrets
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

import httpx2
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ._fields import load_object, object_field, text_field
from ._outbound import outbound_client
from ._payment_terms import Credentials, Payment, Terms, WeiUnit, parse_terms, units_per_second
from ._signer_discovery import find_runners
from ._signer_state import SignerState, parse_state
from ._timings import Timings

REFRESH_CHALLENGE = 480
PRICE_EXCEEDED = 481
SKIP_PAYMENT = 482

_UNITS: dict[str, WeiUnit] = {"live": "seconds", "lv2v": "720p-pixel-seconds", "fixed": "fixed"}
# Terms that are about to expire are not worth a payment.
_FRESH_SECONDS = 3 * 60


@dataclass(frozen=True, kw_only=True)
class PaymentRequest:
    """A payment that a caller asks the signer for."""

    orchestrator: str
    """The base URL of who is to be paid."""

    manifest_id: str
    """The session that is to be paid for."""

    type: str
    """`live`, `lv2v` or `fixed`."""

    price: int
    """The price of one unit, in wei."""

    value: int
    """How much would be paid now, in wei."""

    sequence: int
    """How many payments were made for the session before."""


@dataclass(frozen=True, kw_only=True)
class PaymentRefusal:
    """Why a payment is not made."""

    status: int
    """The HTTP status: 480 asks for a new challenge, 481 finds the price too high, 482 skips this payment."""

    reason: str
    """The reason, for people."""


class Payer(Protocol):
    """Decides what a signer pays."""

    def judge(self, request: PaymentRequest) -> PaymentRefusal | None:
        """Return why a payment is refused, or None to pay."""
        ...


class AlwaysPays:
    """A payer whose money never ends."""

    def judge(self, request: PaymentRequest) -> PaymentRefusal | None:
        """Pay."""
        del request


class _RefusedPaymentError(Exception):
    """Raised when a payment is not made; the answer carries the reason as go-livepeer's does."""

    def __init__(self, reason: str, status: int = 400, headers: dict[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.headers = headers

    def response(self) -> Response:
        return JSONResponse({"error": {"message": str(self)}}, self.status, headers=self.headers)


class Signer:
    """A remote signer as an ASGI application.

    It has no wallet: its payments are good at this package's orchestrators alone.
    """

    def __init__(
        self, orchestrator_urls: Sequence[str], *, payer: Payer | None = None, timings: Timings | None = None
    ) -> None:
        """Make a signer.

        Args:
            orchestrator_urls: The orchestrators that `/discover-orchestrators` tells of, asked anew each time.
            payer: Who decides what is paid; by default everything is.
            timings: How much a first payment covers; go-livepeer's own by default.
        """
        self.address = "0x" + secrets.token_hex(20)
        """The address that pays."""
        self._orchestrator_urls = tuple(orchestrator_urls)
        self._payer = payer or AlwaysPays()
        self._timings = timings or Timings()
        self._key = secrets.token_bytes(32)
        self._client: httpx2.AsyncClient
        self.app = Starlette(
            routes=[
                Route("/sign-orchestrator-info", self._sign, methods=["POST"]),
                Route("/generate-live-payment", self._pay, methods=["POST"]),
                Route("/discover-orchestrators", self._discover, methods=["GET"]),
            ],
            exception_handlers={_RefusedPaymentError: _refuse},
            lifespan=self._lifespan,
        )
        """The ASGI application; serve it with its lifespan."""

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncGenerator[None]:
        async with outbound_client() as self._client:
            yield

    async def _sign(self, _: Request) -> Response:
        return JSONResponse({"address": self.address, "signature": "0x" + secrets.token_hex(65)})

    async def _discover(self, request: Request) -> Response:
        wanted = {cap for cap in request.query_params.getlist("caps") if cap}
        found = await find_runners(self._client, self._orchestrator_urls)
        if not found:
            raise _RefusedPaymentError("Service Unavailable Error", 503)
        return JSONResponse([entry.to_document() for entry in found if not wanted or wanted & set(entry.capabilities)])

    async def _pay(self, request: Request) -> Response:
        try:
            fields = load_object(await request.body())
            terms = _parse_orchestrator(fields)
            state = parse_state(fields, self._key)
            manifest_id = text_field(fields, "ManifestID")
            state = _next_state(terms, state, text_field(fields, "type"), manifest_id)
        except ValueError as error:
            raise _RefusedPaymentError(str(error)) from None
        _check_terms(terms, state)
        _check_ceiling(terms, fields)
        return self._make_payment(terms, state, manifest_id or secrets.token_hex(4))

    def _make_payment(self, terms: Terms, state: SignerState, manifest_id: str) -> Response:
        now_ms = int(time.time() * 1000)
        value = self._units(state, now_ms) * state.price
        refusal = self._payer.judge(
            PaymentRequest(
                orchestrator=terms.orchestrator,
                manifest_id=manifest_id,
                type=state.type,
                price=terms.price,
                value=value,
                sequence=state.sequence,
            )
        )
        if refusal is not None:
            raise _refused(refusal, terms)
        payment = Payment(
            payer=self.address, manifest_id=manifest_id, price=terms.price, value=value, nonce=state.sequence + 1
        )
        credentials = Credentials(payer=self.address, manifest_id=manifest_id, terms=terms)
        state = replace(state, sequence=state.sequence + 1, paid_at_ms=now_ms)
        return JSONResponse(
            {"payment": payment.to_text(), "segCreds": credentials.to_text(), "state": state.to_document(self._key)}
        )

    def _units(self, state: SignerState, now_ms: int) -> int:
        """Return how many units are to be paid for: time in advance at first, then the time that has passed."""
        if state.type == "fixed":
            return 1
        prepaid = {"live": self._timings.prepaid_seconds, "lv2v": self._timings.prepaid_720p_seconds}[state.type]
        seconds = (now_ms - state.paid_at_ms) / 1000 if state.sequence else prepaid
        return max(1, math.ceil(seconds * units_per_second(_UNITS[state.type])))


def _parse_orchestrator(fields: dict[str, object]) -> Terms:
    text = text_field(fields, "orchestrator")
    if not text:
        raise ValueError("missing orchestrator")
    terms = parse_terms(text)
    if terms.price <= 0:
        raise ValueError("missing or zero priceInfo")
    return terms


def _next_state(terms: Terms, state: SignerState | None, payment_type: str, manifest_id: str) -> SignerState:
    """Return the state to go on from, if the request fits to it."""
    if payment_type not in _UNITS:
        raise ValueError("invalid job type")
    if state is None:
        return SignerState(orchestrator=terms.orchestrator, type=payment_type, price=terms.price)
    if state.orchestrator != terms.orchestrator:
        raise ValueError("orchestratorAddress mismatch")
    if state.type != payment_type:
        raise ValueError("job type mismatch")
    if not manifest_id:
        raise ValueError("missing manifestID")
    return state


def _check_terms(terms: Terms, state: SignerState) -> None:
    if terms.expires - time.time() < _FRESH_SECONDS:
        refusal = PaymentRefusal(status=REFRESH_CHALLENGE, reason="refresh session for remote signer")
        raise _refused(refusal, terms)
    if terms.price > state.price:
        reason = f"orchestrator price {terms.price} exceeds initial session price ceiling {state.price}"
        raise _RefusedPaymentError(reason, PRICE_EXCEEDED)


def _check_ceiling(terms: Terms, fields: dict[str, object]) -> None:
    """Hold the price against the most that the caller would pay, if it says so."""
    try:
        limit = object_field(fields, "maxPrice").get("price")
        ceiling = math.inf if limit is None else float(str(limit))
        if not ceiling > 0:
            raise ValueError(limit)
    except ValueError:
        raise _RefusedPaymentError("maxPrice.price must be a positive decimal") from None
    if terms.price > ceiling:
        raise _RefusedPaymentError(f"orchestrator price {terms.price} exceeds request maxPrice ceiling", PRICE_EXCEEDED)


def _refused(refusal: PaymentRefusal, terms: Terms) -> _RefusedPaymentError:
    headers = {"Livepeer-Orchestrator-URL": terms.orchestrator} if refusal.status == REFRESH_CHALLENGE else None
    return _RefusedPaymentError(refusal.reason, refusal.status, headers)


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, _RefusedPaymentError):
        raise error
    return error.response()
