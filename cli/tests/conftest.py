import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Empty, Queue

import psutil
import pytest

COMMAND = Path(sys.executable).with_name("livepeer")
TARGETS = Path(__file__).with_name("targets.py")
EXAMPLES = Path(__file__).parents[2] / "examples"
PATIENCE_SECONDS = 30.0

Run = Callable[..., subprocess.CompletedProcess[bytes]]
Start = Callable[..., "Running"]


@pytest.fixture(scope="session")
def targets() -> Path:
    return TARGETS


@pytest.fixture(scope="session")
def examples() -> Path:
    return EXAMPLES


@pytest.fixture(scope="session")
def livepeer() -> Run:
    """Runs the command to its end."""

    def run(*arguments: object, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [COMMAND, *map(str, arguments)],
            input=stdin,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
            check=False,
            env={**os.environ, **environment},
        )

    return run


class Running:
    """A program that goes on until it is told to end. Its lines arrive in a queue."""

    def __init__(self, *arguments: object, **environment: str) -> None:
        self.process = subprocess.Popen(
            [*map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
        )
        self._lines: Queue[str | None] = Queue()
        self.text = ""
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """Wait until a line matches, and return the match."""
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_SECONDS)
            except Empty:
                raise AssertionError(f"no {pattern!r} in time:\n{self.text}") from None
            assert line is not None, f"it ended without {pattern!r}:\n{self.text}"
            self.text += line
            if found := re.search(pattern, line):
                return found

    def end(self, number: int = signal.SIGINT) -> int:
        """Send a signal and wait for the end of the program and of all that it started. Its exit code."""
        descendants = psutil.Process(self.process.pid).children(recursive=True)
        self.process.send_signal(number)
        exit_code = self.process.wait(PATIENCE_SECONDS)
        _, alive = psutil.wait_procs(descendants, timeout=1)
        assert not alive
        return exit_code

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Starts programs, and ends those that a test leaves."""
    programs: list[Running] = []

    def begin(*arguments: object, **environment: str) -> Running:
        programs.append(Running(*arguments, **environment))
        return programs[-1]

    yield begin
    for program in programs:
        program.kill()


@pytest.fixture(scope="session")
def command() -> Path:
    return COMMAND
