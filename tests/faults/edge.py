"""An edge as a program of its own, and what keeps it running."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import anyio
import anyio.to_thread
import httpx2
import psutil

MODELS = Path(__file__).with_name("models.py")
END_SECONDS = 20
IDLE_SECONDS = 20


class Edge:
    """`python -m livepeer.server` at a port that it keeps.

    Args:
        model: Class in `models.py`.
        environment: Its settings.
        http: Asks it how it is.
        log: Takes all that it says.
    """

    def __init__(self, model: str, environment: dict[str, str], http: httpx2.AsyncClient, log: IO[bytes]) -> None:
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._command = [sys.executable, "-m", "livepeer.server", f"{MODELS}:{model}"]
        self._environment = {"LIVEPEER_HOST": "127.0.0.1", "LIVEPEER_PORT": str(self.port), **environment}
        self._http = http
        self._log = log
        self.start()

    def start(self) -> None:
        """Start it, again or for the first time."""
        environment = {**os.environ, **self._environment}
        self.process = subprocess.Popen(self._command, stdout=self._log, stderr=self._log, env=environment)

    async def end(self, number: signal.Signals) -> None:
        """Send it a signal and wait for its end; one that is asked to stop must do so well."""
        self.process.send_signal(number)
        status = await anyio.to_thread.run_sync(self.process.wait, END_SECONDS)
        assert status == (-number if number is signal.SIGKILL else 0), self.log()

    async def health(self) -> dict[str, Any]:
        """What `/health` says; nothing while nobody listens."""
        try:
            return (await self._http.get(f"{self.url}/health")).json()
        except httpx2.TransportError:
            return {}

    async def until_idle(self) -> None:
        """Wait until the model is loaded and nothing runs."""
        with anyio.fail_after(IDLE_SECONDS):
            while (await self.health()).get("status") != "IDLE":
                assert self.process.poll() is None, self.log()
                await anyio.sleep(0.01)

    @property
    def family(self) -> list[psutil.Process]:
        """The edge, its host's guardian and its host, as far as they live, and whatever these started."""
        try:
            process = psutil.Process(self.process.pid)
            return [process, *process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    @property
    def host(self) -> psutil.Process | None:
        """The process that holds the model: its guardian's child."""
        return next(iter(self.family[2:]), None)

    def log(self) -> str:
        """All that it ever said."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")


def is_alive(process: psutil.Process) -> bool:
    """Whether a process still runs; one that waits to be reaped does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@asynccontextmanager
async def serving(model: str, **environment: str) -> AsyncGenerator[Edge]:
    """Serve a model within the block, and let it stop well at the end."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    with tempfile.TemporaryFile() as log:
        async with httpx2.AsyncClient(trust_env=False, limits=limits) as http:
            edge = Edge(model, environment, http, log)
            try:
                yield edge
                await edge.end(signal.SIGTERM)
            finally:
                edge.process.kill()
                edge.process.wait()


def _free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
