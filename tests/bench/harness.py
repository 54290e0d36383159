"""Starting both sides, driving them in turn, and printing ratios."""

import http.client
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

HERE = Path(__file__).parent
SMALL_BODY = '{"prompt":"a castle by the sea","steps":25,"scale":7.0}'

KEEP_PAGES = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": "33554432",
    "MALLOC_TRIM_THRESHOLD_": "268435456",
    "MALLOC_TOP_PAD_": "67108864",
}
"""glibc gives large buffers back to the system after each request, which alone decides such figures: keep them."""


@dataclass(frozen=True)
class Side:
    """One server under test."""

    port: int
    process: psutil.Process

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def memory_mb(self) -> float:
        family = [self.process, *self.process.children(recursive=True)]
        return sum(process.memory_full_info().pss for process in family) / 1e6


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextmanager
def ours(model: str, environment: Mapping[str, str] | None = None) -> Iterator[Side]:
    """Our server, with the model in a host process."""
    command = ["-m", "livepeer.server", f"{HERE / 'models.py'}:{model}", "--host", "127.0.0.1", "--port"]
    with _running(command, environment, ready=lambda body: b'"IDLE"' in body) as side:
        yield side


@contextmanager
def peer(kind: str, environment: Mapping[str, str] | None = None) -> Iterator[Side]:
    """A peer from `servers.py`."""
    with _running([str(HERE / "servers.py"), kind], environment, ready=lambda _: True) as side:
        yield side


@contextmanager
def _running(
    command: list[str], environment: Mapping[str, str] | None, *, ready: Callable[[bytes], bool]
) -> Iterator[Side]:
    port = free_port()
    with started([sys.executable, *command, str(port)], port, environment or {}, ready=ready) as side:
        yield side


@contextmanager
def started(
    command: list[str],
    port: int,
    environment: Mapping[str, str],
    *,
    ready: Callable[[bytes], bool],
    path: str = "/health",
    folder: Path = HERE,
    core: int | None = None,
) -> Iterator[Side]:
    """Run a server until the block ends, with everything that it started.

    Args:
        command: What starts it.
        port: Where it listens.
        environment: Variables beside this process's own.
        ready: Whether what it says at `path` means that it can be called.
        path: Where to ask; a server that has no such route is ready as soon as it says so.
        folder: Where it runs.
        core: The one core that it has; None for all.
    """
    pin = [] if core is None else ["taskset", "-c", str(core)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*pin, *command], cwd=folder, env={**os.environ, **environment}, stdout=log, stderr=log
        )
        root = psutil.Process(process.pid)
        try:
            _wait(process, f"http://127.0.0.1:{port}{path}", ready)
            yield Side(port, root)
        except RuntimeError:
            log.seek(0)
            sys.stderr.buffer.write(log.read())
            raise
        finally:
            family = [*root.children(recursive=True), root] if process.poll() is None else []
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(15)
            for each in family:
                if each.is_running():
                    each.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], url: str, ready: Callable[[bytes], bool]) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"{process.args} ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if ready(answer.read()):
                    return
        except (OSError, http.client.HTTPException) as error:
            if getattr(error, "code", None) == 404:
                return
        time.sleep(0.005)
    raise RuntimeError(f"{process.args} was not ready in 60 s")


