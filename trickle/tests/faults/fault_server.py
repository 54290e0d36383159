"""The server as a process of its own, which can be killed and started again on the same port."""

import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager

LIMIT_SECONDS = 10.0


class ServerProcess:
    """`python -m livepeer.trickle.server` on a port that stays the same."""

    def __init__(self, *flags: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it says that it is ready."""
        command = [sys.executable, "-m", "livepeer.trickle.server", "--port", str(self.port), *self._flags]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), "the server did not start"

    def kill(self) -> None:
        """End it without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it as an operator does."""
        self._end(signal.SIGTERM)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            with self._process as process:
                process.send_signal(number)
                process.wait(LIMIT_SECONDS)
            self._process = None


@contextmanager
def server_process(*flags: str) -> Generator[ServerProcess]:
    """Run a server of its own."""
    server = ServerProcess(*flags)
    server.start()
    try:
        yield server
    finally:
        server.stop()
