"""The routes of live streams at the gateway (BYOC contract, section 5)."""

import json
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from types import MappingProxyType
from urllib.parse import quote

import anyio
import httpx2
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from ._data_ring import FellBehindError
from ._gateway_requests import StartRequest, parse_start, stream_urls, whep_url
from ._gateway_stream import GatewayStream, OrchestratorCalls
from ._gateway_ts import InputEndpoint, send_output
from ._inbound import RefusedError, Reply
from ._relay import STREAM_HEADERS
from ._search import accept_job, find_orchestrators
from ._stream_calls import MAX_BODY_BYTES, StreamCall, StreamEndpoint, pass_answer
from ._stream_channels import parse_wanted
from ._stream_status import StatusStore
from ._timings import Timings

_LOGGER = logging.getLogger("livepeer.devnet")

_REMEMBERED = 100

# go-livepeer writes it so, backslashes and all.
_DATA_ENDED = rb'event: end\ndata: {"type":"stream_ended"}\n\n'


class GatewayStreams:
    """The live streams of one gateway."""

    def __init__(self, orchestrator_urls: Sequence[str], timings: Timings) -> None:
        self._orchestrator_urls = orchestrator_urls
        self._timings = timings
        self._statuses = StatusStore()
        self._streams: dict[str, GatewayStream] = {}
        self._ends: dict[str, str] = {}
        path = "/process/stream/{stream_id}"
        self.routes: list[BaseRoute] = [
            Route("/process/stream/{path:path}", _answer_preflight, methods=["OPTIONS"]),
            Route("/process/stream/start", StreamEndpoint(self._start), methods=["POST"]),
            Route(f"{path}/update", StreamEndpoint(self._update), methods=["POST"]),
            Route(f"{path}/stop", StreamEndpoint(self._stop), methods=["POST"]),
            Route(f"{path}/status", StreamEndpoint(self._status), methods=["GET"]),
            Route(f"{path}/data", StreamEndpoint(self._data), methods=["GET"]),
            Route(f"{path}/whip", StreamEndpoint(self._refuse_media), methods=["POST"]),
            Route(f"{path}/rtmp", StreamEndpoint(self._refuse_media), methods=["POST"]),
            Route(f"{path}/ts", InputEndpoint(self._find), methods=["POST"]),
            Route(f"{path}/ts", StreamEndpoint(self._output), methods=["GET"]),
        ]

    @property
    def statuses(self) -> Mapping[str, Mapping[str, object]]:
        """The status of each stream, by id; read-only and live."""
        return self._statuses.all

    @property
    def ends(self) -> Mapping[str, str]:
        """Why the streams have ended, the last hundred of them, by id; read-only and live."""
        return MappingProxyType(self._ends)

    @asynccontextmanager
    async def running(self, client: httpx2.AsyncClient) -> AsyncGenerator[None]:
        """Run streams within the block; at its end they are broken off."""
        self._client = client
        self._calls = OrchestratorCalls(client, self._timings)
        async with anyio.create_task_group() as self._tasks:
            yield
            self._tasks.cancel_scope.cancel()

    async def _start(self, call: StreamCall, reply: Reply) -> None:
        request, allowed = accept_job(call.job_header)
        urls = [url for url in self._orchestrator_urls if allowed.admits(url)]
        orchestrators = await find_orchestrators(self._client, urls, request.capability, self._timings)
        if not orchestrators:
            raise RefusedError(f"No orchestrators found for capability {request.capability}", 400)
        start, wanted = _read_start(call), parse_wanted(request.parameters)
        self._statuses.clear(start.stream_id)
        self._statuses.note(start.stream_id, "whep_url", whep_url(start, wanted))
        if start.stream_id in self._streams:
            raise RefusedError(f"stream already exists: {start.stream_id}", 400)
        job = request.for_stream(start.stream_id)
        stream = GatewayStream(
            start, job, orchestrators, wanted, calls=self._calls, statuses=self._statuses, timings=self._timings
        )
        self._streams[stream.id] = stream
        self._tasks.start_soon(self._live, stream)
        await _answer_json(reply, stream_urls(start, wanted, call.base_url))

    async def _live(self, stream: GatewayStream) -> None:
        try:
            await stream.live()
        except Exception:  # A top-level handler: no stream takes the others with it.
            _LOGGER.exception("the stream %s broke", stream.id)
            stream.ended = "the gateway failed"
        finally:
            self._remove(stream)

    async def _stop(self, call: StreamCall, reply: Reply) -> None:
        stream = self._find(call.path_params)
        answer = await stream.stop(call.body)
        self._remove(stream)
        await pass_answer(reply, 200, answer)

    def _remove(self, stream: GatewayStream) -> None:
        if self._streams.get(stream.id) is not stream:
            return
        del self._streams[stream.id]
        self._ends[stream.id] = stream.ended or "the network was stopped"
        for stream_id in list(self._ends)[:-_REMEMBERED]:
            del self._ends[stream_id]

    async def _update(self, call: StreamCall, reply: Reply) -> None:
        stream = self._find(call.path_params)
        job, _ = accept_job(call.job_header)
        _check_size(call)
        answer = await stream.update(job, call.body, call.content_type)
        if answer is None:
            raise RefusedError("the stream has no orchestrator that answers", 400)
        await pass_answer(reply, answer.status, answer.body)

    async def _status(self, call: StreamCall, reply: Reply) -> None:
        status = self._statuses.all.get(call.path_params["stream_id"])
        if status is None:
            raise RefusedError("Stream not found", 404)
        await _answer_json(reply, status)

    async def _data(self, call: StreamCall, reply: Reply) -> None:
        ring = self._find(call.path_params).ends.data
        if ring is None:
            raise RefusedError("Stream data not available", 503)
        reply.headers |= STREAM_HEADERS
        reader = ring.reader()
        try:
            while (line := await reader.next()) is not None:
                await reply.write(b"data: " + line + b"\n\n")
        except FellBehindError:
            await reply.end()
        else:
            await reply.end(b"data: \n\n" + _DATA_ENDED)

    async def _output(self, call: StreamCall, reply: Reply) -> None:
        await send_output(self._find(call.path_params), reply)

    async def _refuse_media(self, call: StreamCall, _: Reply) -> None:
        stream = self._find(call.path_params)
        url = f"{call.base_url}/process/stream/{quote(stream.id)}/ts"
        raise RefusedError(f"devnet has neither WebRTC nor RTMP: post an MPEG-TS stream to {url}", 501)

    def _find(self, path_params: Mapping[str, str]) -> GatewayStream:
        stream = self._streams.get(path_params["stream_id"])
        if stream is None:
            raise RefusedError("Stream not found", 404)
        return stream


def _read_start(call: StreamCall) -> StartRequest:
    _check_size(call)
    try:
        return parse_start(call.body)
    except ValueError as error:
        raise RefusedError(str(error), 400) from None


def _check_size(call: StreamCall) -> None:
    if len(call.body) > MAX_BODY_BYTES:
        raise RefusedError(f"request body too large (max {MAX_BODY_BYTES} bytes)", 413)


async def _answer_json(reply: Reply, document: Mapping[str, object]) -> None:
    reply.headers["Content-Type"] = "application/json"
    await reply.end(json.dumps(document).encode() + b"\n")


async def _answer_preflight(_: Request) -> Response:
    return Response(status_code=204)
