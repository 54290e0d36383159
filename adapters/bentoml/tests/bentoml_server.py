"""Real servers of one BentoML service: `bentoml serve` and ours, each a process group that is gone at the end."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil

_READY_WITHIN_SECONDS = 90
_KEPT_FROM_SERVERS = ("BENTOML_", "BENTOCLOUD_", "LIVEPEER_", "PROMETHEUS_", "PYTHONWARNINGS", "PORT")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers, and where its files are."""

    name: str
    """``bentoml`` or ``ours``."""

    url: str
    folder: Path
    """Its home, its temporary files and its log; gone once it is stopped."""

    process: subprocess.Popen[bytes]
    client: httpx2.Client = field(repr=False)

    @property
    def output(self) -> str:
        """What the server wrote to its stdout and stderr."""
        return (self.folder / "server.log").read_text(errors="replace")

    @property
    def address(self) -> tuple[str, int]:
        """For a socket."""
        url = httpx2.URL(self.url)
        return url.host, url.port or 80

    def stop(self) -> None:
        """End the process group, and whatever left it."""
        self.client.close()
        end(self.process)
        shutil.rmtree(self.folder)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a group, with all its descendants."""
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for child in family:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    process.wait(10)


def start_bentoml(target: str, project: Path, *, ready: str = "/readyz") -> Server:
    """Serve a service with BentoML's own server.

    Args:
        target: As `bentoml serve` takes it.
        project: The folder to serve in.
        ready: The path that says so.
    """
    port = _free_port()
    command = [sys.executable, "-m", "bentoml", "serve", target, "--host", "127.0.0.1", "--port", str(port)]
    return _started("bentoml", command, project, port, ready)


def start_ours(target: str, project: Path) -> Server:
    """Serve the same with `livepeer.server`.

    Args:
        target: As for `start_bentoml`.
        project: The folder to serve in.
    """
    port = _free_port()
    command = [sys.executable, "-m", "livepeer.server", target, "--host", "127.0.0.1", "--port", str(port)]
    return _started("ours", command, project, port, "/health")


def _started(name: str, command: list[str], project: Path, port: int, ready: str) -> Server:
    # BentoML's dependencies meet at sockets below it, and a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="parity-"))
    process = _launch(command, project, folder)
    url = f"http://127.0.0.1:{port}"
    # A server that answers before it has read the body closes the connection: nobody else shall be on it.
    limits = httpx2.Limits(max_keepalive_connections=0)
    client = httpx2.Client(base_url=url, timeout=30, trust_env=False, limits=limits)
    server = Server(name=name, url=url, folder=folder, process=process, client=client)
    try:
        _wait(server, ready)
    except BaseException:
        server.stop()
        raise
    return server


def _launch(command: list[str], project: Path, folder: Path) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_KEPT_FROM_SERVERS)}
    own: Mapping[str, str] = {
        "BENTOML_DO_NOT_TRACK": "True",
        "BENTOML_HOME": str(folder / "home"),
        "TMPDIR": str(folder),
        "PYTHONDONTWRITEBYTECODE": "1",
        # For the one service that is a server itself.
        "COMMAND_PORT": str(_free_port()),
    }
    with (folder / "server.log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=project,
            env={**inherited, **own},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait(server: Server, ready: str) -> None:
    limit = time.monotonic() + _READY_WITHIN_SECONDS
    while time.monotonic() < limit and server.process.poll() is None:
        with suppress(httpx2.TransportError):
            response = server.client.get(ready)
            if b"ERROR" in response.content:
                break
            if response.status_code == 200 and b"LOADING" not in response.content:
                return
        time.sleep(0.05)
    raise AssertionError(f"{server.name} did not start ({server.process.poll()}):\n{server.output}")


def _free_port() -> int:
    """A port below those that the system gives to whoever connects: one of these could be taken before it is used."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
