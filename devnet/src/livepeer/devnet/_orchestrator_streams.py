"""Live streams at the orchestrator: it opens the channels, and tells the worker (BYOC contract, section 5)."""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import anyio
import httpx2
from starlette.routing import BaseRoute, Route

from livepeer.trickle.server import TrickleServer

from ._fields import load_object, text_field
from ._inbound import RefusedError, Reply
from ._job_request import JobRequest, NoTimeoutError, check_request, is_hex_signature, parse_job_request
from ._outbound import closing, post
from ._registry import Registry
from ._stream_calls import StreamCall, StreamEndpoint, pass_answer
from ._stream_channels import StreamChannels, parse_wanted
from ._stream_records import StreamRecord, StreamRecords
from ._timings import Timings

# Offchain every balance is and stays 0.
_BALANCE = {"Livepeer-Balance": "0"}


class _UnreachableError(Exception):
    """Raised when the worker gave no answer."""


class _WorkerRefusedError(Exception):
    """Raised when the worker does not start a stream."""

    def __init__(self, status: int, answer: bytes) -> None:
        super().__init__(f"the worker answered {status}")
        self.status = status
        self.answer = answer


@dataclass(kw_only=True)
class _Stream:
    """A stream that runs."""

    capability: str
    channels: StreamChannels
    is_watched: bool = True
    """Whether anybody will give its slot back."""


