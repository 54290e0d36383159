"""Cog's own server and ours over the same unmodified model, pinned to one core; their caller has another."""

import http.client
import json
import os
import socket
import statistics
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness import HERE, Side, Table, caller_apart, free_port, ratio, rounds, started

MODEL = HERE / "cog_model"
ROUNDS = 7
CALLS = 1_000
STARTS = 7
SERVERS_CORE = 0
NATIVE = '{"s":"world"}'
COGS = '{"input":{"s":"world"}}'
SEGFAULT = '{"input":{"s":"segfault"}}'


@dataclass(frozen=True)
class Rate:
    """What a burst of sequential calls came to."""

    per_second: float
    """Predictions that succeeded."""

    refused: float
    """The share of the calls that did not."""

    p50_ms: float
    """Of those that succeeded."""


def cog(table: Table) -> None:
    """An unmodified Cog model, by Cog and by us."""
    table.title("Cog: ours over Cog's own server, `hello + s`, one sequential caller")
    with caller_apart(SERVERS_CORE), ExitStack() as stack:
        theirs, ours = (
            stack.enter_context(running(cogs_server, "READY")),
            stack.enter_context(running(our_server, "IDLE")),
        )
        kinds = {
            "cog": (theirs, "/predictions", COGS),
            "predict": (ours, "/predict", NATIVE),
            "predictions": (ours, "/predictions", COGS),
        }
        for side, path, body in kinds.values():
            sequential(side, path, body, 200)
        found: dict[str, list[Rate]] = {name: [] for name in kinds}
        for number in range(ROUNDS):
            for name in list(kinds) if number % 2 == 0 else reversed(list(kinds)):
                found[name].append(sequential(*kinds[name], CALLS))
        _compare(table, found)
        mine, peers = ours.memory_mb(), theirs.memory_mb()
        note = f"({mine:.0f} MB, Cog {peers:.0f} MB)"
        table.at_most("MB of edge, guardian and host over Cog's two processes", mine - peers, 20, note)
        table.title("Cog: after a segfault in predict")
        table.at_least("ours: calls that succeed, of 20", float(_after_segfault(ours)), 20)
        table.at_most("Cog: calls that succeed, of 20", float(_after_segfault(theirs)), 0)
    table.title("Cog: from the start of the program to readiness, on all cores and on one")
    for pinned, where in ((False, "all cores"), (True, "one core")):
        starts = rounds(
            STARTS,
            {
                "cog": lambda pinned=pinned: _seconds(cogs_server, "READY", pinned=pinned),
                "ours": lambda pinned=pinned: _seconds(our_server, "IDLE", pinned=pinned),
            },
        )
        later = statistics.median(a - b for a, b in zip(starts["ours"], starts["cog"], strict=True))
        note = f"(ours {statistics.median(starts['ours']):.2f} s, Cog {statistics.median(starts['cog']):.2f} s)"
        table.at_most(f"{where}: seconds that ours takes longer", later, 0.3, note)


def _compare(table: Table, found: dict[str, list[Rate]]) -> None:
    per_second = {name: [rate.per_second for rate in rates] for name, rates in found.items()}
    p50 = {name: [rate.p50_ms for rate in rates] for name, rates in found.items()}
    median = statistics.median
    refused = median(rate.refused for rate in found["cog"])
    peer_rate, peer_p50 = (
        f"Cog {median(per_second['cog']):,.0f}/s, {refused:.1%} refused",
        f"Cog {median(p50['cog']):.2f}",
    )
    for name in ("predict", "predictions"):
        if any(rate.refused for rate in found[name]):
            raise RuntimeError(f"/{name} refused a sequential caller")
        note = f"({median(per_second[name]):,.0f}/s; {peer_rate})"
        table.at_least(f"/{name}: successful predictions a second", ratio(per_second, name, "cog"), 2.0, note)
        note = f"({median(p50[name]):.2f} ms; {peer_p50} ms)"
        table.at_most(f"/{name}: p50", ratio(p50, name, "cog"), 0.6, note)


def our_server(port: int) -> tuple[list[str], dict[str, str]]:
    """Command and environment of ours."""
    return [sys.executable, "-m", "livepeer.server", str(MODEL), "--host", "127.0.0.1", "--port", str(port)], {}


def cogs_server(port: int) -> tuple[list[str], dict[str, str]]:
    """Command and environment of Cog's, which starts its worker with whatever `python` is on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {
        "PATH": path,
        "PORT": str(port),
        "COG_PREDICT_TYPE_STUB": "predict.py:Predictor",
        "COG_LOG_LEVEL": "warn",
    }
    return [sys.executable, "-m", "cog.server.http", "--host", "127.0.0.1"], settings


def running(
    server: Callable[[int], tuple[list[str], dict[str, str]]], ready: str, *, pinned: bool = True
) -> AbstractContextManager[Side]:
    """Run a server until the block ends; on its core alone if it is pinned."""
    port = free_port()
    command, settings = server(port)
    return started(
        command,
        port,
        settings,
        ready=lambda body: json.loads(body)["status"] == ready,
        path="/health-check" if ready == "READY" else "/health",
        folder=MODEL,
        core=SERVERS_CORE if pinned else None,
    )


def _seconds(server: Callable[[int], tuple[list[str], dict[str, str]]], ready: str, *, pinned: bool) -> float:
    started = time.perf_counter()
    with running(server, ready, pinned=pinned):
        return time.perf_counter() - started


def sequential(side: Side, path: str, body: str, calls: int) -> Rate:
    """Call again and again over one connection, each call after the last one's answer."""
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    request = (head + body).encode()
    times: list[float] = []
    with socket.create_connection(("127.0.0.1", side.port)) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        started = time.perf_counter()
        for _ in range(calls):
            asked = time.perf_counter()
            sock.sendall(request)
            if _answer(sock):
                times.append((time.perf_counter() - asked) * 1000)
        seconds = time.perf_counter() - started
    return Rate(per_second=len(times) / seconds, refused=1 - len(times) / calls, p50_ms=statistics.median(times))


def _answer(sock: socket.socket) -> bool:
    """Read one answer to its end; whether it is a prediction that succeeded."""
    found = b""
    while b"\r\n\r\n" not in found:
        found += _receive(sock)
    head, _, body = found.partition(b"\r\n\r\n")
    size = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < size:
        body += _receive(sock)
    return head.startswith(b"HTTP/1.1 200") and b"hello world" in body


def _receive(sock: socket.socket) -> bytes:
    data = sock.recv(65536)
    if not data:
        raise ConnectionError("the server closed the connection")
    return data


def _after_segfault(side: Side) -> int:
    """Let a prediction end its process, wait, and count how many of the next twenty succeed."""
    _post(side, SEGFAULT)
    end = time.monotonic() + 5
    while time.monotonic() < end and not _post(side, COGS):
        time.sleep(0.1)
    return sum(_post(side, COGS) for _ in range(20))


def _post(side: Side, body: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", side.port, timeout=10)
    try:
        connection.request("POST", "/predictions", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status == 200 and b"hello world" in answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
