"""Mounted applications at the edge: which requests are theirs, and how an HTTP request gets there and back."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from livepeer.core import CallCancelledError, CallError, MountDescription
from livepeer.host.wire import Message

from ._body import BODY_IS_WHOLE
from ._lifecycle import Lifecycle
from ._mount_exchange import MountExchange, MountRequest
from ._responses import Headers, Receive, Scope, Send, header
from ._sessions import SESSION_HEADER

logger = logging.getLogger("livepeer.server")

_WATCH_AFTER_SECONDS = 0.01
"""A request that is answered sooner is not watched: a task for each would cost more than many requests take."""

_REQUEST_ID = b"x-request-id"


class MountRoute:
    """Takes the requests of one mounted application.

    Args:
        index: The mount's place in the description.
        mount: What it is.
        lifecycle: Counts the requests, and holds what runs them.
        needs_token: Whether `Authorization` is the server's own matter, and nobody else's.
    """

    def __init__(
        self, index: int, mount: MountDescription, lifecycle: Lifecycle, *, needs_token: Callable[[], bool]
    ) -> None:
        self.mount = mount
        self._index = index
        self._lifecycle = lifecycle
        self._needs_token = needs_token

    def open(self, scope: Scope, messages: Sequence[Message], request_id: str) -> MountExchange:
        """Send a request to its application.

        Raises:
            NotReadyError: If there is nobody to take it.
        """
        crossing = {**scope, "headers": self._headers(scope, request_id)}
        request = MountRequest(self._index, request_id, crossing, messages)
        exchange = self._lifecycle.worker.mount(request, self._lifecycle.call_ended)
        self._lifecycle.call_begins()
        return exchange

    def in_session(self, scope: Scope, exchange: MountExchange) -> AbstractContextManager[None]:
        """Within the block, a session that is released takes the request with it (Live Runner, contract section 7)."""
        session_id = header(scope, SESSION_HEADER)
        if not session_id:
            return nullcontext()
        return self._lifecycle.sessions.joined(session_id.decode("latin-1"), exchange.give_up)

    async def __call__(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Answer one HTTP request, up to its last byte; what the application does after that is waited for at the end.

        Raises:
            CallError: If it ended badly before anything was sent.
        """
        whole = BODY_IS_WHOLE in scope
        exchange = self.open(scope, [await receive()] if whole else (), request_id)
        pump = _Pump(receive, exchange, after_seconds=_WATCH_AFTER_SECONDS if whole else 0)
        try:
            with self.in_session(scope, exchange):
                await self._answer(exchange, send, request_id)
        except BaseException:
            exchange.give_up(CallCancelledError("nobody waits for the answer any more"))
            raise
        finally:
            pump.stop()
        exchange.leave()

    async def _answer(self, exchange: MountExchange, send: Send, request_id: str) -> None:
        started = False
        try:
            while (message := await exchange.receive()) is not None:
                if not started:
                    started = True
                    message["headers"] = _with_request_id(message["headers"], request_id)
                    if message["status"] == 401 and self._needs_token():
                        # An orchestrator takes it for a wrong token and forgets the worker (BYOC contract, section 2).
                        message["status"] = 403
                await send(message)
                if message["type"] == "http.response.body" and not message.get("more_body", False):
                    return
        except CallCancelledError:
            raise
        except CallError as error:
            if not started:
                raise
            # Returning now leaves the answer unfinished, and the server below cuts the connection.
            logger.error("[%s] the answer was cut off: %s", request_id, error)

    def _headers(self, scope: Scope, request_id: str) -> Headers:
        headers: Headers = scope["headers"]
        if self._needs_token():
            headers = [item for item in headers if item[0] != b"authorization"]
        own = (_REQUEST_ID, request_id.encode("latin-1"))
        return headers if own in headers else [*(item for item in headers if item[0] != _REQUEST_ID), own]


class MountTable:
    """Which application a path belongs to: the one with the longest path that it begins with.

    Args:
        routes: The mounts' routes.
    """

    def __init__(self, routes: Sequence[MountRoute] = ()) -> None:
        paths = [(path, route) for route in routes for path in route.mount.paths]
        self._paths = sorted(paths, key=lambda item: len(item[0]), reverse=True)

    def __bool__(self) -> bool:
        return bool(self._paths)

    def names(self, path: str) -> bool:
        """Whether an application asks for this very path."""
        return any(path == own for own, _ in self._paths)

    def find(self, path: str) -> MountRoute | None:
        """The route of a path that is not the contract's own."""
        for own, route in self._paths:
            if path == own or own == "/" or path.startswith(f"{own}/"):
                return route
        return None


class _Pump:
    """Brings what else comes from a caller to the application: its body, and that it has left."""

    def __init__(self, receive: Receive, exchange: MountExchange, *, after_seconds: float) -> None:
        self._receive = receive
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        if after_seconds:
            self._timer = self._loop.call_later(after_seconds, self._start)
        else:
            self._start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        self._task = self._loop.create_task(self._run())

    async def _run(self) -> None:
        while (message := await self._receive())["type"] != "http.disconnect":
            await self._exchange.send(message)
        self._exchange.give_up(CallCancelledError("the caller left"))


def _with_request_id(headers: Headers, request_id: str) -> Headers:
    if any(name.lower() == _REQUEST_ID for name, _ in headers):
        return headers
    return [*headers, (_REQUEST_ID, request_id.encode("latin-1"))]
