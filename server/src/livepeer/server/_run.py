"""Running a server until it is told to stop."""

import asyncio
import signal
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn

from ._http import EdgeProtocol
from ._server import Server

_LINGER_SECONDS = 5
"""How long the last answers may take to reach their callers, once every call has ended."""


def run(server: Server, sock: socket.socket) -> None:
    """Serve on a bound socket until SIGTERM or Ctrl-C, then withdraw, drain and tear down.

    Args:
        server: What to serve.
        sock: From `bind`.
    """
    http = _Uvicorn(server)
    # uvicorn handles signals while its loop runs only, and raises the one that stopped it again at the end:
    # one that comes earlier must not be lost, and the last one must not be the exit code.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, http.handle_exit)
    http.run(sockets=[sock])


@asynccontextmanager
async def listening(server: Server, sock: socket.socket) -> AsyncGenerator[None]:
    """Serve on a bound socket within the block, on the running loop; signals stay somebody else's.

    At its end, cancelled or not: withdraw, drain and tear down, then close the socket.

    Args:
        server: What to serve.
        sock: From `bind`.
    """
    http = _Guest(server)
    serving = asyncio.create_task(http.serve(sockets=[sock]), name="livepeer-http")
    try:
        yield
    finally:
        http.should_exit = True
        with anyio.CancelScope(shield=True):
            await serving


class _Uvicorn(uvicorn.Server):
    def __init__(self, server: Server) -> None:
        super().__init__(
            uvicorn.Config(
                server,
                loop="uvloop",
                http=EdgeProtocol,
                ws="none",
                ws_per_message_deflate=False,
                lifespan="on",
                access_log=False,
                proxy_headers=False,
                log_config=None,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=_LINGER_SECONDS,
            )
        )
        self._server = server

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before the sockets close: a refused connection costs an orchestrator's trust (BYOC contract, section 1),
        # and a call that outlasts the drain still gets its answer, a typed 503.
        await self._server.stop()
        await super().shutdown(sockets)


class _Guest(_Uvicorn):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