def wrk(url: str, *, callers: int, seconds: float, body: str = SMALL_BODY) -> float:
    """Requests a second. Every answer must be 2xx.

    Raises:
        RuntimeError: If wrk is missing, or an answer was an error.
    """
    program = shutil.which("wrk")
    if program is None:
        raise RuntimeError("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "body").write_text(body)
        script = Path(folder) / "post.lua"
        script.write_text(
            'wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n'
            f'local f = io.open("{folder}/body", "rb")\nwrk.body = f:read("*a")\nf:close()\n'
        )
        command = [
            program,
            "-t1",
            f"-c{callers}",
            f"-d{max(1, round(seconds))}s",
            "--timeout",
            "30s",
            "-s",
            str(script),
            url,
        ]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in out or "Socket errors" in out:
        raise RuntimeError(f"{url}: {out}")
    return float(out.split("Requests/sec:")[1].split()[0])


def rounds(count: int, measures: Mapping[str, Callable[[], float]]) -> dict[str, list[float]]:
    """Measure each in turn, `count` times; the order is turned round every other time."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for number in range(count):
        names = list(measures)
        for name in names if number % 2 == 0 else reversed(names):
            found[name].append(measures[name]())
    return found


def ratio(found: Mapping[str, list[float]], above: str, below: str) -> float:
    """Median of the per-round ratios."""
    return statistics.median(a / b for a, b in zip(found[above], found[below], strict=True))


@contextmanager
def caller_apart(servers_core: int) -> Iterator[None]:
    """Keep this process, and what it starts without a core, off the servers' core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, before - {servers_core} or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


class Table:
    """Figures beside what they should be."""

    def __init__(self) -> None:
        self.short: list[str] = []

    def title(self, text: str) -> None:
        print(f"\n{text}", flush=True)

    def say(self, text: str) -> None:
        print(f"  {text}", flush=True)

    def at_least(self, what: str, value: float, target: float, note: str = "") -> None:
        self._row(what, value, f">= {target:g}", value >= target, note)

    def at_most(self, what: str, value: float, target: float, note: str = "") -> None:
        self._row(what, value, f"<= {target:g}", value <= target, note)

    def _row(self, what: str, value: float, target: str, good: bool, note: str) -> None:
        print(f"  {what:<58} {value:8.2f}   {target:<9} {'' if good else 'SHORT'} {note}", flush=True)
        if not good:
            self.short.append(what)


class Probe:
    """Calls one route over one connection, again and again, and keeps the times."""

    def __init__(self, side: Side, request: bytes) -> None:
        self._side = side
        self._request = request
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.milliseconds: list[float] = []

    @classmethod
    def get(cls, side: Side, path: str) -> "Probe":
        return cls(side, f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode())

    @classmethod
    def post(cls, side: Side, path: str, body: str) -> "Probe":
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return cls(side, (head + body).encode())

    def __enter__(self) -> "Probe":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def percentile(self, percent: float) -> float:
        return sorted(self.milliseconds)[min(len(self.milliseconds) - 1, int(len(self.milliseconds) * percent / 100))]

    def _run(self) -> None:
        with socket.create_connection(("127.0.0.1", self._side.port)) as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while not self._stop.is_set():
                started = time.perf_counter()
                sock.sendall(self._request)
                answer = b""
                while b"\r\n\r\n" not in answer:
                    answer += sock.recv(65536)
                head, _, rest = answer.partition(b"\r\n\r\n")
                size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
                while len(rest) < size:
                    rest += sock.recv(65536)
                self.milliseconds.append((time.perf_counter() - started) * 1000)
                self._stop.wait(0.002)


def stream_times(side: Side, path: str, body: str) -> tuple[float, list[float]]:
    """Milliseconds to a stream's first event, and for each event whose data is a `perf_counter`, its way here."""
    ways: list[float] = []
    with socket.create_connection(("127.0.0.1", side.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = (
            f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        started = time.perf_counter()
        first: float | None = None
        sock.sendall((head + body).encode())
        rest = b""
        while not rest.endswith(b"\r\n0\r\n\r\n"):
            rest = rest[-65536:] + sock.recv(65536)
            now = time.perf_counter()
            while (start := rest.find(b"data: ")) >= 0 and (end := rest.find(b"\n\n", start)) >= 0:
                if first is None:
                    first = (now - started) * 1000
                data = rest[start + 6 : end]
                rest = rest[end:]
                if data != b"[DONE]":
                    ways.append((now - float(data)) * 1000 if b"{" not in data else 0.0)
        assert first is not None
    return first, ways
