"""Running a server until it is told to stop."""

import logging
import signal
import socket

import uvicorn

from ._server import Server

_BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Bind the port before anything is loaded, so that `/health` can say LOADING.

    Raises:
        OSError: If the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    sock.set_inheritable(False)
    return sock


def run(server: Server, sock: socket.socket, *, drain_seconds: float = 30.0) -> None:
    """Serve on a bound socket until SIGTERM or Ctrl-C, then withdraw, drain and tear down.

    Args:
        server: What to serve.
        sock: From `bind`.
        drain_seconds: How long open connections may go on at the end.
    """
    # uvicorn raises the signal that stopped it again once it is done: without these it would be the exit code.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _already_handled)
    _Uvicorn(server, drain_seconds=drain_seconds).run(sockets=[sock])


class _Uvicorn(uvicorn.Server):
    def __init__(self, server: Server, *, drain_seconds: float) -> None:
        super().__init__(
            uvicorn.Config(
                server,
                loop="uvloop",
                http="httptools",
                ws="none",
                lifespan="on",
                access_log=False,
                proxy_headers=False,
                log_config=None,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=max(1, round(drain_seconds)),
            )
        )
        self._server = server

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # The announcement goes first: a refused connection costs an orchestrator's trust (contract, section 1).
        await self._server.withdraw()
        await super().shutdown(sockets)


def _already_handled(_number: int, _frame: object) -> None:
    pass


def configure_logging() -> None:
    """Log to standard error, as a program's entry does."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
