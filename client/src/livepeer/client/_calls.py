"""One call without its I/O: whom to ask next, how long is left, what an answer or a failure means."""

import ssl
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from ._answers import Answer, StreamAnswer, ValueAnswer
from ._errors import (
    AllOrchestratorsFailedError,
    DisconnectedError,
    LivepeerError,
    ModelFailedError,
    ProtocolError,
    StreamCutError,
    TimedOutError,
    UnreachableError,
)
from ._jobs import Job
from ._problems import error_from_answer

LONGEST_ERROR_BYTES = 1024 * 1024
"""How much of an error's body is read."""

_FIRST_PAUSE_SECONDS = 0.2


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Whom a gateway object talks to, and how patiently."""

    urls: tuple[str, ...]
    """Base URLs without a final slash, in the order in which they are asked."""

    direct: bool
    """Whether these are orchestrators; else it is one gateway."""

    connect_timeout_seconds: float
    connect_retries: int
    """How many more rounds over the URLs that could not be reached."""

    grace_seconds: float
    """How much longer than the network's own time the client waits."""

    max_answer_bytes: int
    """Limit of a value, and of one event of a stream."""


class Call:
    """One job on its way.

    Another orchestrator is asked where the contract has a gateway do so: after 5xx, after 401, and where no connection
    opens (BYOC contract, section 3). A gateway does that itself, so through one only the connection is tried again.
    Whatever else ends a call might have run it, and is final; so is everything once an answer has begun.
    """

    def __init__(self, job: Job, target: Target) -> None:
        self._job = job
        self._target = target
        self._url = target.urls[0]
        self._next_urls = list(target.urls[1:])
        self._unreachable_urls: list[str] = []
        self._rounds = 0
        self._failures: list[tuple[str, LivepeerError]] = []
        self._orchestrator_url: str | None = None
        self._started = time.monotonic()

    def request(self) -> dict[str, Any]:
        """Describe the request to send now, as `httpx2.Client.build_request` takes it."""
        remaining = self.remaining_seconds()
        self._orchestrator_url = self._url if self._target.direct else None
        return {
            "method": "POST",
            "url": self._url + self._job.path,
            "headers": self._job.headers,
            "content": self._job.body,
            "timeout": httpx2.Timeout(remaining, connect=min(remaining, self._target.connect_timeout_seconds)),
        }

    def answer(self, response: httpx2.Response) -> Answer:
        """Choose how to read the body of a successful response."""
        if not self._target.direct:
            self._orchestrator_url = response.headers.get("X-Orchestrator-Url") or None
        limit, orchestrator_url = self._target.max_answer_bytes, self._orchestrator_url
        media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        if media_type == "text/event-stream":
            return StreamAnswer(max_bytes=limit, orchestrator_url=orchestrator_url)
        return ValueAnswer(
            media_type=media_type, direct=self._target.direct, max_bytes=limit, orchestrator_url=orchestrator_url
        )

    def refusal(self, response: httpx2.Response, body: bytes | bytearray) -> LivepeerError:
        """Say what a response that is no success means."""
        status = response.status_code
        if status < 400:
            return ProtocolError(f"HTTP {status} is no answer of this network", status=status)
        error = error_from_answer(status, response.headers, body, orchestrator_url=self._orchestrator_url)
        return self._late(error) or error

    def next_attempt(self, failure: LivepeerError) -> float:
        """Move on to the URL to ask after `failure`, and return the seconds to wait before.

        Raises:
            LivepeerError: `failure`, or a better one of earlier, since there is nobody left to ask.
        """
        status = failure.status or 0
        if isinstance(failure, UnreachableError):
            if failure.retryable:  # A certificate that does not verify will not do so in a moment.
                self._unreachable_urls.append(self._url)
        elif not self._target.direct or isinstance(failure, TimedOutError) or (status < 500 and status != 401):
            raise failure
        self._failures.append((self._url, failure))
        if self._next_urls:
            self._url = self._next_urls.pop(0)
            return 0
        if self._unreachable_urls and self._rounds < self._target.connect_retries:
            self._next_urls, self._unreachable_urls = self._unreachable_urls, []
            self._url = self._next_urls.pop(0)
            self._rounds += 1
            return min(_FIRST_PAUSE_SECONDS * 2 ** (self._rounds - 1), self.remaining_seconds())
        raise self._best_failure()

    def remaining_seconds(self) -> float:
        """Say how long the whole call may still take.

        Raises:
            TimedOutError: No longer.
        """
        remaining = self._job.timeout_seconds + self._target.grace_seconds - self._elapsed_seconds()
        if remaining <= 0:
            raise self._timed_out()
        return remaining

    @contextmanager
    def errors(self) -> Generator[None]:
        """Raise what goes wrong inside as this package's errors."""
        try:
            yield
        except httpx2.HTTPError as error:
            raise self._failure(error) from error
        except TimeoutError as error:
            raise self._timed_out() from error
        except LivepeerError as error:
            late = self._late(error)
            if late is None:
                raise
            raise late from error

    def _failure(self, error: httpx2.HTTPError) -> LivepeerError:
        if isinstance(error, httpx2.ConnectError | httpx2.ConnectTimeout):
            message = f"cannot connect to {self._url}: {error or type(error).__name__}"
            if _is_certificate_error(error):
                message += " (orchestrators sign their own certificates: see verify)"
                return UnreachableError(message, retryable=False)
            return UnreachableError(message)
        if isinstance(error, httpx2.TimeoutException):
            return self._timed_out()
        lost = DisconnectedError(
            f"the connection to {self._url} broke: {error}", orchestrator_url=self._orchestrator_url
        )
        return self._late(lost) or lost

    def _late(self, error: LivepeerError) -> LivepeerError | None:
        # At their deadline the hops break off or say that all failed; they have no answer that means "too late".
        says_why = not isinstance(error, DisconnectedError | AllOrchestratorsFailedError | StreamCutError)
        if isinstance(error, ModelFailedError) and error.status is not None and error.problem is None:
            says_why = False
        if says_why or self._elapsed_seconds() < self._job.timeout_seconds:
            return None
        return self._timed_out(f": {error}")

    def _timed_out(self, reason: str = "") -> TimedOutError:
        message = f"the call's {self._job.timeout_seconds} s are over{reason}"
        return TimedOutError(message, orchestrator_url=self._orchestrator_url)

    def _elapsed_seconds(self) -> float:
        return time.monotonic() - self._started

    def _best_failure(self) -> LivepeerError:
        answered = [failure for _, failure in self._failures if not isinstance(failure, UnreachableError)]
        best = (answered or [self._failures[-1][1]])[-1]
        others = {f"{url}: {failure}": None for url, failure in self._failures if failure is not best}
        for note in others if len(self._target.urls) > 1 else ():
            best.add_note(note)
        return best


def _is_certificate_error(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
