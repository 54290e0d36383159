"""Real servers of one Cog model: Cog's own and ours, each a process group that is gone at the end."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
import yaml

_READY_WITHIN_SECONDS = 60
_COG_VARIABLES = ("COG_", "LIVEPEER_", "WEBHOOK_", "PORT", "LOG_")


@dataclass(frozen=True, kw_only=True)
class Server:
    """A server that answers, and where its files are."""

    name: str
    """``cog`` or ``ours``."""

    url: str
    project: Path
    """Its own copy of the model's project."""

    process: subprocess.Popen[bytes]
    client: httpx2.Client = field(repr=False)

    @property
    def output(self) -> str:
        """What the server wrote to its stdout and stderr."""
        return (self.project.parent / "server.log").read_text(errors="replace")

    def stop(self) -> None:
        """End the process group, and whatever left it."""
        self.client.close()
        end(self.process)


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


def start_cog(project: Path, environment: Mapping[str, str], *, wait: bool = True) -> Server:
    """Serve a project as Cog's image does.

    Args:
        project: Holds cog.yaml and, if Cog shall validate, ``.cog/openapi_schema.json``.
        environment: Variables on top of those that `cog build` would write into the image.
        wait: Whether until its setup ended.
    """
    port = _free_port()
    process = _launch(
        [sys.executable, "-m", "cog.server.http", "--host", "127.0.0.1"],
        project,
        {**image_environment(project), "PORT": str(port), "LOG_FORMAT": "console", **environment},
    )
    server = _server("cog", f"http://127.0.0.1:{port}", project, process)
    return _when_answering(server, "/health-check", lambda health: not wait or health["status"] != "STARTING")


def start_ours(project: Path, environment: Mapping[str, str], *, wait: bool = True) -> Server:
    """Serve a project with `livepeer.server`; loopback may be fetched from and called back.

    Args:
        project: Holds cog.yaml.
        environment: Variables of the process.
        wait: Whether until its setup ended.
    """
    port = _free_port()
    process = _launch(
        [sys.executable, "-m", "livepeer.server", ".", "--host", "127.0.0.1", "--port", str(port)],
        project,
        {"LIVEPEER_FETCH_ALLOW_PRIVATE": "1", **environment},
    )
    server = _server("ours", f"http://127.0.0.1:{port}", project, process)
    return _when_answering(server, "/health", lambda health: not wait or health["status"] != "LOADING")


def image_environment(project: Path) -> dict[str, str]:
    """The variables that `cog build` writes into an image for a cog.yaml."""
    config = yaml.safe_load((project / "cog.yaml").read_text())
    variables = {"COG_PREDICT_TYPE_STUB": config.get("run") or config.get("predict")}
    if "concurrency" in config:
        variables["COG_MAX_CONCURRENCY"] = str(config["concurrency"]["max"])
    for assignment in config.get("environment", ()):
        name, _, value = assignment.partition("=")
        variables[name] = value
    return variables


def _launch(command: list[str], project: Path, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_COG_VARIABLES)}
    # Cog's server starts a bare `python`: it must be this one.
    path = f"{Path(sys.executable).parent}{os.pathsep}{inherited.get('PATH', '')}"
    with (project.parent / "server.log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=project,
            env={**inherited, "PATH": path, **environment},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _server(name: str, url: str, project: Path, process: subprocess.Popen[bytes]) -> Server:
    client = httpx2.Client(base_url=url, timeout=30, trust_env=False)
    return Server(name=name, url=url, project=project, process=process, client=client)


def _when_answering(server: Server, path: str, satisfied: Callable[[Any], bool]) -> Server:
    limit = time.monotonic() + _READY_WITHIN_SECONDS
    while time.monotonic() < limit:
        if server.process.poll() is not None:
            break
        try:
            if satisfied(server.client.get(path).json()):
                return server
        except (httpx2.TransportError, json.JSONDecodeError):
            pass
        time.sleep(0.03)
    server.stop()
    raise AssertionError(f"{server.name} did not start ({server.process.returncode}):\n{server.output}")


def _free_port() -> int:
    """A port below those that the system gives to whoever connects: one of these could be taken before it is used."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port
