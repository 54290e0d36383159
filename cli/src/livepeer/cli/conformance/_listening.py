"""An ASGI application of ours on a free port, in the running loop."""

import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

import anyio
import uvicorn
from starlette.types import ASGIApp

_LINGER_SECONDS = 1


class FreePort:
    """A port of this machine that was free, and is bound now.

    Args:
        host: The address to listen at.
    """

    def __init__(self, host: str) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.bind((host, 0))
        port: int = self.socket.getsockname()[1]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@asynccontextmanager
async def listening(app: ASGIApp, port: FreePort) -> AsyncGenerator[None]:
    """Serve an application within the block, WebSockets too; signals stay somebody else's."""
    server = _Guest(
        uvicorn.Config(
            app,
            ws="websockets-sansio",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            timeout_keep_alive=600,
            timeout_graceful_shutdown=_LINGER_SECONDS,
        )
    )

    async def serve() -> None:
        # Cancelled, uvicorn would leave its sockets behind.
        with anyio.CancelScope(shield=True):
            await server.serve(sockets=[port.socket])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        try:
            yield
        finally:
            server.should_exit = True
    port.socket.close()


class _Guest(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield
