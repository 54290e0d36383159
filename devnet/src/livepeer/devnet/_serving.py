"""Serves an ASGI application in the running loop, and stops it at once, whatever it is doing."""

import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import anyio
import anyio.abc
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from livepeer.trickle.server import TrickleProtocol

from ._inbound import DROP_EXTENSION, drop_connection

# Go's server never closes an idle connection; callers with a pool must not meet a dying one here either.
_KEEP_ALIVE_SECONDS = 600

# Go passes messages of any size on.
_MESSAGE_BYTES = 2**40

_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class AppServer:
    """One ASGI application on one TCP port."""

    def __init__(self, app: ASGIApp, *, host: str, port: int) -> None:
        """Bind the port, 0 for any free one; connections wait until `run`.

        Raises:
            OSError: The port is taken.
        """
        self._socket = _bind(host, port)
        self.port: int = self._socket.getsockname()[1]
        self.url = _url(host, self.port)
        self.app = _EndableApp(app)
        self._running = False
        self._stopped = anyio.Event()
        self._server = _Server(
            uvicorn.Config(
                self.app,
                http=_DroppingProtocol,
                ws=_DroppingWebSocket,
                ws_max_size=_MESSAGE_BYTES,
                ws_ping_interval=None,
                ws_per_message_deflate=False,
                lifespan="on",
                log_config=None,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            )
        )

    async def run(self, *, task_status: anyio.abc.TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve until `stop`; cancellation alone does not end it."""
        if self._server.should_exit:
            task_status.started()
            return
        self._running = True
        self._server.task_status = task_status
        # Cancelled, uvicorn would leave its sockets and its lifespan task behind.
        with anyio.CancelScope(shield=True):
            await self._server.serve(sockets=[self._socket])
        self._stopped.set()

    async def stop(self) -> None:
        """Break off every request in flight, close every socket, and wait for that."""
        self._server.end()
        self.app.end()
        if self._running:
            await self._stopped.wait()
        self._socket.close()


class _Server(uvicorn.Server):
    """Uvicorn's server, told apart from the process: it says when it has started, and ends when told."""

    task_status: anyio.abc.TaskStatus[None]

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._end = anyio.Event()

    def end(self) -> None:
        self.should_exit = True
        self._end.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.task_status.started()

    async def main_loop(self) -> None:
        # Uvicorn itself looks ten times a second whether it should exit.
        while not await self.on_tick(0):
            with anyio.move_on_after(1):
                await self._end.wait()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # Signals belong to whoever owns the process.
        yield


class _DroppingProtocol(TrickleProtocol):
    """Lets the application drop the connection, which ASGI itself cannot say."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {DROP_EXTENSION: {"drop": self.transport.abort}}


class _DroppingWebSocket(WebSocketsSansIOProtocol):
    """The same for a WebSocket, whose lost connection it tells apart from a close without a code."""

    async def run_asgi(self) -> None:
        self.scope.setdefault("extensions", {})[DROP_EXTENSION] = {"drop": self.transport.abort}
        await super().run_asgi()

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body"):
            self.handshake_complete = True  # Uvicorn would log a refusal as a handshake that was forgotten.

    def shutdown(self) -> None:
        self.transport.abort()  # Uvicorn would say goodbye.

    def connection_lost(self, exc: Exception | None) -> None:
        self.queue.put_nowait({"type": "websocket.disconnect", "code": 1006})
        super().connection_lost(exc)


class _EndableApp:
    """Passes requests to the application until it is ended; from then on drops them, also those in flight."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._ended = False
        self._scopes: set[anyio.CancelScope] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        with anyio.CancelScope() as cancel_scope:
            if self._ended:
                cancel_scope.cancel()
            self._scopes.add(cancel_scope)
            try:
                await self._app(scope, receive, send)
            finally:
                self._scopes.discard(cancel_scope)
        if cancel_scope.cancelled_caught:
            await drop_connection(scope, receive)

    def end(self) -> None:
        self._ended = True
        for cancel_scope in self._scopes:
            cancel_scope.cancel()


def _url(host: str, port: int) -> str:
    host = _REACHABLE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