class OrchestratorStreams:
    """`/ai/stream/...` of one orchestrator.

    A start counts a slot, and gives it back when the worker refuses or the stream ends; not so if `parameters` or
    `request` do not parse, or if the capability was gone when the orchestrator last looked. A worker that cannot be
    reached stays registered, unlike with batch jobs.
    """

    client: httpx2.AsyncClient

    def __init__(self, registry: Registry, trickle: TrickleServer, timings: Timings) -> None:
        self._registry = registry
        self._trickle = trickle
        self._timings = timings
        self._running: dict[str, _Stream] = {}
        self._records = StreamRecords()
        answers = {"start": self._start, "stop": self._stop, "update": self._update, "payment": self._pay}
        self.routes: list[BaseRoute] = [
            Route(f"/ai/stream/{name}", StreamEndpoint(answer)) for name, answer in answers.items()
        ]

    @property
    def records(self) -> Mapping[str, StreamRecord]:
        """The streams by id, the last hundred that have ended among them."""
        return self._records.all

    async def run(self) -> None:
        """Look from time to time whether the capabilities of the streams are still there, until cancelled."""
        while True:
            await anyio.sleep(self._timings.stream_monitor_seconds)
            for stream in self._running.values():
                stream.is_watched = stream.is_watched and stream.capability in self._registry.entries

    def clear(self) -> None:
        """Forget every stream, as a restart does."""
        self._running.clear()
        self._records.clear()

    async def _start(self, call: StreamCall, reply: Reply) -> None:
        job = self._accept(call, reserve=True)
        try:
            wanted = parse_wanted(job.parameters)
        except ValueError as error:
            raise RefusedError(str(error), 400) from None
        channels = StreamChannels(self._trickle, job.id, wanted, call.base_url)
        if job.id not in self._running:
            self._records.begin(StreamRecord(stream_id=job.id, capability=job.capability, channels=channels.urls))
        reply.headers |= channels.headers
        try:
            with self._undoing(job, channels):
                await self._start_at_worker(job, channels, call, reply)
        except _WorkerRefusedError as error:
            await pass_answer(reply, error.status, error.answer)
        else:
            await reply.end()

    async def _start_at_worker(self, job: JobRequest, channels: StreamChannels, call: StreamCall, reply: Reply) -> None:
        try:
            fields = load_object(call.body)
        except ValueError:
            raise RefusedError("Invalid JSON body", 400) from None
        body = json.dumps({"gateway_request_id": job.id, **channels.fields, **fields}).encode()
        try:
            status, answer = await self._ask(job, "start", job.id, body, call.content_type)
        except _UnreachableError:
            raise RefusedError("Error sending request to worker", 500) from None
        reply.headers |= _BALANCE
        if status > 399:
            raise _WorkerRefusedError(status, answer)
        if job.id in self._running:
            raise RefusedError("Error adding stream to external capabilities", 500)
        self._running[job.id] = _Stream(capability=job.capability, channels=channels)

    @contextmanager
    def _undoing(self, job: JobRequest, channels: StreamChannels) -> Generator[None]:
        """If a start fails, give back what it took: the channels too, even if they are those of a stream that runs."""
        try:
            yield
        except BaseException as error:
            self._registry.free(job.capability)
            channels.close()
            if job.id not in self._running:
                is_refused = isinstance(error, RefusedError | _WorkerRefusedError)
                self._records.end(job.id, str(error) if is_refused else "the caller left")
            raise

    async def _stop(self, call: StreamCall, reply: Reply) -> None:
        job, stream_id = self._accept_for_stream(call)
        status, answer = 200, b""
        with suppress(_UnreachableError):
            status, answer = await self._ask(job, "stop", stream_id, call.body)
        self._end(stream_id, call.body.decode(errors="replace") or "stopped")
        await pass_answer(reply, status, answer)

    async def _update(self, call: StreamCall, reply: Reply) -> None:
        job, stream_id = self._accept_for_stream(call)
        try:
            status, answer = await self._ask(job, "params", stream_id, call.body, "application/json")
        except _UnreachableError:
            raise RefusedError("Error sending request to worker", 500) from None
        await pass_answer(reply, status, answer)

    async def _pay(self, call: StreamCall, reply: Reply) -> None:
        try:
            self._accept(call, reserve=False)
        except RefusedError as error:
            raise RefusedError(f"Failed to process payment, request not valid err={error}", 400) from None
        reply.headers |= _BALANCE
        await reply.end()

    def _end(self, stream_id: str, reason: str) -> None:
        stream = self._running.pop(stream_id, None)
        if stream is None:
            return
        stream.channels.close()
        if stream.is_watched:
            self._registry.free(stream.capability)
        self._records.end(stream_id, reason)

    def _accept(self, call: StreamCall, *, reserve: bool) -> JobRequest:
        try:
            job = parse_job_request(call.job_header)
        except NoTimeoutError as error:
            raise RefusedError(str(error), 400) from None
        except ValueError:
            raise RefusedError("Could not verify job creds", 400) from None
        if not is_hex_signature(job.sig):
            raise RefusedError("Could not verify job creds", 400)
        if reserve and self._registry.reserve(job.capability) is None:
            raise RefusedError("No capacity available for capability", 400)
        try:
            check_request(job.request)
        except ValueError as error:
            raise RefusedError(f"Unable to unmarshal job request details err={error}", 400) from None
        return job

    def _accept_for_stream(self, call: StreamCall) -> tuple[JobRequest, str]:
        """Return the job, and the stream that its `request` names, `""` if none."""
        try:
            job = self._accept(call, reserve=False)
        except RefusedError as error:
            raise RefusedError(f"Failed to stop stream, request not valid err={error}", 400) from None
        return job, text_field(load_object(job.request), "stream_id")

    async def _ask(
        self, job: JobRequest, route: str, stream_id: str, body: bytes, content_type: str = ""
    ) -> tuple[int, bytes]:
        """Post to the worker, and return its status and body; one that answers 401 is forgotten.

        Raises:
            _UnreachableError: It gave no answer in time.
        """
        capability = self._registry.entries.get(job.capability)
        headers = {"X-Stream-Id": stream_id.encode().decode("latin-1"), "Content-Type": content_type}
        if capability is not None and capability.token:
            headers["Authorization"] = f"Bearer {capability.token}".encode().decode("latin-1")
        status, answer = await self._post(
            f"{capability.url if capability else ''}/stream/{route}",
            {name: value for name, value in headers.items() if value},
            body,
            self._timings.job_seconds(job.timeout_seconds),
        )
        if status == 401:
            self._registry.remove(job.capability)
            return 500, b"Orchestrator worker failure"
        return status, answer

    async def _post(self, url: str, headers: dict[str, str], body: bytes, seconds: float) -> tuple[int, bytes]:
        try:
            response = await post(self.client, url, headers=headers, body=body, timeout_seconds=seconds)
            if response is None:
                raise _UnreachableError
            async with closing(response):
                return response.status_code, await response.aread()
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            raise _UnreachableError from error
