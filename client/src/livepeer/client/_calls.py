"""One call without its I/O: how long is left, what an answer or a failure means."""

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

import httpx2

from ._answers import Answer, StreamAnswer, ValueAnswer
from ._attempts import Attempts
from ._errors import (
    AllOrchestratorsFailedError,
    DisconnectedError,
    LivepeerError,
    ModelFailedError,
    SignerError,
    StreamCutError,
    TimedOutError,
)
from ._exchange import Exchange, Reply
from ._failures import failure_of
from ._jobs import Job, make_job
from ._problems import error_from_reply
from ._routes import Route
from ._runner_routes import OpenSessionRoute, SessionRoute
from ._settings import Patience


class Call:
    """One job on its way.

    On Live Runner nobody but the client looks at the clock; on BYOC the network does, so the client waits a little
    longer, to hear what it says.
    """

    def __init__(self, job: Job, attempts: Attempts[Route], patience: Patience) -> None:
        self._job = job
        self._attempts = attempts
        self._patience = patience
        self._route: Route | None = None
        self._orchestrator_url: str | None = None
        self._time_is_up: TimedOutError | None = None
        self._started = time.monotonic()

    def begin(self) -> Exchange[Answer]:
        """Send the job until somebody takes it; the body of the answer is still to come.

        Raises:
            LivepeerError: Nobody did.
        """
        return (yield from self._attempts.first_success(self._attempt))

    def end(self) -> Exchange[None]:
        """Give back what the job took, however it ended."""
        yield from self._attempts.end()

    def remaining_seconds(self) -> float:
        """Say how long the whole call may still take.

        Raises:
            TimedOutError: No longer.
        """
        remaining = self._limit_seconds() + self._grace_seconds() - self._elapsed_seconds()
        if remaining <= 0:
            raise self._timed_out()
        return remaining

    @contextmanager
    def errors(self) -> Generator[None]:
        """Raise what goes wrong inside as this package's errors."""
        try:
            yield
        except httpx2.HTTPError as error:
            raise self._explained(failure_of(error, self._route.url if self._route is not None else "")) from error
        except TimeoutError as error:
            raise self._timed_out() from error
        except LivepeerError as error:
            explained = self._explained(error)
            if explained is error:
                raise
            raise explained from error

    def _attempt(self, route: Route) -> Exchange[Answer]:
        self._route, self._orchestrator_url = route, route.orchestrator_url
        with self.errors():
            reply = yield from route.send(self._job)
            if reply.is_success:
                return self._answer(route, reply)
            raise error_from_reply(reply, orchestrator_url=self._orchestrator_url)

    def _answer(self, route: Route, reply: Reply) -> Answer:
        if route.hop == "gateway":
            self._orchestrator_url = reply.headers.get("X-Orchestrator-Url") or None
        limit, orchestrator_url = self._patience.max_answer_bytes, self._orchestrator_url
        media_type = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type == "text/event-stream":
            return StreamAnswer(max_bytes=limit, orchestrator_url=orchestrator_url, has_balance=route.hop != "runner")
        return ValueAnswer(
            media_type=media_type, direct=route.hop != "gateway", max_bytes=limit, orchestrator_url=orchestrator_url
        )

    def _explained(self, error: LivepeerError) -> LivepeerError:
        """Say better what a failure means that does not say why."""
        if isinstance(error, DisconnectedError) and error.orchestrator_url is None:
            error.orchestrator_url = self._orchestrator_url
        if error is self._time_is_up:
            return error
        unpaid = self._route.payment_failure if self._route is not None else None
        if unpaid is not None and (_is_vague(error) or error.status == 404):
            return unpaid  # an orchestrator that is not paid forgets the session and breaks off
        if _is_vague(error) and self._elapsed_seconds() >= self._limit_seconds():
            return self._timed_out(f": {error}")
        return error

    def _timed_out(self, reason: str = "") -> TimedOutError:
        message = f"the call's {self._limit_seconds()} s are over{reason}"
        self._time_is_up = TimedOutError(message, orchestrator_url=self._orchestrator_url)
        return self._time_is_up

    def _limit_seconds(self) -> float:
        return self._job.timeout_seconds if self._is_own_clock() else self._job.whole_seconds

    def _grace_seconds(self) -> float:
        return 0.0 if self._is_own_clock() else self._patience.grace_seconds

    def _is_own_clock(self) -> bool:
        return self._route is None or self._route.hop == "runner"

    def _elapsed_seconds(self) -> float:
        return time.monotonic() - self._started


def session_calls(
    session: SessionRoute, value: object, *, route: str, timeout_seconds: float, patience: Patience
) -> Callable[[], Call]:
    """Prepare a call within a session: what is returned makes it, and starts its clock.

    Raises:
        InputError: The input has no JSON form.
        SettingsError: There is no time.
    """
    job = make_job(session.name, value, route=route, timeout_seconds=timeout_seconds)
    return lambda: Call(job, Attempts[Route].of(OpenSessionRoute(session), patience.connect_retries), patience)


def reserved(route: SessionRoute) -> Exchange[SessionRoute]:
    """Reserve a session and give its route back."""
    yield from route.reserve()
    return route


def _is_vague(error: LivepeerError) -> bool:
    # At their deadline BYOC's hops break off or say that all failed; they have no answer that means "too late".
    if isinstance(error, TimedOutError):
        return error.status is None
    if isinstance(error, ModelFailedError):
        return error.status is not None and error.problem is None
    return isinstance(error, DisconnectedError | AllOrchestratorsFailedError | StreamCutError | SignerError)
