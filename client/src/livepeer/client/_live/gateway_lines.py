"""A stream behind a gateway, which keeps the channels to itself (BYOC contract, section 5)."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import anyio
import httpx2
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from livepeer.client._errors import LivepeerError, ProtocolError, SettingsError, StreamOverError
from livepeer.client._exchange import Reply
from livepeer.client._failures import transport_errors
from livepeer.client._problems import error_from_reply
from livepeer.client._sse import SseParser

from .beside import tasks_beside
from .events import EventLog
from .lines import Part, Start
from .orders import GatewayDoors

_POLL_SECONDS = 1.0
_ANSWER_SECONDS = 5.0
_UNKNOWN_SECONDS = 20.0
"""How long a gateway may say that it knows no such stream: it forgets the status of one that runs, until the next."""

_NO_STREAM = "the gateway has no such stream: it is over, or the worker has refused it (an orchestrator tells why)"
_LONGEST_EVENT_BYTES = 1024 * 1024
_WAITING_PIECES = 16
_NO_LIMIT = httpx2.Timeout(None, connect=5.0)


class GatewayLines:
    """The lines that a gateway offers: the status, asked for again and again, data, and at devnet's media.

    Args:
        doors: What it offers.
        log: Takes the reports.
        client: Sends the requests.
    """

    def __init__(self, doors: GatewayDoors, log: EventLog, client: httpx2.AsyncClient) -> None:
        self.tells_end = False  # The gateway has forgotten the stream by then.
        self._doors = doors
        self._log = log
        self._client = client
        self._responses: set[httpx2.Response] = set()

    async def watch(self) -> None:
        """Ask for the status until the gateway does not know the stream any more."""
        known_at, last = anyio.current_time(), b""
        while anyio.current_time() - known_at < _UNKNOWN_SECONDS and not self._log.over.is_set():
            reply = await self._ask_status()
            if reply is not None and reply.is_success:
                known_at = anyio.current_time()
                if reply.body != last:
                    last = reply.body
                    self._note(reply)
            await anyio.sleep(_POLL_SECONDS)
        self._log.end()

    async def tell(self, message: bytes) -> None:
        """Refuse: a gateway keeps the control channel to itself."""
        raise SettingsError("a gateway passes no messages on: use update, or orch_url instead of gateway_url")

    async def data(self) -> AsyncGenerator[Any]:
        """Give the worker's data, which come as server-sent events; the end of the body is their end."""
        if not self._doors.has_data:
            raise SettingsError("the stream has no data channel: see data")
        parser = SseParser(max_event_bytes=_LONGEST_EVENT_BYTES)
        async with aclosing(self._body("/data")) as chunks:
            async for chunk in chunks:
                for event in parser.feed(chunk):
                    if event.event == "message" and event.data:  # an empty one is its last
                        yield event.json()
        await self._note_end()

    @asynccontextmanager
    async def sink(self, *, ends_input: bool) -> AsyncGenerator["GatewaySink"]:
        """Open the way for MPEG-TS, where the gateway has one; its end is the input's end in any case."""
        del ends_input
        self._check_media()
        send, receive = anyio.create_memory_object_stream[bytes](_WAITING_PIECES)
        sink = GatewaySink(send)
        async with tasks_beside() as tasks:
            tasks.start_soon(self._upload, receive, sink)
            with send:
                yield sink
        if sink.failure is not None:
            raise sink.failure

    async def parts(self, start: Start) -> AsyncGenerator[Part]:
        """Give the worker's MPEG-TS, where the gateway has it."""
        del start
        self._check_media()
        async with aclosing(self._body("/ts")) as chunks:
            async for chunk in chunks:
                yield Part(chunk)
        await self._note_end()
        yield Part(ends_segment=True)

    async def leave(self) -> None:
        """End every reading."""
        self._log.end()
        for response in tuple(self._responses):
            await response.aclose()

    async def _ask_status(self) -> Reply | None:
        try:
            with transport_errors(self._doors.url, self._client):
                response = await self._client.get(f"{self._doors.url}/status", timeout=_ANSWER_SECONDS)
        except LivepeerError:
            return None
        return Reply(status=response.status_code, headers=response.headers, body=response.content)

    async def _note_end(self) -> None:
        """Take the stream for over, whose output has ended, if the gateway does not know it any more either."""
        if await self._is_unknown():
            self._log.end()

    async def _is_unknown(self) -> bool:
        """Whether the gateway has no such stream; its status may outlive it, its media does not."""
        paths = ["/status", "/ts"] if self._doors.has_media else ["/status"]
        return 404 in [await self._status_at(path) for path in paths]

    async def _status_at(self, path: str) -> int | None:
        """Return the status of an answer whose body is not read; None if there is none in time."""
        url = f"{self._doors.url}{path}"
        try:
            with transport_errors(url, self._client):
                request = self._client.build_request("GET", url, timeout=_ANSWER_SECONDS)
                response = await self._client.send(request, stream=True)
                await response.aclose()
        except LivepeerError:
            return None
        return response.status_code

    def _note(self, reply: Reply) -> None:
        with suppress(ProtocolError):  # A status that cannot be read is none; the stream goes on.
            self._log.add({"type": "status", **reply.json_object("the status")})

    async def _body(self, path: str) -> AsyncGenerator[bytes]:
        url = f"{self._doors.url}{path}"
        with transport_errors(url, self._client):
            request = self._client.build_request("GET", url, timeout=_NO_LIMIT)
            response = await self._client.send(request, stream=True)
            self._responses.add(response)
            try:
                if response.status_code == 404:
                    raise StreamOverError(_NO_STREAM)
                if not response.is_success:
                    raise error_from_reply(await _whole(response))
                async for chunk in response.aiter_raw():
                    yield chunk
            finally:
                self._responses.discard(response)
                with anyio.CancelScope(shield=True):
                    await response.aclose()

    async def _upload(self, pieces: MemoryObjectReceiveStream[bytes], sink: "GatewaySink") -> None:
        url = f"{self._doors.url}/ts"
        with pieces:
            try:
                with transport_errors(url, self._client):
                    headers = {"Content-Type": "video/MP2T"}
                    response = await self._client.post(url, content=pieces, headers=headers, timeout=_NO_LIMIT)
                    if not response.is_success:
                        raise error_from_reply(await _whole(response))
            except LivepeerError as error:
                sink.failure = await self._explain(error)

    async def _explain(self, failure: LivepeerError) -> LivepeerError:
        """Ask whether the stream is over: a gateway that takes no more closes the connection on whoever sends."""
        return StreamOverError(_NO_STREAM) if await self._is_unknown() else failure

    def _check_media(self) -> None:
        if self._doors.has_media:
            return
        others = [url for url in (self._doors.whip_url, self._doors.rtmp_url) if url is not None]
        elsewhere = f"send it to {' or '.join(others)}, or " if others else ""
        raise SettingsError(
            f"this gateway takes and gives media by WebRTC and RTMP alone: {elsewhere}give orch_url, not gateway_url"
        )


class GatewaySink:
    """The body of the request that carries the media.

    Args:
        pieces: Takes it.
    """

    def __init__(self, pieces: MemoryObjectSendStream[bytes]) -> None:
        self.failure: LivepeerError | None = None
        """Why the gateway takes no more."""

        self._pieces = pieces

    async def write(self, data: bytes, *, starts_segment: bool) -> None:
        """Send MPEG-TS, which the gateway cuts itself."""
        del starts_segment
        try:
            await self._pieces.send(data)
        except anyio.BrokenResourceError:
            raise self.failure or StreamOverError("the stream is over") from None


async def _whole(response: httpx2.Response) -> Reply:
    return Reply(status=response.status_code, headers=response.headers, body=await response.aread())
