"""A job at the orchestrator: taken, passed to the worker, its answer passed back."""

from dataclasses import dataclass

import anyio
import httpx2
from starlette.requests import ClientDisconnect
from starlette.types import Receive, Scope, Send

from ._inbound import RefusedError, Reply, read_body, request_header, run_while_connected
from ._job_request import JOB_HEADER, JobRequest, NoTimeoutError, check_request, is_hex_signature, parse_job_request
from ._lines import OrchestratorLines
from ._outbound import closing, is_event_stream, post, response_header
from ._registry import RegisteredCapability, Registry
from ._relay import STREAM_HEADERS, flood, pass_body, relay
from ._timings import Timings

# Offchain every balance is and stays 0.
_BALANCE = "0"
_REMOVING = "job not able to be processed, removing capability err="


@dataclass(frozen=True, kw_only=True)
class _Job:
    """A job that the orchestrator has taken."""

    request: JobRequest
    capability: RegisteredCapability
    url: str
    headers: dict[str, str]
    body: bytes


class JobEndpoint:
    """`/process/request/<route>` as an ASGI application (BYOC contract, sections 3 and 4).

    It counts slots and never refuses a job for want of one. It gives a slot back only once the worker's answer has
    begun: a job that times out before, whose caller leaves before, or whose `request` does not parse keeps its slot.
    """

    client: httpx2.AsyncClient

    def __init__(self, registry: Registry, timings: Timings) -> None:
        self._registry = registry
        self._timings = timings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
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
        request, capability = self._accept(request_header(scope, JOB_HEADER))
        route: str = scope["path_params"]["route"]
        headers = {"Content-Type": request_header(scope, "Content-Type")}
        if capability.token:
            headers["Authorization"] = f"Bearer {capability.token}"
        return _Job(
            request=request,
            capability=capability,
            url=f"{capability.url}/{route}" if route else capability.url,
            headers=headers,
            body=await read_body(receive),
        )

    def _accept(self, header: str) -> tuple[JobRequest, RegisteredCapability]:
        try:
            request = parse_job_request(header)
        except NoTimeoutError as error:
            raise RefusedError(str(error), 400) from None
        except ValueError:
            raise RefusedError("Could not verify job creds", 400) from None
        if not is_hex_signature(request.sig):
            raise RefusedError("Could not verify job creds", 400)
        capability = self._registry.reserve(request.capability)
        if capability is None:
            raise RefusedError("No capacity available for capability", 503)
        try:
            check_request(request.request)
        except ValueError as error:
            raise RefusedError(f"Unable to unmarshal job request details err={error}", 400) from None
        return request, capability

    async def _run(self, job: _Job, reply: Reply) -> None:
        seconds = self._timings.job_seconds(job.request.timeout_seconds)
        reply.headers["Livepeer-Balance"] = _BALANCE
        try:
            response = await post(self.client, job.url, headers=job.headers, body=job.body, timeout_seconds=seconds)
        except httpx2.InvalidURL as error:
            await reply.error(str(error), 500)
        except httpx2.RequestError as error:
            await self._lose_worker(job, reply, f'Post "{job.url}": {error}')
        else:
            if response is None:
                await reply.error(f'{_REMOVING}Post "{job.url}": context canceled', 500)
                return
            async with closing(response):
                await self._pass_back(job, response, reply)

    async def _lose_worker(self, job: _Job, reply: Reply, reason: str) -> None:
        self._registry.remove(job.request.capability)
        await reply.error(_REMOVING + reason, 500)

    async def _pass_back(self, job: _Job, response: httpx2.Response, reply: Reply) -> None:
        if response.status_code == 401:
            await self._lose_worker(job, reply, "worker auth token failed")
            return
        reply.headers |= {name: response_header(response, name) for name in ("Content-Type", "X-Metadata")}
        try:
            if is_event_stream(response):
                await self._pass_stream(job, response, reply)
            else:
                await pass_body(response, reply)
        finally:
            self._registry.free(job.request.capability)

    async def _pass_stream(self, job: _Job, response: httpx2.Response, reply: Reply) -> None:
        del reply.headers["Livepeer-Balance"]
        reply.headers |= STREAM_HEADERS | {"Livepeer-Payment-Balance": _BALANCE}
        with anyio.move_on_after(self._timings.job_seconds(job.request.timeout_seconds)):
            await relay(response, OrchestratorLines(), reply)
            await flood(reply, self._timings)
        await reply.end()
