"""Serves a trickle server by itself, without any other application around it."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn

from ._app import TrickleServer
from ._protocol import TrickleProtocol

# Clients keep connections for their next segment; none may meet a dying one within ten minutes.
_KEEP_ALIVE_SECONDS = 660

# How long clients have to read their last answers when the server ends.
_DRAIN_SECONDS = 0.5

_REACHABLE = {"0.0.0.0": "127.0.0.1", "::": "::1"}


@asynccontextmanager
async def serve(server: TrickleServer, *, host: str = "127.0.0.1", port: int = 2939) -> AsyncGenerator[str]:
    """Serve over HTTP and give the base URL, which ends with a slash; in the end every channel is deleted.

    Args:
        server: What to serve.
        host: The address to listen at.
        port: The port to listen at; 0 for any free one.

    Raises:
        OSError: The port is taken.
    """
    listener = _bind(host, port)
    web = _WebServer(server)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(web.run_until_stopped, listener)
        try:
            await web.started_up.wait()
            yield _url(host, listener.getsockname()[1]) + server.path
        finally:
            await web.stop()


class _WebServer(uvicorn.Server):
    """Uvicorn's server, told apart from the process: it says when it has started, and ends when told."""

    def __init__(self, server: TrickleServer) -> None:
        super().__init__(
            uvicorn.Config(
                server,
                http=TrickleProtocol,
                ws="none",
                lifespan="on",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_SECONDS,
                backlog=2048,
            )
        )
        self._trickle = server
        self.started_up = anyio.Event()
        self._end = anyio.Event()
        self._ended = anyio.Event()

    async def run_until_stopped(self, listener: socket.socket) -> None:
        """Serve until `stop`; cancellation alone does not end it, for uvicorn would leave its sockets behind."""
        try:
            with anyio.CancelScope(shield=True), listener:
                await self.serve(sockets=[listener])
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """End every request and close every connection, and wait for that."""
        self.should_exit = True
        self._end.set()
        with anyio.CancelScope(shield=True):
            await self._ended.wait()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets=sockets)
        self.started_up.set()

    async def main_loop(self) -> None:
        """Run until told to end; uvicorn itself looks ten times a second whether it should."""
        while not await self.on_tick(0):
            with anyio.move_on_after(1):
                await self._end.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer whoever waits as if the channels were deleted; who does not read it in time is cut off."""
        self._trickle.clear()
        cut_off = asyncio.get_running_loop().call_later(_DRAIN_SECONDS, self._cut_off)
        await super().shutdown(sockets=sockets)
        cut_off.cancel()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals to whoever owns the process."""
        yield

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()


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
