"""Runs `python -m livepeer.trickle` over real pipes."""

import os
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager

LIMIT_SECONDS = 20.0

# Tests that were put into the background by a shell ignore SIGINT, and so would the commands that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Command(subprocess.Popen[bytes]):
    """A command that is running."""

    def __init__(
        self, *arguments: str, stdout: int = subprocess.PIPE, environment: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(
            [sys.executable, "-W", "error", "-m", "livepeer.trickle", *arguments],
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **(environment or {})},
        )

    def give(self, data: bytes) -> None:
        """Write to its standard input."""
        assert self.stdin
        view = memoryview(data)
        while view:
            view = view[self.stdin.write(view) :]

    def take(self, size: int) -> bytes:
        """Read exactly so many bytes from its standard output, or what comes until its end."""
        assert self.stdout
        data = b""
        while len(data) < size and (part := self.stdout.read(size - len(data))):
            data += part
        return data

    def take_line(self) -> bytes:
        """Read a line from its standard output."""
        assert self.stdout
        return self.stdout.readline()

    def end(self) -> tuple[int, bytes, str]:
        """Close its standard input and wait for its end; return its status, the rest of its output, and its stderr."""
        output, errors = self.communicate(timeout=LIMIT_SECONDS)
        return self.returncode, output, errors.decode()


@contextmanager
def command(*arguments: str, stdout: int = subprocess.PIPE) -> Generator[Command]:
    """Start a command; it is killed at the end if it still runs."""
    with Command(*arguments, stdout=stdout) as running:
        try:
            yield running
        finally:
            running.kill()


def run(*arguments: str, given: bytes = b"", environment: Mapping[str, str] | None = None) -> tuple[int, bytes, str]:
    """Run a command to its end; return its status, its output, and its stderr."""
    with Command(*arguments, environment=environment) as running:
        output, errors = running.communicate(given, timeout=LIMIT_SECONDS)
        return running.returncode, output, errors.decode()


class ServeCommand:
    """`serve`, which can be killed without a word and started again at the same address."""

    def __init__(self) -> None:
        self._port = "0"
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        self._command = Command("serve", "--port", self._port)
        self.url = self._command.take_line().decode().strip().rstrip("/")
        self._port = self.url.rpartition(":")[2]

    def kill(self, number: signal.Signals = signal.SIGKILL) -> int:
        """End it; return its status."""
        with self._command as running:
            running.send_signal(number)
            return running.wait(LIMIT_SECONDS)


@contextmanager
def serving() -> Generator[ServeCommand]:
    """Start a server of its own."""
    server = ServeCommand()
    try:
        yield server
    finally:
        server.kill()
