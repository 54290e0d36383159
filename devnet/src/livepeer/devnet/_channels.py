"""Trickle channels: segments that one side posts and any number of readers get, each as it is written.

Only what Live Runner needs of the protocol: channels are made by the orchestrator, never by a post, and none is swept
away while it is idle.
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ._inbound import RefusedError, Reply, run_while_connected, stream_body

TRICKLE_PATH = "/ai/trickle"

# A channel keeps this many segments, as the reference does; the oldest gives way to the newest.
_RING = 5
_SEGMENT_BYTES = 16 * 1024 * 1024

_SEQ = "Lp-Trickle-Seq"
_LATEST = "Lp-Trickle-Latest"
_CLOSED = {"Lp-Trickle-Closed": "terminated"}
_HANG_UP = {"Connection": "close"}
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)


class _Segment:
    """Part of a channel: bytes that grow until it is closed."""

    def __init__(self, seq: int) -> None:
        self.seq = seq
        self.parts: list[bytes] = []
        self.bytes = 0
        self.closed = anyio.Event()
        self._grown = anyio.Event()

    def write(self, data: bytes) -> None:
        self.parts.append(data)
        self.bytes += len(data)
        self._wake()

    def close(self) -> None:
        self.closed.set()
        self._wake()

    async def read(self, at: int) -> bytes:
        """Return all parts from the given one on, as soon as there is any; nothing at the end."""
        while at >= len(self.parts) and not self.closed.is_set():
            await self._grown.wait()
        return b"".join(self.parts[at:])

    def _wake(self) -> None:
        self._grown.set()
        self._grown = anyio.Event()


class Channel:
    """One trickle channel."""

    def __init__(self, name: str, mime_type: str) -> None:
        self.name = name
        self.mime_type = mime_type
        self.next_seq = 0
        """One more than the number of the newest segment with a first byte."""
        self.closed = False
        self._ring: list[_Segment | None] = [None] * _RING

    def publish(self, data: bytes) -> None:
        """Write a whole segment."""
        segment = self.for_writing(self.next_seq)
        self.next_seq = segment.seq + 1
        segment.write(data)
        segment.close()

    def for_writing(self, seq: int) -> _Segment:
        """Return the segment of that number, -1 for the next; a new one ends what was in its place."""
        seq = self.next_seq if seq == -1 else seq
        segment = self._ring[seq % _RING]
        if segment is None or segment.seq != seq:
            if segment is not None:
                segment.close()
            self._ring[seq % _RING] = segment = _Segment(seq)
        return segment

    def for_reading(self, seq: int) -> _Segment | None:
        """Return the segment of that number, or None if it is gone or too far ahead; the next one may be waited for."""
        segment = self.held(seq)
        if segment is None and (seq == self.next_seq or (self.next_seq, seq) == (0, 1)):
            return self.for_writing(seq)
        return segment

    def absolute(self, seq: int) -> int:
        """Return the number of a segment that is asked for as -1, the next, or as -2, the newest."""
        return {-1: self.next_seq, -2: max(0, self.next_seq - 1)}.get(seq, seq)

    def held(self, seq: int) -> _Segment | None:
        """Return the segment of that number if the channel still has it."""
        segment = self._ring[seq % _RING]
        return segment if segment is not None and segment.seq == seq else None

    def close_before(self, seq: int) -> None:
        """End every older segment: their publisher has started anew."""
        for segment in self._ring:
            if segment is not None and segment.seq < seq:
                segment.close()

    def close(self) -> None:
        """End every segment; whoever waits is told that the channel is closed."""
        self.closed = True
        for segment in self._ring:
            if segment is not None:
                segment.close()


class Channels:
    """The channels of one orchestrator, and their routes under `/ai/trickle`."""

    def __init__(self) -> None:
        self._channels: dict[str, Channel] = {}
        self.routes = [
            Route(TRICKLE_PATH + "/{name}", self._touch, methods=["POST"]),
            Route(TRICKLE_PATH + "/{name}", self._delete, methods=["DELETE"]),
            Route(TRICKLE_PATH + "/{name}/next", self._next, methods=["GET"]),
            Route(TRICKLE_PATH + "/{name}/{seq}", self._get, methods=["GET"]),
            Route(TRICKLE_PATH + "/{name}/{seq}", self._post, methods=["POST"]),
            Route(TRICKLE_PATH + "/{name}/{seq}", self._close_segment, methods=["DELETE"]),
        ]

    def create(self, name: str, mime_type: str) -> Channel:
        """Return the channel of that name, a new one if there is none."""
        return self._channels.setdefault(name, Channel(name, mime_type))

    def close(self, name: str) -> None:
        """End a channel and forget it; an unknown name is no error."""
        channel = self._channels.pop(name, None)
        if channel is not None:
            channel.close()

    def clear(self) -> None:
        """End and forget every channel."""
        for name in list(self._channels):
            self.close(name)

    def _find(self, request: Request) -> Channel:
        channel = self._channels.get(request.path_params["name"])
        if channel is None:
            raise RefusedError("Stream not found", 404)
        return channel

    async def _touch(self, request: Request) -> Response:
        self._find(request)
        return Response()

    async def _delete(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._channels:
            raise RefusedError("Invalid stream", 400)
        self.close(name)
        return Response()

    async def _next(self, request: Request) -> Response:
        next_seq = str(self._find(request).next_seq)
        return Response(next_seq, headers={_LATEST: next_seq}, media_type="text/plain")

    async def _get(self, request: Request) -> ASGIApp:
        channel = self._find(request)
        seq = channel.absolute(_sequence_number(request, lowest=-2))
        latest = channel.next_seq
        segment = channel.for_reading(seq)
        if segment is None:
            headers = {_LATEST: str(latest), _SEQ: str(seq)}
            return Response("Entry not found", 470, headers=headers, media_type="text/plain")
        return _SegmentReply(channel, segment, latest)

    async def _post(self, request: Request) -> Response:
        try:
            channel = self._find(request)
        except RefusedError as error:
            response = error.response()
            response.headers.update(_HANG_UP)  # Wakes a publisher that has connected ahead of its data.
            return response
        segment = channel.for_writing(_sequence_number(request, lowest=-1))
        if "Lp-Trickle-Reset" in request.headers:
            channel.close_before(segment.seq)
        return await _fill(channel, segment, request)

    async def _close_segment(self, request: Request) -> Response:
        segment = self._find(request).held(_sequence_number(request, lowest=0))
        if segment is None:
            raise RefusedError("Nonexistent segment", 400)
        segment.close()
        return Response()


def _sequence_number(request: Request, *, lowest: int) -> int:
    text: str = request.path_params["seq"]
    if not _NUMBER.fullmatch(text) or int(text) < lowest:
        raise RefusedError("Invalid idx", 400)
    return int(text)


async def _fill(channel: Channel, segment: _Segment, request: Request) -> Response:
    """Write a posted body into a segment; one whose publisher breaks off stays open, as in the reference."""
    headers = {_SEQ: str(segment.seq)}
    async with aclosing(stream_body(request.receive)) as parts:
        try:
            part = await _first_part(segment, parts)
            channel.next_seq = segment.seq + 1
            if not part:
                headers |= _HANG_UP | (_CLOSED if channel.closed else {})
            while part and not segment.closed.is_set():
                if segment.bytes + len(part) > _SEGMENT_BYTES:
                    segment.close()
                    raise RefusedError("Server error", 500)
                segment.write(part)
                part = await anext(parts, b"")
        except ClientDisconnect:
            return Response()
    segment.close()
    return Response(headers=headers)


async def _first_part(segment: _Segment, parts: AsyncGenerator[bytes]) -> bytes:
    """Return the first part of a body; nothing if there is none, or if the segment is closed meanwhile."""
    if segment.closed.is_set():
        return b""
    part = b""
    left = False
    async with anyio.create_task_group() as tasks:

        async def watch() -> None:
            await segment.closed.wait()
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch)
        try:
            part = await anext(parts, b"")
        except ClientDisconnect:
            left = True
        tasks.cancel_scope.cancel()
    if left:
        raise ClientDisconnect
    return part


class _SegmentReply:
    """A segment as an answer: it begins with the first byte, and goes on until the segment is closed."""

    def __init__(self, channel: Channel, segment: _Segment, latest: int) -> None:
        self._channel = channel
        self._segment = segment
        self._latest = latest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await run_while_connected(receive, lambda: self._send(Reply(send)))

    async def _send(self, reply: Reply) -> None:
        segment, sent = self._segment, 0
        reply.headers[_SEQ] = str(segment.seq)
        data = await segment.read(sent)
        if not data:
            reply.headers |= {_LATEST: str(self._channel.next_seq)} | (_CLOSED if self._channel.closed else {})
        else:
            reply.headers |= {"Content-Type": self._channel.mime_type}
            reply.headers |= {_LATEST: str(self._latest)} if segment.seq != self._latest else {}
        while data:
            sent = len(segment.parts)
            await reply.write(data)
            data = await segment.read(sent)
        await reply.end()
