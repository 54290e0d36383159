"""The hot path: one operation's route."""

import asyncio
import os
from collections.abc import Callable, Sequence
from functools import partial
from urllib.parse import quote

from livepeer.core import (
    ANY_MEDIA_TYPE,
    JSON_MEDIA_TYPE,
    SSE_DONE,
    SSE_PING,
    CallCancelledError,
    CallError,
    MediaTypeError,
    OperationDescription,
    Problem,
    sse_event,
)
from livepeer.host.wire import (
    ANSWER,
    END,
    EVENTS,
    HEAD,
    NO_MEDIA_TYPE,
    PROGRESS,
    WITHOUT_BODY,
    Frame,
    unpack_answer,
    unpack_head,
)

from ._body import Body, read_body
from ._connection import Request
from ._exchange import PING, Exchange
from ._lifecycle import Lifecycle
from ._options import ServerOptions
from ._responses import Headers, Receive, Scope, Send, header, send_whole
from ._sessions import SESSION_HEADER
from ._shared_files import SharedFiles, pieces
from ._slots import Slots
from ._watchtower import Watchtower, disconnected

_JSON = JSON_MEDIA_TYPE.encode()
_MULTIPART = "multipart/form-data"
_SSE_HEADERS: Headers = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
]

_SERVERS_HEADERS = frozenset(
    {b"content-type", b"content-length", b"transfer-encoding", b"connection", b"x-request-id", b"x-metadata"}
)


