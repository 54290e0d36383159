"""The gateway: callers bring it jobs, it finds orchestrators and tries one after another."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import anyio
import httpx2
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from ._gateway_streams import GatewayStreams
from ._inbound import RefusedError, Reply, no_such_page, read_body, request_header, run_while_connected
from ._job_request import JOB_HEADER, JobRequest
from ._lines import GatewayLines
from ._outbound import closing, is_event_stream, outbound_client, post, response_header
from ._relay import STREAM_HEADERS, flood, pass_body, relay
from ._search import accept_job, find_orchestrators
from ._timings import Timings


class Gateway:
    """An offchain gateway as an ASGI application (BYOC contract, sections 3 to 5).

    It pays nobody, so an orchestrator that asks for payment refuses its jobs.
    """

    def __init__(self, orchestrator_urls: Sequence[str], *, timings: Timings | None = None) -> None:
        """Make a gateway in front of some orchestrators.

        Args:
            orchestrator_urls: Their base URLs, without a final slash; a caller's `orchestrators.include` and
                `orchestrators.exclude` are compared with them letter for letter.
            timings: The durations of the network; go-livepeer's own by default.
        """
        self.orchestrator_urls = tuple(orchestrator_urls)
        timings = timings or Timings()
        endpoint = _JobEndpoint(self.orchestrator_urls, timings)
        self._streams = streams = GatewayStreams(self.orchestrator_urls, timings)

        @asynccontextmanager
        async def lifespan(_: Starlette) -> AsyncGenerator[None]:
            async with outbound_client() as endpoint.client, streams.running(endpoint.client):
                yield

        self.app = Starlette(
            routes=[Route("/process/request/{route:path}", endpoint, methods=["POST"]), *streams.routes],
            exception_handlers={404: no_such_page},
            lifespan=lifespan,
        )
        """The ASGI application; serve it with its lifespan."""

    @property
    def stream_statuses(self) -> Mapping[str, Mapping[str, object]]:
        """What it would answer about the status of each stream, by id; read-only and live."""
        return self._streams.statuses

    @property
    def stream_ends(self) -> Mapping[str, str]:
        """Why the streams that were started here have ended, the last hundred of them, by id; read-only and live."""
        return self._streams.ends


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A job that the gateway has taken, and who may do it."""

    request: JobRequest
    orchestrators: list[str]
    path: str
    headers: dict[str, str]
    body: bytes


class _JobEndpoint:
    """`/process/request/<route>` as an ASGI application."""

    client: httpx2.AsyncClient

    def __init__(self, orchestrator_urls: Sequence[str], timings: Timings) -> None:
        self._orchestrator_urls = orchestrator_urls
        self._timings = timings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = Reply(send)
        try:
            job = await self._take(scope, receive)
        except RefusedError as error:
            await reply.error(str(error), error.status)
        except ClientDisconnect:
            pass
        else:
            await run_while_connected(receive, lambda: self._run(job, reply))

    async def _take(self, scope: Scope, receive: Receive) -> _Job:
        request, wanted = accept_job(request_header(scope, JOB_HEADER))
        urls = [url for url in self._orchestrator_urls if wanted.admits(url)]
        orchestrators = await find_orchestrators(self.client, urls, request.capability, self._timings)
        if not orchestrators:
            raise RefusedError(f"No orchestrators found for capability {request.capability}", 400)
        signed = request.signed()
        return _Job(
            request=signed,
            orchestrators=orchestrators,
            path=scope["path"],
            headers={JOB_HEADER: signed.to_header(), "Content-Type": request_header(scope, "Content-Type")},
            body=await read_body(receive),
        )

    async def _run(self, job: _Job, reply: Reply) -> None:
        for orchestrator in job.orchestrators:
            if await self._try(orchestrator, job, reply):
                return
        # go-livepeer writes nothing when every orchestrator failed, which makes a 200 with an empty body.
        await reply.end()

    async def _try(self, orchestrator: str, job: _Job, reply: Reply) -> bool:
        """Bring the job to one orchestrator; return whether the caller has its whole answer."""
        seconds = self._timings.job_seconds(job.request.timeout_seconds) + self._timings.gateway_grace_seconds
        try:
            response = await post(
                self.client, orchestrator + job.path, headers=job.headers, body=job.body, timeout_seconds=seconds
            )
        except (httpx2.InvalidURL, httpx2.RequestError):
            return False
        if response is None:
            return False
        async with closing(response):
            return await self._pass_back(orchestrator, job, response, reply)

    async def _pass_back(self, orchestrator: str, job: _Job, response: httpx2.Response, reply: Reply) -> bool:
        if response.status_code >= 500:
            return False
        if response.status_code < 400:
            reply.headers |= {
                "Livepeer-Balance": response_header(response, "Livepeer-Balance"),
                "X-Metadata": response_header(response, "X-Metadata"),
                "X-Orchestrator-Url": orchestrator,
            }
            if is_event_stream(response):
                await self._pass_stream(job, response, reply)
                # go-livepeer does not stop here: it brings the same job to the next orchestrator as well.
                return False
        await pass_body(response, reply)
        return True

    async def _pass_stream(self, job: _Job, response: httpx2.Response, reply: Reply) -> None:
        reply.headers |= STREAM_HEADERS
        lines = GatewayLines()
        deadline = self._timings.job_seconds(job.request.timeout_seconds) + self._timings.gateway_stream_grace_seconds
        with anyio.move_on_after(deadline):
            await relay(response, lines, reply)
            if not lines.done:
                await flood(reply, self._timings)
