"""The ways over Live Runner: a call that stands alone, and calls within a session (contract section 7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ._accounts import Checkout
from ._capability import Capability
from ._errors import LivepeerError, PaymentRequiredError, PriceTooHighError, ProtocolError, SettingsError, SignerError
from ._exchange import Exchange, Reply, Request, ask
from ._jobs import Job
from ._problems import error_from_reply
from ._routes import job_request

_NOT_TAKEN = (404, 502, 503)
_RESERVE_SECONDS = 10.0
_STOP_SECONDS = 5.0


class RunnerRoute:
    """A single-shot runner: the call is a session of its own.

    Args:
        runner: As discovery found it.
        checkout: Pays for it.
        headers: The caller's own.
    """

    def __init__(self, runner: Capability, checkout: Checkout, headers: Mapping[str, str]) -> None:
        self.name = runner.name
        self.url = runner.url
        self.hop: Literal["runner"] = "runner"
        self.orchestrator_url = runner.orchestrator_url
        self._price = runner.price
        self._checkout = checkout
        self._headers = headers

    @property
    def payment_failure(self) -> LivepeerError | None:
        """Why the latest payment failed; None where it did not."""
        return self._checkout.failure

    def send(self, job: Job) -> Exchange[Reply]:
        """Send the job, and pay as long as it lasts."""
        return (yield from self._checkout.send(job_request(job, self.url, self._headers), self._price))

    def allows_another(self, failure: LivepeerError) -> bool:
        """Whether nothing has run: the runner is gone, down, full, or too dear."""
        if isinstance(failure, SignerError):
            return isinstance(failure, PriceTooHighError)
        return failure.status in _NOT_TAKEN or isinstance(failure, PaymentRequiredError)

    def end(self) -> Exchange[None]:
        """Pay no more."""
        self._checkout.end()
        yield from ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Lease:
    session_id: str
    app_url: str
    control_url: str


class SessionRoute(RunnerRoute):
    """A persistent runner: a session is reserved, serves one call or many, and is stopped."""

    _lease: _Lease | None = None

    @property
    def session_id(self) -> str:
        """The session's id; empty where there is none."""
        return self._lease.session_id if self._lease is not None else ""

    def reserve(self) -> Exchange[None]:
        """Reserve a session, and pay for it from then on.

        Raises:
            LivepeerError: There is none.
        """
        request = Request(url=self.url, headers=self._headers, timeout_seconds=_RESERVE_SECONDS, uninterrupted=True)
        reply = yield from self._checkout.send(request, self._price)
        if not reply.is_success:
            raise error_from_reply(reply, orchestrator_url=self.orchestrator_url)
        self._lease = _read_lease(reply)

    def send(self, job: Job) -> Exchange[Reply]:
        """Reserve a session and send the job within it."""
        yield from self.reserve()
        return (yield from self.send_within(job))

    def send_within(self, job: Job) -> Exchange[Reply]:
        """Send a job within the session.

        Raises:
            SettingsError: The session is over.
        """
        if self._lease is None:
            raise SettingsError("the session is over")
        return (yield from ask(job_request(job, self._lease.app_url, self._headers)))

    def end(self) -> Exchange[None]:
        """Pay no more, and stop the session; where that fails, the orchestrator ends it in its own time."""
        yield from super().end()
        if self._lease is not None:
            url = f"{self._lease.control_url}/stop"
            yield (Request(url=url, headers=self._headers, timeout_seconds=_STOP_SECONDS),)
            self._lease = None  # Not before: what is broken off is sent again.


class OpenSessionRoute:
    """One call within a session that somebody else reserves and ends."""

    def __init__(self, session: SessionRoute) -> None:
        self.url = session.url
        self.hop: Literal["runner"] = "runner"
        self.orchestrator_url = session.orchestrator_url
        self._session = session

    @property
    def payment_failure(self) -> LivepeerError | None:
        """Why the session's latest payment failed; None where it did not."""
        return self._session.payment_failure

    def send(self, job: Job) -> Exchange[Reply]:
        """Send the job within the session."""
        return (yield from self._session.send_within(job))

    def allows_another(self, failure: LivepeerError) -> bool:
        """Never: the session is where it is."""
        del failure
        return False

    def end(self) -> Exchange[None]:
        """Leave the session as it is."""
        yield from ()


def _read_lease(reply: Reply) -> _Lease:
    document = reply.json_object("the reserved session")
    texts = [document.get(name) for name in ("session_id", "app_url", "control_url")]
    match texts:
        case [str(session_id), str(app_url), str(control_url)] if session_id and app_url and control_url:
            return _Lease(session_id=session_id, app_url=app_url.rstrip("/"), control_url=control_url.rstrip("/"))
        case _:
            raise ProtocolError("the reserved session has no session_id, app_url or control_url")