class OperationRoute:
    """Takes calls of one operation.

    Args:
        index: The operation's place in the description.
        operation: What it is.
        lifecycle: Counts the calls, and holds what runs them.
        slots: How many at once.
        options: The server's.
        watchtower: Watches the callers.
        files: Brings large bodies to the host.
        needs_token: Whether `Authorization` is the server's own matter, and nobody else's.
    """

    def __init__(
        self,
        index: int,
        operation: OperationDescription,
        lifecycle: Lifecycle,
        slots: Slots,
        options: ServerOptions,
        watchtower: Watchtower,
        files: SharedFiles,
        *,
        needs_token: Callable[[], bool],
    ) -> None:
        self._needs_token = needs_token
        self.operation = operation
        self.slots = slots
        self._index = index
        self._lifecycle = lifecycle
        self._worker = lifecycle.worker
        self._options = options
        self._watchtower = watchtower
        self._files = files
        self._media_types = frozenset(operation.input_media_types)
        self._takes_json = JSON_MEDIA_TYPE in self._media_types
        self._takes_all = ANY_MEDIA_TYPE in self._media_types
        limits = (options.deadline_seconds, operation.timeout_seconds)
        self._deadline_seconds = min((limit for limit in limits if limit is not None), default=None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Run one call, from its body to the last byte of its answer.

        Raises:
            CallError: If it ended badly before anything was sent.
        """
        self.slots.check()
        request = await self._request(scope, receive, request_id)
        try:
            if not self.slots.take():
                await self._wait_for_slot(receive)
        except BaseException:
            if request.shared is not None:
                request.shared.release()
            raise
        self._lifecycle.call_begins()
        try:
            exchange = self._worker.call(request, self._release)
        except CallError:
            self._release()
            raise
        self._watchtower.watch(exchange, receive, request_id, deadline_seconds=self._deadline_seconds)
        respond = self._stream if self.operation.streams else self._answer
        session_id = header(scope, SESSION_HEADER)
        try:
            if session_id:
                give_up = partial(self._watchtower.give_up, exchange)
                with self._lifecycle.sessions.joined(session_id.decode("latin-1"), give_up):
                    await respond(exchange, send, request_id)
            else:
                await respond(exchange, send, request_id)
        finally:
            self._watchtower.leave(exchange)
            exchange.leave()

    async def _request(self, scope: Scope, receive: Receive, request_id: str) -> Request:
        media_type = self._media_type(scope)
        options = self._options
        body = await read_body(
            scope,
            receive,
            self._files,
            limit_bytes=options.body_limit_bytes,
            stall_seconds=options.body_timeout_seconds,
        )
        if media_type == _MULTIPART and not self._takes_all:
            body = await self._translate(scope, body)
            media_type = JSON_MEDIA_TYPE
        return Request(
            self._index,
            request_id.encode("latin-1"),
            media_type.encode("latin-1"),
            self._header_lines(scope),
            body.inline,
            body.shared,
            self._deadline_seconds,
        )

    def _header_lines(self, scope: Scope) -> bytes:
        if not self._takes_all:
            return b"\n".join([b"%b:%b" % item for item in scope["headers"] if item[0] != b"authorization"])
        withheld = b"authorization" if self._needs_token() else None
        lines = [b"%b:%b" % item for item in scope["headers"] if item[0] != withheld]
        query: bytes = scope["query_string"]
        path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
        url = b"%b?%b" % (path, query) if query else path
        host, port = scope.get("client") or ("", 0)
        return b"\n".join([b":path:" + url, b":client:%b %d" % (host.encode(), port), *lines])

    async def _translate(self, scope: Scope, body: Body) -> Body:
        # Lazily: reading forms takes a parser that most servers never need.
        from ._multipart import multipart_to_json

        content_type = header(scope, b"content-type")
        return await multipart_to_json(content_type, body, self.operation.input_schema, self._files)

    def _media_type(self, scope: Scope) -> str:
        whole = header(scope, b"content-type")
        if self._takes_all:
            return whole.decode("latin-1")
        given = whole.partition(b";")[0].strip().lower().decode("latin-1")
        if given in self._media_types:
            return given
        if self._takes_json:
            if given == _MULTIPART:
                return given
            if not given or given.endswith("+json"):
                return JSON_MEDIA_TYPE
        accepted = ", ".join([*self.operation.input_media_types, *([_MULTIPART] if self._takes_json else [])])
        raise MediaTypeError(f"the body is {given or 'of no media type'}; send {accepted}")

    async def _wait_for_slot(self, receive: Receive) -> None:
        """Wait in the queue, unless the caller leaves it."""
        place = self.slots.queue()
        gone = asyncio.ensure_future(disconnected(receive))
        try:
            await asyncio.wait((place, gone), return_when=asyncio.FIRST_COMPLETED)
            if not place.done():
                raise CallCancelledError("the caller left while its call was queued")
        except BaseException:
            self.slots.leave(place)
            raise
        finally:
            gone.cancel()

    def _release(self) -> None:
        self.slots.release()
        self._lifecycle.call_ended()

    async def _answer(self, exchange: Exchange, send: Send, request_id: str) -> None:
        await _send_answer(exchange, await exchange.next_frame(), send, request_id)

    async def _stream(self, exchange: Exchange, send: Send, request_id: str) -> None:
        silence = _Silence(exchange, self._options.ping_seconds)
        started = False
        try:
            while True:
                try:
                    frame = await exchange.next_frame()
                except CallCancelledError:
                    raise
                except CallError as error:
                    if not started:
                        raise
                    problem = Problem.of(error, request_id=request_id).to_json()
                    await _send_chunk(send, sse_event(b'{"error":' + problem + b"}", "error") + SSE_DONE, last=True)
                    return
                silence.broken()
                if frame.kind == ANSWER:
                    await _send_answer(exchange, frame, send, request_id)
                    return
                if not started:
                    started = True
                    await _begin_stream(frame, send, request_id)
                if frame.kind == EVENTS:
                    await _send_events(exchange, frame, send)
                elif frame.kind == END:
                    await _send_chunk(send, SSE_DONE, last=True)
                    return
                elif frame.kind == PROGRESS:
                    await _send_chunk(send, sse_event(frame.payload, "progress"))
                elif frame.kind == PING:
                    await _send_chunk(send, SSE_PING)
        finally:
            silence.end()


class _Silence:
    """Nudges an exchange that has been silent for a while."""

    def __init__(self, exchange: Exchange, seconds: float) -> None:
        self._exchange = exchange
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._heard = self._loop.time()
        self._timer = self._loop.call_later(seconds, self._look)

    def broken(self) -> None:
        self._heard = self._loop.time()

    def end(self) -> None:
        self._timer.cancel()

    def _look(self) -> None:
        rest = self._heard + self._seconds - self._loop.time()
        if rest <= 0:
            self._exchange.nudge()
            rest = self._seconds
        self._timer = self._loop.call_later(rest, self._look)


async def _send_answer(exchange: Exchange, frame: Frame, send: Send, request_id: str) -> None:
    assert frame.kind == ANSWER
    media_type, metrics, body, size, status, own = unpack_answer(frame)
    headers: Headers = [(b"x-request-id", request_id.encode("latin-1"))]
    if metrics:
        headers.append((b"x-metadata", metrics))
    if own:
        headers += _further(own)
    kind = None if media_type == NO_MEDIA_TYPE else media_type or _JSON
    if status in WITHOUT_BODY:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
        return
    if not size:
        await send_whole(send, status, kind, body, headers)
        return
    headers.append((b"content-length", b"%d" % size))
    if kind is not None:
        headers.append((b"content-type", kind))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if frame.in_place:
        assert exchange.shared is not None
        await _send_file(send, exchange.shared.descriptor, size)
    else:
        assert frame.shared is not None
        try:
            await _send_file(send, frame.shared, size)
        finally:
            os.close(frame.shared)


async def _begin_stream(frame: Frame, send: Send, request_id: str) -> None:
    status, own = unpack_head(frame) if frame.kind == HEAD else (200, ())
    headers = [*_SSE_HEADERS, (b"x-request-id", request_id.encode("latin-1")), *_further(own)]
    await send({"type": "http.response.start", "status": status, "headers": headers})


def _further(headers: Sequence[tuple[bytes, bytes]]) -> Headers:
    """A model's own headers, without those that are the server's."""
    return [item for item in headers if item[0] not in _SERVERS_HEADERS]


async def _send_chunk(send: Send, body: bytes, *, last: bool = False) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": not last})


async def _send_events(exchange: Exchange, frame: Frame, send: Send) -> None:
    if frame.shared is None:
        await _send_chunk(send, frame.payload)
        exchange.taken(len(frame.payload))
        return
    try:
        for piece in pieces(frame.shared, os.fstat(frame.shared).st_size):
            await _send_chunk(send, piece)
            exchange.taken(len(piece))
    finally:
        os.close(frame.shared)


async def _send_file(send: Send, descriptor: int, size: int) -> None:
    """Send a body piece by piece, as fast as its reader takes it."""
    for piece in pieces(descriptor, size):
        size -= len(piece)
        await _send_chunk(send, piece, last=not size)
