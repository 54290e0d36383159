"""Paying for a session without the I/O: when, how much, and what a failure means."""

from collections.abc import Callable
from dataclasses import replace

from ._capability import Price
from ._errors import LivepeerError, PaymentRequiredError, SignerError
from ._exchange import Exchange, Reply, Request, ask
from ._payments import Bill, Challenge, Payer, Payment
from ._problems import error_from_reply

_MOST_CHALLENGES = 3
_TOO_OLD, _NOTHING_DUE = 480, 482


class Account:
    """The payments of one session.

    Args:
        payer: Makes them.
        price: What discovery said; None where it said nothing.
        request: What is to be paid for.
    """

    def __init__(self, payer: Payer, price: Price | None, request: Request) -> None:
        self.failure: LivepeerError | None = None
        """Why the latest payment failed; None where it did not."""

        self._payer = payer
        self._price = price
        self._unit = price.unit if price is not None else "seconds"
        # Asked without the body, which would travel in vain: a server may close before it has read a long one.
        self._terms_request = replace(request, body=b"", keep_open=False)
        self._challenge: Challenge | None = None
        self._state: object = None

    @property
    def is_open(self) -> bool:
        """Whether the session costs more the longer it lasts."""
        return self._challenge is not None and self._unit != "fixed"

    @property
    def interval_seconds(self) -> float:
        """How often `pay_again` is due."""
        return self._challenge.interval_seconds if self._challenge is not None else 0.0

    def pay(self) -> Exchange[Payment | None]:
        """Have a payment made, on terms that the payer takes.

        Returns:
            What is to be sent; None where nothing is due.

        Raises:
            LivepeerError: There is none.
        """
        is_first = self._challenge is None
        challenge = self._challenge or (yield from self._fresh_challenge())
        for _ in range(_MOST_CHALLENGES):
            if challenge is None:
                return None
            try:
                payment = yield from self._payer.pay(self._bill(challenge))
            except SignerError as error:
                if error.status == _NOTHING_DUE and not is_first:
                    return None
                if error.status != _TOO_OLD:
                    raise
                challenge = yield from self._fresh_challenge()
            else:
                self._challenge, self._state = challenge, payment.state
                return payment
        raise SignerError(f"the signer found {_MOST_CHALLENGES} challenges too old", status=_TOO_OLD)

    def pay_again(self) -> Exchange[None]:
        """Have a payment made for the time since the last one, and send it.

        Raises:
            LivepeerError: The payment was not made, or not taken.
        """
        payment = yield from self.pay()
        if payment is None or self._challenge is None:
            return
        headers = {**self._terms_request.headers, **payment.headers}
        reply = yield from ask(Request(url=self._challenge.payment_url, headers=headers))
        if not reply.is_success:
            raise error_from_reply(reply)

    def _fresh_challenge(self) -> Exchange[Challenge | None]:
        address = yield from self._payer.address()
        headers = {**self._terms_request.headers, "Livepeer-Payer-Address": address}
        reply = yield from ask(replace(self._terms_request, headers=headers))
        if reply.status != 402:
            return None
        challenge, session = Challenge.parse(reply), self._challenge
        if session is None:
            return challenge
        # New terms for a session that has its id already.
        return replace(challenge, manifest_id=session.manifest_id, payment_url=session.payment_url)

    def _bill(self, challenge: Challenge) -> Bill:
        return Bill(
            payment_params=challenge.payment_params,
            manifest_id=challenge.manifest_id,
            unit=self._unit,
            price=self._price,
            state=self._state,
        )


class Checkout:
    """Sends what may have to be paid for.

    Args:
        payer: Makes payments; None where nobody does.
        start_paying: Begins to call an account's `pay_again` whenever it is due, and returns what ends that.
    """

    def __init__(self, payer: Payer | None, start_paying: Callable[[Account], Callable[[], None]]) -> None:
        self._payer = payer
        self._start_paying = start_paying
        self._account: Account | None = None
        self._stop_paying: Callable[[], None] | None = None

    @property
    def failure(self) -> LivepeerError | None:
        """Why the latest payment failed; None where it did not, or none was made."""
        return self._account.failure if self._account is not None else None

    def send(self, request: Request, price: Price | None) -> Exchange[Reply]:
        """Send a request, paid for where that is asked, and from then on pay until `end`.

        Raises:
            PaymentRequiredError: Nobody here pays.
            SignerError: The payer made no payment.
            LivepeerError: No answer came.
        """
        if self._payer is None or price is None:
            reply = yield from ask(request)
            if reply.status != 402:
                return reply
            if self._payer is None:
                message = "the worker asks for a payment: give signer_url, or a signer that pays"
                raise PaymentRequiredError(message, status=402)
        account = self._account = Account(self._payer, price, request)
        payment = yield from account.pay()
        if payment is None:
            return (yield from ask(request))
        if account.is_open:
            self._stop_paying = self._start_paying(account)
        return (yield from ask(replace(request, headers={**request.headers, **payment.headers})))

    def end(self) -> None:
        """Pay no more."""
        if self._stop_paying is not None:
            self._stop_paying()
            self._stop_paying = None
