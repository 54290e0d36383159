"""The server under test: a program of its own, as an operator starts it, and how well it is afterwards."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import httpx2
import psutil

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BODY_SECONDS = 2
"""How long a body may stall here before its call is given up."""

LEAKS = ("Traceback", 'File "', "site-packages", str(ROOT))
"""What neither an answer nor a line of the log may hold."""

_START_SECONDS = 40
_SETTLE_SECONDS = 20


@dataclass(frozen=True)
class Use:
    """What a program holds of the machine, with its children."""

    descriptors: int
    bytes: int
    connections: int


class Program:
    """A running server."""

    def __init__(self, model: str, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self.model = model
        self._process = process
        self._psutil = psutil.Process(process.pid)
        self._log = log
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def health(self) -> dict[str, Any]:
        """What `/health` says."""
        return httpx2.get(f"{self.url}/health", timeout=10, trust_env=False).json()

    def log(self) -> str:
        """All that it has logged."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def wait_until_idle(self) -> dict[str, Any]:
        """Wait until it listens, its model is loaded and nothing runs."""
        self._wait(self._listens, _START_SECONDS, "a port to listen on")
        self._wait(lambda: self.health()["status"] == "IDLE", _START_SECONDS, "IDLE")
        return self.health()

    def wait_until_alone(self) -> None:
        """Wait until nobody is connected to it any more."""
        self._wait(lambda: self.use().connections == 0, _SETTLE_SECONDS, "the last connection's end")

    def use(self) -> Use:
        """What it holds now."""
        family = [self._psutil, *self._psutil.children(recursive=True)]
        inbound = [each for each in self._psutil.net_connections("tcp") if each.status != psutil.CONN_LISTEN]
        return Use(
            descriptors=sum(process.num_fds() for process in family),
            bytes=sum(process.memory_info().rss for process in family),
            connections=len(inbound),
        )

    def _listens(self) -> bool:
        ports = [each.laddr.port for each in self._psutil.net_connections("tcp") if each.status == psutil.CONN_LISTEN]
        self.port = ports[0] if ports else 0
        return bool(ports)

    def _wait(self, so: Callable[[], bool], seconds: float, what: str) -> None:
        end = time.monotonic() + seconds
        while not so():
            assert self._process.poll() is None, f"the server ended with {self._process.returncode}:\n{self.log()}"
            assert time.monotonic() < end, f"no {what} within {seconds} s; the log:\n{self.log()[-4000:]}"
            time.sleep(0.01)


@contextmanager
def running(model: str) -> Iterator[Program]:
    """Serve one of `models.py`, and see at the end that it ends well."""
    command = (sys.executable, "-m", "livepeer.server", f"{HERE / 'models.py'}:{model}")
    settings = {
        "LIVEPEER_HOST": "127.0.0.1",
        "LIVEPEER_PORT": "0",
        "LIVEPEER_BODY_TIMEOUT_SECONDS": str(BODY_SECONDS),
    }
    with TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **settings})
        try:
            program = Program(model, process, log)
            program.wait_until_idle()
            yield program
            process.terminate()
            assert process.wait(20) == 0, program.log()
        finally:
            process.kill()
            process.wait()


def told(log: str) -> list[str]:
    """The lines of a log that tell of an error that nobody expected, or of the server's own disk."""
    return [line for line in log.splitlines() if " ERROR " in line or any(leak in line for leak in LEAKS)]
