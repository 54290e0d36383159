"""A network and the edges on it, each edge a program of its own, as an operator starts it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal

import anyio
import anyio.to_thread
import httpx2
import psutil
import uvicorn
from edge_harness import PIPELINES
from starlette.types import ASGIApp

from livepeer.client import Gateway
from livepeer.devnet import BlockingDevNet, DevNet

Transport = Literal["gateway", "orchestrator", "live-runner"]
Net = DevNet | BlockingDevNet

MODELS = Path(__file__).with_name("models.py")
ROOT = Path(__file__).parents[2]
SERVE = (sys.executable, "-m", "livepeer.server")


class Edge:
    """A running edge: `python -m livepeer.server`, or a script that serves itself."""

    def __init__(self, process: subprocess.Popen[bytes], http: httpx2.AsyncClient, log: Any) -> None:
        self.process = process
        self.url = ""
        self.name = ""
        self.killed = False
        self._http = http
        self._log = log

    async def health(self) -> dict[str, Any]:
        return (await self._http.get(f"{self.url}/health")).json()

    async def until_open(self) -> None:
        """Wait until the model is loaded, idle and announced, if it is to be announced."""
        while not (await self._find() and _is_open(health := await self.health())):
            await self._breathe()
        self.name = health.get("registration", {}).get("name", "unregistered")

    async def until(self, status: str) -> None:
        """Wait until `/health` says so."""
        while (await self.health())["status"] != status:
            await self._breathe()

    async def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, unless it has ended already, and wait for the end; the exit status."""
        self.process.send_signal(number)
        return await anyio.to_thread.run_sync(self.process.wait, 20)

    async def kill(self) -> None:
        self.killed = True
        await self.end(signal.SIGKILL)

    def kill_model(self) -> None:
        """Kill the process that holds the model."""
        psutil.Process(self.process.pid).children(recursive=True)[-1].kill()

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    async def _find(self) -> bool:
        if not self.url:
            connections = psutil.Process(self.process.pid).net_connections()
            ports = [each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN]
            self.url = f"http://127.0.0.1:{ports[0]}" if ports else ""
        return bool(self.url)

    async def _breathe(self) -> None:
        if self.process.poll() is not None:
            raise AssertionError(f"the edge ended with {self.process.returncode}:\n{self.log()}")
        await anyio.sleep(0.01)


@asynccontextmanager
async def serving(
    net: Net,
    target: Path | str,
    *,
    command: tuple[str, ...] = SERVE,
    at: int = 0,
    registered: bool = True,
    **environment: str,
) -> AsyncIterator[Edge]:
    """Serve a target on a free port, registered with one of the network's orchestrators unless told otherwise."""
    if registered:
        environment = {"ORCH_URL": net.orchestrator_urls[at], "ORCH_TOKEN": net.secret} | environment
    with _started((*command, str(target)), environment) as (process, log):
        async with httpx2.AsyncClient(trust_env=False) as http:
            edge = Edge(process, http, log)
            with anyio.move_on_after(40):
                await edge.until_open()
            assert edge.name, f"the edge was not open in 40 s:\n{edge.log()}"
            yield edge
            await edge.end()
            assert process.returncode == 0 or edge.killed, edge.log()


@asynccontextmanager
async def calling(net: Net, transport: Transport, **settings: Any) -> AsyncIterator[Gateway]:
    """A caller of the network."""
    urls = {"gateway_url": net.gateway_url} if transport == "gateway" else {"orch_url": net.orchestrator_urls}
    async with Gateway(**urls, **settings) as gateway:
        yield gateway


@asynccontextmanager
async def listening(app: ASGIApp) -> AsyncIterator[str]:
    """Serve an application of the test's own on a free port; its base URL."""
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))

    async def serve(listener: socket.socket) -> None:
        # A server that is cancelled leaves its listener open, and uvloop then never closes.
        with anyio.CancelScope(shield=True):
            await server.serve([listener])

    with socket.create_server(("127.0.0.1", 0)) as listener:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serve, listener)
            try:
                yield f"http://127.0.0.1:{listener.getsockname()[1]}"
            finally:
                server.should_exit = True


def load(net: Net, name: str) -> int:
    """How many slots of a capability its network counts as taken."""
    sessions = [len(runner.session_ids) for runner in net.runners.values() if runner.label == name]
    return sum(sessions) if sessions else net.capabilities[name].load


def target(model: str) -> str:
    """Where a model of these tests or of the server's is defined; a directory, or a file with a name, is a target."""
    if ":" in model or Path(model).is_dir():
        return model
    path = MODELS if f"class {model}(" in MODELS.read_text() else PIPELINES
    return f"{path}:{model}"


@contextmanager
def _started(command: tuple[str, ...], environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[bytes], Any]]:
    settings = {
        "LIVEPEER_HOST": "127.0.0.1",
        "LIVEPEER_PORT": "0",
        "PYTHONPATH": os.pathsep.join([str(PIPELINES.parent), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep),
    }
    with TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **settings, **environment})
        try:
            yield process, log
        finally:
            process.kill()
            process.wait()


def _is_open(health: dict[str, Any]) -> bool:
    return health["status"] == "IDLE" and health.get("registration", {}).get("state", "registered") == "registered"
