"""A WebSocket between its caller and a mounted application."""

import asyncio
import logging

from livepeer.core import CallCancelledError, CallError, UnauthorizedError
from livepeer.host.wire import Message

from ._mount import MountRoute
from ._mount_exchange import MountExchange, close_message
from ._responses import Headers, Receive, Scope, Send, send_problem

logger = logging.getLogger("livepeer.server")

_DENIAL = "websocket.http.response"

_GOODBYE_SECONDS = 1.0
"""How long a caller's own goodbye may take to follow from the failure to send to it."""


async def serve_websocket(route: MountRoute, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
    """Carry messages both ways until either end closes.

    Raises:
        CallError: If it ended badly before the caller was let in.
    """
    assert (await receive())["type"] == "websocket.connect"
    exchange = route.open(scope, (), request_id)
    incoming = asyncio.ensure_future(_bring(receive, exchange))
    try:
        with route.in_session(scope, exchange):
            await _Answer(send, request_id).carry(exchange)
    except OSError:
        # The caller has left. What it said last may be right behind, unless the application does not read.
        await asyncio.wait((incoming,), timeout=_GOODBYE_SECONDS)
    finally:
        incoming.cancel()
        exchange.give_up(CallCancelledError("the caller left"))


async def deny_websocket(scope: Scope, send: Send, error: CallError, *, request_id: str) -> None:
    """Refuse a caller before it was let in: with the error where the server below can say it, else with a 403."""
    if _DENIAL not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1000, "reason": error.title})
        return

    async def send_denial(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    headers: Headers = [(b"x-request-id", request_id.encode("latin-1"))]
    if isinstance(error, UnauthorizedError):
        headers.append((b"www-authenticate", b"Bearer"))
    await send_problem(send_denial, error, request_id=request_id, headers=headers)


class _Answer:
    """What the application sends, on its way to the caller."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self._answered = False
        self._accepted = False

    async def carry(self, exchange: MountExchange) -> None:
        try:
            while (message := await exchange.receive()) is not None:
                self._answered = True
                self._accepted = self._accepted or message["type"] == "websocket.accept"
                await self._send(message)
        except CallCancelledError:
            pass
        except CallError as error:
            await self._end_badly(error)

    async def _end_badly(self, error: CallError) -> None:
        if not self._answered:
            raise error
        logger.error("[%s] the WebSocket was cut off: %s", self._request_id, error)
        if self._accepted:
            await self._send(close_message(error, "close"))


async def _bring(receive: Receive, exchange: MountExchange) -> None:
    """Bring what the caller sends to the application, and the caller's goodbye after all of it."""
    while (message := await receive())["type"] != "websocket.disconnect":
        await exchange.send(message)
    exchange.give_up(CallCancelledError("the caller left"), goodbye=message)
