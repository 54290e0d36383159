"""A live stream at the gateway: from one orchestrator to the next, until it ends (BYOC contract, section 5)."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from time import monotonic

import anyio
import httpx2

from ._data_ring import DataRing
from ._gateway_requests import StartRequest
from ._job_request import JOB_HEADER, JobRequest
from ._outbound import closing, post, response_header
from ._stream_channels import CHANNEL_HEADERS, WantedChannels, find_channels
from ._stream_session import StreamEnds, StreamSession
from ._stream_status import StatusStore
from ._timings import Timings
from ._ts_input import InputParts
from ._ts_output import OutputBytes

_STOP_SECONDS = 10
_END_OF_STREAM = "trickle subscribe stopping, stream not found, err=End of stream"
_MANY_SWAPS = 3


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What an orchestrator answered."""

    status: int
    body: bytes
    channels: dict[str, str]
    """The URLs of its channels by name, `""` for those that it did not open."""


class OrchestratorCalls:
    """Brings the calls of streams to orchestrators."""

    def __init__(self, client: httpx2.AsyncClient, timings: Timings) -> None:
        self._client = client
        self._timings = timings

    async def call(
        self, orchestrator: str, route: str, job: JobRequest, body: bytes, content_type: str = "application/json"
    ) -> Answer | None:
        """Return the answer of an orchestrator, None if there is none in time."""
        headers = {JOB_HEADER: job.to_header(), "Content-Type": content_type}
        seconds = self._timings.job_seconds(job.timeout_seconds) + self._timings.gateway_grace_seconds
        url = f"{orchestrator}/ai/stream/{route}"
        try:
            response = await post(self._client, url, headers=headers, body=body, timeout_seconds=seconds)
            if response is None:
                return None
            async with closing(response):
                answer = await response.aread()
        except (httpx2.InvalidURL, httpx2.RequestError):
            return None
        channels = {name: response_header(response, header) for name, header in CHANNEL_HEADERS.items()}
        return Answer(status=response.status_code, body=answer, channels=channels)


class GatewayStream:
    """One stream, from its start to its end.

    Args:
        start: What the caller said.
        job: The job that pays for it, with the stream's id.
        orchestrators: Who may have it, in this order.
        wanted: The channels that the caller enabled.
        calls: What asks the orchestrators.
        statuses: Where its status is kept.
        timings: The durations of the network.
    """

    def __init__(
        self,
        start: StartRequest,
        job: JobRequest,
        orchestrators: Sequence[str],
        wanted: WantedChannels,
        *,
        calls: OrchestratorCalls,
        statuses: StatusStore,
        timings: Timings,
    ) -> None:
        self.id = start.stream_id
        self.wanted = wanted
        """The channels that the caller enabled."""
        self.ends = StreamEnds(input=InputParts(), output=OutputBytes(), data=DataRing() if wanted.data else None)
        """What callers hold of it."""
        self.ended: str | None = None
        """Why it ended; None while it runs."""
        self._start = start
        self._job = job
        self._orchestrators = orchestrators
        self._calls = calls
        self._statuses = statuses
        self._timings = timings
        self._orchestrator = ""
        self._is_stopping = False
        self._scope = anyio.CancelScope()

    async def live(self) -> None:
        """Bring it to one orchestrator after another until it ends, and tell the last one."""
        try:
            with self._scope:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._end_with_input)
                    self.end(await self._visit_orchestrators())
        finally:
            self._close()
        for reason in self._farewells():
            await self._tell_stop(reason.encode())

    def end(self, reason: str) -> None:
        """End it, wherever it is; the first reason counts."""
        self.ended = self.ended or reason
        self._scope.cancel()

    async def stop(self, body: bytes) -> bytes:
        """End it at the caller's wish, and return what the worker said to that."""
        self._is_stopping = True
        try:
            return await self._tell_stop(body)
        finally:
            self.end("stopped")

    async def update(self, job: JobRequest, body: bytes, content_type: str) -> Answer | None:
        """Give the worker other params, and return its answer, None if there is none."""
        if not self._orchestrator:
            return None
        self.ends.update = body
        return await self._calls.call(self._orchestrator, "update", job.signed(), body, content_type)

    async def _visit_orchestrators(self) -> str:
        """Return why no orchestrator has it any more."""
        reason = "no orchestrator could be reached"
        visits, swapped_at = 0, monotonic()
        for orchestrator in self._orchestrators:
            self._orchestrator = orchestrator
            answer = await self._calls.call(orchestrator, "start", self._job, self._start.worker_body)
            if answer is None:
                continue
            self._statuses.note(self.id, "orchestrator", orchestrator)
            channels = find_channels(orchestrator, answer.channels)
            if channels is None:
                # go-livepeer looks at no status, and gives up where it finds no URLs.
                return f"the orchestrator answered {answer.status}, without the URLs of channels"
            reason = await self._session(orchestrator, channels).run()
            await self._take_away(reason)
            if visits > _MANY_SWAPS and monotonic() - swapped_at < self._timings.stream_swap_seconds:
                break
            visits, swapped_at = visits + 1, monotonic()
        if self.ends.input.is_taken:
            self._statuses.note_error(self.id, "no orchestrators available, ending stream")
        return reason

    async def _take_away(self, reason: str) -> None:
        """Tell the orchestrator that it has the stream no longer."""
        if self._is_stopping:
            await anyio.sleep_forever()  # It ends as soon as the worker has answered.
        await self._tell_stop(reason.encode())
        self._orchestrator = ""

    def _session(self, orchestrator: str, channels: dict[str, str]) -> StreamSession:
        facts: dict[str, object] = {
            "stream_id": self.id,
            "request_id": self._start.request_id,
            "pipeline_id": "",
            "orchestrator_info": {"address": "", "url": orchestrator},
        }
        return StreamSession(
            channels, self.ends, stream_id=self.id, facts=facts, statuses=self._statuses, timings=self._timings
        )

    async def _end_with_input(self) -> None:
        """End it with the caller's input; go-livepeer does so at once, which costs the last of the output."""
        await self.ends.input.ended.wait()
        output, drain = self.ends.output, self._timings.stream_drain_seconds
        silent_since = monotonic()
        while self.wanted.output:
            await anyio.sleep(max(0.0, silent_since + drain - monotonic()))
            if output.written_at <= silent_since:
                break
            silent_since = output.written_at
        self.end("input ended")

    def _farewells(self) -> Iterator[str]:
        """What the last orchestrator is told once the stream has ended, even if it knows already.

        A caller's stop makes three: its own, the one for the channels that end by it, and the one for the stream.
        """
        if self._orchestrator:
            if self._is_stopping and (self.wanted.output or self.wanted.data):
                yield _END_OF_STREAM
            yield "stream ended"

    async def _tell_stop(self, body: bytes) -> bytes:
        """Return the worker's answer, nothing if it is an error."""
        request = json.dumps({"stream_id": self.id})
        job = JobRequest(
            id="",
            request=request,
            parameters="",
            capability=self._job.capability,
            sender="",
            sig="",
            timeout_seconds=_STOP_SECONDS,
        )
        answer = await self._calls.call(self._orchestrator, "stop", job.signed(), body)
        return answer.body if answer is not None and answer.status == 200 else b""

    def _close(self) -> None:
        self.ends.input.refuse()
        self.ends.output.close()
        if self.ends.data is not None:
            self.ends.data.close()
