"""The ways to have a job done: what each must offer, and the BYOC one."""

import math
from collections.abc import Callable, Mapping
from typing import Literal, Protocol

from ._errors import LivepeerError, NoOrchestratorError
from ._exchange import Exchange, Reply, Request, ask
from ._jobs import Job


class Route(Protocol):
    """One way to have a job done."""

    @property
    def url(self) -> str:
        """Whom it leads to."""
        ...

    @property
    def orchestrator_url(self) -> str | None:
        """Who will have answered; None where only the answer says so."""
        ...

    @property
    def hop(self) -> Literal["gateway", "orchestrator", "runner"]:
        """What is talked to, and hence how: a BYOC gateway or orchestrator, or a Live Runner."""
        ...

    @property
    def payment_failure(self) -> LivepeerError | None:
        """Why the latest payment failed; None where it did not."""
        ...

    def send(self, job: Job) -> Exchange[Reply]:
        """Send the job; the body of a success stays open."""
        ...

    def allows_another(self, failure: LivepeerError) -> bool:
        """Whether another route may be tried after `failure`, which is an answer."""
        ...

    def end(self) -> Exchange[None]:
        """Give back what the job took, however it ended."""
        ...


class ByocRoute:
    """Through a gateway, or straight at an orchestrator (BYOC contract, section 3).

    Args:
        url: Base URL.
        hop: Which of the two it is.
        header: Makes the header ``Livepeer`` of a job.
        headers: The caller's own.
        lookup_failure: Why it did not say which runners it has.
    """

    payment_failure = None

    def __init__(
        self,
        url: str,
        hop: Literal["gateway", "orchestrator"],
        header: Callable[[Job], str],
        headers: Mapping[str, str],
        *,
        lookup_failure: LivepeerError | None = None,
    ) -> None:
        self.url = url
        self.hop: Literal["gateway", "orchestrator"] = hop
        self.orchestrator_url = url if hop == "orchestrator" else None
        self._header = header
        self._headers = headers
        self._lookup_failure = lookup_failure

    def send(self, job: Job) -> Exchange[Reply]:
        """Send the job."""
        headers = {**self._headers, "Livepeer": self._header(job)}
        reply = yield from ask(job_request(job, f"{self.url}/process/request", headers))
        if self.hop == "orchestrator" and is_no_route(reply):
            raise NoOrchestratorError(self._explain(job), status=404, orchestrator_url=self.url)
        return reply

    def allows_another(self, failure: LivepeerError) -> bool:
        """Whether a gateway would ask another orchestrator after it; one does so itself."""
        status = failure.status or 0
        may_ask_another = status >= 500 or status == 401 or isinstance(failure, NoOrchestratorError)
        return self.hop == "orchestrator" and may_ask_another

    def end(self) -> Exchange[None]:
        """Give nothing back, since nothing was taken."""
        yield from ()

    def _explain(self, job: Job) -> str:
        if self._lookup_failure is not None:
            return f"{self.url} does not speak BYOC, and does not list its runners: {self._lookup_failure}"
        return f"{self.url} has no runner for {job.name!r}, and does not speak BYOC"


def job_request(job: Job, url: str, headers: Mapping[str, str]) -> Request:
    """Describe the request that carries a job to a worker; the time for the call bounds it."""
    return Request(
        url=f"{url}/{job.route}",
        headers={**headers, "Content-Type": job.media_type},
        body=job.body,
        timeout_seconds=math.inf,
        keep_open=True,
    )


def is_no_route(reply: Reply) -> bool:
    """Whether whoever is asked has no such route: Go's router says so, a worker's own 404 has the worker's words."""
    return reply.status == 404 and reply.body.strip() == b"404 page not found"
