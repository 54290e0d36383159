"""The orchestrator's till: asks for payment, checks it, and charges sessions (Live Runner, contract section 7)."""

import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass, replace
from time import monotonic

from starlette.requests import HTTPConnection
from starlette.responses import Response

from ._inbound import RefusedError, base_url
from ._payment_terms import (
    Credentials,
    Payment,
    Terms,
    WeiPrice,
    parse_credentials,
    parse_payment,
    units_per_second,
)

PAYMENT_HEADER = "Livepeer-Payment"
CREDENTIALS_HEADER = "Livepeer-Segment"
PAYER_HEADER = "Livepeer-Payer-Address"

TERMS_SECONDS = 30 * 60

_ADDRESS = re.compile(r"(0[xX])?[0-9a-fA-F]{40}", re.ASCII)


class PaymentRequiredError(RefusedError):
    """Raised when a call comes without payment: its answer says what is to be paid, or that the payer is missing."""

    def __init__(self, body: dict[str, object]) -> None:
        super().__init__(json.dumps(body, separators=(",", ":")), 402)

    def response(self) -> Response:
        """Return the answer, in JSON."""
        return Response(str(self), self.status, media_type="application/json")


@dataclass(kw_only=True)
class Account:
    """What one payer has paid for one session, and not yet used."""

    balance: float = 0
    """What is left, in wei."""

    nonce: int = 0
    """The highest nonce seen."""

    expires: float = 0
    """The Unix time from which the account may be forgotten."""

    def spend(self, wei: float) -> None:
        """Take money out.

        Raises:
            RefusedError: There is not enough.
        """
        if wei > self.balance:
            raise RefusedError(f"insufficient balance, fee={wei:.0f}, balance={self.balance:.0f}", 400)
        self.balance -= wei


class Meter:
    """Charges one session for the time that passes."""

    def __init__(self, account: Account, price: WeiPrice) -> None:
        self._account = account
        self._wei_per_second = price.price * units_per_second(price.unit)
        self._charged_at = monotonic()

    def charge(self) -> None:
        """Charge for the time since the last charge.

        Raises:
            RefusedError: There is not enough money.
        """
        now = monotonic()
        self._account.spend((now - self._charged_at) * self._wei_per_second)
        self._charged_at = now


class Till:
    """Takes payments for one orchestrator."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)
        self._accounts: dict[tuple[str, str], Account] = {}

    def clear(self) -> None:
        """Forget every payment, and know no terms of before again."""
        self._key = secrets.token_bytes(32)
        self._accounts.clear()

    def challenge(self, connection: HTTPConnection, path: str, price: WeiPrice) -> PaymentRequiredError:
        """Return what is to be answered to a call without payment."""
        payer = connection.headers.get(PAYER_HEADER, "")
        if not _ADDRESS.fullmatch(payer):
            return PaymentRequiredError({"error": {"message": "invalid live runner payment signer address"}})
        orchestrator, manifest_id = base_url(connection), secrets.token_hex(4)
        terms = Terms(
            orchestrator=orchestrator,
            manifest_id=manifest_id,
            payer="0x" + payer[-40:].lower(),
            price=price.price,
            unit=price.unit,
            expires=int(time.time()) + TERMS_SECONDS,
        )
        return PaymentRequiredError(
            {
                "payment_params": terms.signed(self._key).to_text(),
                "orchestrator": orchestrator,
                "manifest_id": manifest_id,
                "payment_url": f"{orchestrator}/apps/{path}/session/{manifest_id}/payment",
            }
        )

    def read(self, connection: HTTPConnection) -> tuple[Payment, Credentials]:
        """Read the payment headers of a call, and check that they belong together and to this orchestrator.

        Raises:
            RefusedError: They do not.
        """
        try:
            payment = parse_payment(connection.headers.get(PAYMENT_HEADER, ""))
        except ValueError as error:
            raise RefusedError(f"payment decode error: {error}", 402) from None
        try:
            credentials = parse_credentials(connection.headers.get(CREDENTIALS_HEADER, ""))
        except ValueError:
            raise RefusedError("ErrorSegEncoding", 403) from None
        terms = credentials.terms
        if payment.payer != credentials.payer:
            raise RefusedError("ErrSegSig", 403)
        if not hmac.compare_digest(terms.signed(self._key).token.encode(), terms.token.encode()):
            raise RefusedError("invalid auth token", 403)
        if time.time() > terms.expires:
            raise RefusedError("expired auth token", 403)
        return payment, credentials

    def credit(self, payment: Payment, credentials: Credentials) -> Account:
        """Add a payment to its account, and return that.

        Raises:
            RefusedError: The payment was used before, or is for another session or price.
        """
        terms = credentials.terms
        paid_for = (payment.payer, payment.price, payment.manifest_id)
        if paid_for != (terms.payer, terms.price, credentials.manifest_id):
            raise RefusedError("invalid ticket: the payment is for other terms", 400)
        self._forget_expired()
        account = self._accounts.setdefault((payment.payer, credentials.manifest_id), Account())
        if payment.nonce <= account.nonce:
            raise RefusedError(f"invalid ticket senderNonce {payment.nonce}: {account.nonce} was seen before", 400)
        account.nonce = payment.nonce
        account.balance += payment.value
        account.expires = terms.expires
        return account

    def renew(self, terms: Terms) -> str:
        """Return the same terms, to hold from now on."""
        return replace(terms, expires=int(time.time()) + TERMS_SECONDS).signed(self._key).to_text()

    def _forget_expired(self) -> None:
        now = time.time()
        self._accounts = {key: account for key, account in self._accounts.items() if account.expires >= now}
