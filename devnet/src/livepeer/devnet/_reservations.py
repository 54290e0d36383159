"""How a slot of a runner is taken: for nothing, or for a payment (Live Runner, contract section 7)."""

from starlette.requests import HTTPConnection

from ._inbound import RefusedError, base_url
from ._payment_terms import WeiPrice, convert_price
from ._payments import CREDENTIALS_HEADER, PAYMENT_HEADER, Meter, Till
from ._runner_sessions import Session
from ._runners import Runner, RunnerRegistry


class Reservations:
    """Takes slots for callers; with a till, only for those who pay."""

    def __init__(self, registry: RunnerRegistry, till: Till, *, paid: bool) -> None:
        self._registry = registry
        self._till = till
        self._paid = paid

    def reserve(self, runner: Runner, connection: HTTPConnection) -> Session:
        """Take a slot of a runner for a caller.

        Raises:
            PaymentRequiredError: The caller has not paid yet.
            RefusedError: The payment does not hold, or the runner is full.
        """
        if not self._paid:
            return self._registry.reserve(runner, public_url=base_url(connection))
        price = convert_price(runner.record.price_info)
        if price is None:
            raise RefusedError("live runner price unavailable", 503)
        if not (connection.headers.get(PAYMENT_HEADER) or connection.headers.get(CREDENTIALS_HEADER)):
            raise self._till.challenge(connection, runner.path, price)
        return self._reserve_paid(runner, connection, price)

    def pay(self, session: Session, connection: HTTPConnection) -> str:
        """Add a payment to a session that runs, and return its renewed terms.

        Raises:
            RefusedError: The payment does not hold, or the session takes no more.
        """
        if session.has_fixed_price:
            raise RefusedError("fixed-price live runner sessions do not accept follow-up payments", 409)
        payment, credentials = self._till.read(connection)
        if credentials.manifest_id != session.id:
            raise RefusedError("mismatched session and payment manifest", 403)
        self._till.credit(payment, credentials)
        return self._till.renew(credentials.terms)

    def charge(self) -> None:
        """Charge every session for the time that has passed, and end those without money."""
        for runner in self._registry:
            for session in list(runner.sessions.values()):
                self._charge(runner, session)

    def _charge(self, runner: Runner, session: Session) -> None:
        if session.meter is None:
            return
        try:
            session.meter.charge()
        except RefusedError:
            self._registry.release(runner, session)
            session.unpaid.set()

    def _reserve_paid(self, runner: Runner, connection: HTTPConnection, price: WeiPrice) -> Session:
        payment, credentials = self._till.read(connection)
        if credentials.manifest_id != credentials.terms.manifest_id:
            raise RefusedError("mismatched manifest and auth token", 403)
        if price.unit == "fixed" and payment.price != price.price:
            raise RefusedError("payment price does not match live runner price", 400)
        session = self._registry.reserve(runner, public_url=base_url(connection), session_id=credentials.manifest_id)
        try:
            account = self._till.credit(payment, credentials)
            if price.unit == "fixed":
                account.spend(price.price)
            else:
                session.meter = Meter(account, WeiPrice(price=payment.price, unit=price.unit))
        except RefusedError:
            self._registry.release(runner, session)
            raise
        return session
