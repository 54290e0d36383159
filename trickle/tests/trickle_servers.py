"""Starts the server of this package on a port of its own, in a thread, so that any client can be tried on it."""

import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import uvicorn

from livepeer.trickle.server import TrickleProtocol, TrickleServer

LIMIT_SECONDS = 10.0


class RunningServer:
    """A server that can be stopped, and started again on the same port with nothing left of what it knew."""

    def __init__(self, *, ssl_certfile: str | None = None, ssl_keyfile: str | None = None, **options: Any) -> None:
        self._options = options
        self._tls = {"ssl_certfile": ssl_certfile, "ssl_keyfile": ssl_keyfile}
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        scheme = "https" if ssl_certfile else "http"
        self.base_url = f"{scheme}://127.0.0.1:{self.port}"
        self.app: TrickleServer

    def start(self) -> None:
        """Serve, with no channels."""
        self.app = TrickleServer(**self._options)
        config = uvicorn.Config(
            self.app,
            host="127.0.0.1",
            port=self.port,
            http=TrickleProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            timeout_keep_alive=600,
            timeout_graceful_shutdown=1,
            **self._tls,
        )
        started = threading.Event()
        self._server = _Server(config, started)
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        assert started.wait(LIMIT_SECONDS), "the server did not start"

    def stop(self) -> None:
        """End it, and every connection."""
        self._server.should_exit = True
        self._thread.join(LIMIT_SECONDS)
        assert not self._thread.is_alive(), "the server did not stop"


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, started: threading.Event) -> None:
        super().__init__(config)
        self._started = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._started.set()


@contextmanager
def running_server(**options: Any) -> Generator[RunningServer]:
    """Start a server; `options` are TrickleServer's, and uvicorn's `ssl_certfile` and `ssl_keyfile`."""
    server = RunningServer(**options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
