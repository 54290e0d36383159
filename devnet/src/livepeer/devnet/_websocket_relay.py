"""Passes a WebSocket on to a worker: messages both ways, subprotocol, close codes (Live Runner, contract section 7)."""

import ssl
from collections.abc import Iterator
from contextlib import suppress

import anyio
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI
from websockets.typing import Subprotocol

from ._inbound import RefusedError, drop_connection, wait_for_disconnect
from ._runner_proxy import Forwarding, RawHeaders, end_to_end, request_headers

_NORMAL = 1000
_LOST = 1006

# Closing without a code is told as 1005, which cannot be sent.
_SENDABLE = {1005: _NORMAL}


async def relay_websocket(forwarding: Forwarding, scope: Scope, receive: Receive, send: Send) -> None:
    """Connect to the worker as the caller did, and pass messages on until either side closes.

    Whole messages are passed, so pings, fragments and compression are each connection's own. A worker that answers
    with another status than 101 has that answer passed back.

    Raises:
        RefusedError: The worker cannot be reached, or does not speak WebSocket.
    """
    await receive()  # The message that asks for the connection.
    try:
        worker = await _connect_while_connected(forwarding, scope, receive)
    except InvalidStatus as error:
        await _rejection(error)(scope, receive, send)
        return
    except (OSError, InvalidHandshake, InvalidURI) as error:
        raise RefusedError(str(error) or type(error).__name__, 502) from None
    if worker is None:
        return
    try:
        is_lost = await _Relay(worker, forwarding).run(receive, send)
    finally:
        worker.transport.abort()
    if is_lost:
        await drop_connection(scope, receive)


class _Relay:
    """Two connections that are open."""

    def __init__(self, worker: ClientConnection, forwarding: Forwarding) -> None:
        self._worker = worker
        self._forwarding = forwarding
        self._has_left = False

    async def run(self, receive: Receive, send: Send) -> bool:
        """Pass messages until either side closes; return whether the caller's connection is to be dropped."""
        await send(self._acceptance())
        is_unpaid = False
        async with anyio.create_task_group() as tasks:

            async def serve_caller() -> None:
                await self._pass_on(receive)
                tasks.cancel_scope.cancel()

            async def watch_payment() -> None:
                nonlocal is_unpaid
                await self._forwarding.unpaid.wait()
                is_unpaid = True
                tasks.cancel_scope.cancel()

            tasks.start_soon(serve_caller)
            tasks.start_soon(watch_payment)
            await self._pass_back(send)
            tasks.cancel_scope.cancel()
        return is_unpaid or (self._worker.close_code == _LOST and not self._has_left)

    def _acceptance(self) -> Message:
        response = self._worker.response
        headers = _raw(response.headers.raw_items()) if response is not None else []
        headers = [(name, value) for name, value in end_to_end(headers) if not name.startswith(b"sec-websocket-")]
        headers = [(name, value) for name, value in headers if name not in (b"date", b"server")]
        return {"type": "websocket.accept", "subprotocol": self._worker.subprotocol, "headers": headers}

    async def _pass_on(self, receive: Receive) -> None:
        """Pass the caller's messages on, and its close."""
        message = await receive()
        try:
            while message["type"] == "websocket.receive":
                text: str | None = message.get("text")
                await self._worker.send(message["bytes"] if text is None else text)
                message = await receive()
        except ConnectionClosed:
            await anyio.sleep_forever()  # The other direction tells the caller.
        self._has_left = True
        code: int = message.get("code", _NORMAL)
        if code == _LOST:
            self._worker.transport.abort()
        else:
            await self._worker.close(_SENDABLE.get(code, code), message.get("reason") or "")

    async def _pass_back(self, send: Send) -> None:
        """Pass the worker's messages back, and its close."""
        try:
            while True:
                message = await self._worker.recv()
                kind = "text" if isinstance(message, str) else "bytes"
                await send({"type": "websocket.send", kind: message})
        except ConnectionClosed:
            self._forwarding.ended()
        except OSError:
            await anyio.sleep_forever()  # The caller is gone, which the other direction is told.
        if self._has_left:
            await anyio.sleep_forever()  # Until the worker has said goodbye.
        code = self._worker.close_code or _NORMAL
        if code != _LOST:
            reason = self._worker.close_reason or ""
            with suppress(OSError):  # The caller may have closed in the meantime.
                await send({"type": "websocket.close", "code": _SENDABLE.get(code, code), "reason": reason})


class _Connect(connect):
    """The client of `websockets`, without its following of redirects."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


async def _connect_while_connected(forwarding: Forwarding, scope: Scope, receive: Receive) -> ClientConnection | None:
    """Return a connection to the worker, None if the caller leaves before."""
    worker: ClientConnection | None = None
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:

        async def watch_caller() -> None:
            await wait_for_disconnect(receive)
            tasks.cancel_scope.cancel()

        tasks.start_soon(watch_caller)
        try:
            worker = await _connect(forwarding, scope)
        except (OSError, InvalidHandshake, InvalidURI) as error:
            failure = error  # The task group would wrap it in a group.
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return worker


async def _connect(forwarding: Forwarding, scope: Scope) -> ClientConnection:
    url = forwarding.url.replace("http", "ws", 1)
    headers = [(name, value) for name, value in request_headers(scope) if not name.startswith(b"sec-websocket-")]
    headers = [(name, value) for name, value in headers if name not in forwarding.header_names]
    return await _Connect(
        url,
        additional_headers=_text(headers + forwarding.headers),
        user_agent_header=None,
        subprotocols=[Subprotocol(name) for name in scope["subprotocols"]] or None,
        compression=None,
        ssl=_unverified_tls() if url.startswith("wss:") else None,
        proxy=None,
        open_timeout=None,
        ping_interval=None,
        max_size=None,
    )


def _rejection(error: InvalidStatus) -> Response:
    response = Response(bytes(error.response.body or b""), error.response.status_code)
    headers = end_to_end(_raw(error.response.headers.raw_items()))
    response.raw_headers = [(name, value) for name, value in headers if name != b"date"]
    return response


def _unverified_tls() -> ssl.SSLContext:
    """Certificates of the network are self-signed (BYOC contract, section 1)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _text(headers: RawHeaders) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _raw(headers: Iterator[tuple[str, str]]) -> RawHeaders:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
