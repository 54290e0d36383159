"""A real server as a child process, and what it says."""

import importlib.util
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import IO

from livepeer.core import LivepeerError

TOKEN = "conformance-token"
"""The bearer token of every server that a suite starts."""

_START_SECONDS = 60.0
_STOP_SECONDS = 20.0
_LISTENING = re.compile(r"listening at (http://\S+)")
_OURS = ("LIVEPEER_", "ORCH_", "CAPABILITY_", "PRICE_")


class StageError(LivepeerError):
    """Raised when a sample cannot even be put on; tells what to change."""


class Program:
    """`python -m livepeer.server`, from its start to its end.

    Args:
        target: What it serves.
        adapter: The adapter's entry-point name.
        placement: Where the model runs: "process" or "inline".
        environment: Variables on top of this process's own.

    Raises:
        StageError: It did not come up.
    """

    def __init__(self, target: str, adapter: str, placement: str, environment: Mapping[str, str]) -> None:
        if importlib.util.find_spec("livepeer.server") is None:
            raise StageError("the clauses about serving need a server: install livepeer-server")
        command = [sys.executable, "-m", "livepeer.server", target, "--adapter", adapter, "--worker", placement]
        self._process = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=child_environment({"LIVEPEER_TOKEN": TOKEN, "LIVEPEER_CHANNEL_ORIGINS": "*", **environment}),
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        self.lines: list[str] = []
        """What it has said so far."""
        self._news = threading.Condition()
        # Two pipes: what a thread prints must not get into the midst of what another one logs.
        pipes = (self._process.stdout, self._process.stderr)
        self._readers = [threading.Thread(target=self._read, args=(pipe,), daemon=True) for pipe in pipes]
        for reader in self._readers:
            reader.start()
        self.url = self._wait_for_url()

    @property
    def has_ended(self) -> bool:
        """Whether it is over, by itself or not."""
        return self._process.poll() is not None

    def said(self, words: str) -> int:
        """How many lines end with these words."""
        return sum(line.endswith(words) for line in list(self.lines))

    def stop(self) -> int:
        """Ask it to end, kill it if it does not, and return its exit code."""
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for reader in self._readers:
            reader.join(_STOP_SECONDS)
        return self._process.returncode

    def _read(self, pipe: IO[str]) -> None:
        with pipe:
            for line in pipe:
                with self._news:
                    self.lines.append(line.rstrip("\n"))
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _wait_for_url(self) -> str:
        end = time.monotonic() + _START_SECONDS
        with self._news:
            while not (found := _LISTENING.search("\n".join(self.lines))):
                if self.has_ended or not self._news.wait(end - time.monotonic()):
                    break
        if found is None:
            self.stop()
            raise StageError("the server did not come up:\n" + "\n".join(self.lines[-20:]))
        return found[1]


def child_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what would configure a server, and with some variables."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return {**inherited, "PYTHONUNBUFFERED": "1", **variables}
