"""Our trickle clients and those of livepeer-gateway and pytrickle, in turn against one server.

The server is ours, with a tally, and has a core to itself: on one core with its client, or on another, as the system
pleases, the same client is up to twice as fast or as slow. `LIVEPEER_TRICKLE_REFERENCE` may name the base URL of
go-livepeer's, which is then used as well, where no tally is needed.
"""

import json
import os
import statistics
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from harness import HERE, Table, caller_apart, free_port, ratio, rounds, started

ROUNDS = 5
SEGMENTS = 2000
PACED_SEGMENTS = 300
MESSAGES = 10_000
LONG_RUN = 10_000
KIB = 1024
PEERS = ("gateway", "pytrickle")
SERVERS_CORE = 0


def trickle(table: Table) -> None:
    """The trickle clients."""
    with caller_apart(SERVERS_CORE), _server() as url:
        _throughput(table, url)
        _closing(table, url)
        for name, base in _servers(url).items():
            _latency(table, name, base)
            _lines(table, name, base)
        _memory(table, url)


@contextmanager
def _server() -> Iterator[str]:
    port = free_port()
    command = [sys.executable, str(HERE / "trickle_server.py"), str(port)]
    with started(command, port, {}, ready=lambda _: True, path="/_tally/none", core=SERVERS_CORE):
        yield f"http://127.0.0.1:{port}"


def _servers(ours: str) -> dict[str, str]:
    reference = os.environ.get("LIVEPEER_TRICKLE_REFERENCE")
    return {"our server": ours} | ({"go-livepeer's server": reference.rstrip("/")} if reference else {})


def run(client: str, task: str, url: str, *arguments: object) -> dict[str, Any]:
    """Run a client at a task, in a process of its own.

    Raises:
        RuntimeError: It failed.
    """
    command = [sys.executable, str(HERE / "trickle_clients.py"), client, task, url, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    if done.returncode:
        raise RuntimeError(f"{client} failed at {task}:\n{done.stderr}")
    return json.loads(done.stdout)


def _tally(base: str, channel: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{base}/_tally/{channel}", timeout=5) as answer:
        return json.loads(answer.read())


def _throughput(table: Table, base: str) -> None:
    for size, count, what in ((KIB, SEGMENTS, "1 KiB"), (64 * KIB, SEGMENTS, "64 KiB"), (KIB * KIB, 200, "1 MiB")):
        table.title(f"Publishers, {count} segments of {what} as fast as they go, our server: ours over theirs")
        whole: dict[str, list[int]] = {}

        def measure(client: str, size: int = size, count: int = count, whole: Any = whole) -> float:
            channel = uuid4().hex
            run(client, "throughput", f"{base}/{channel}", count, size, f"{base}/_tally/{channel}")
            found = _tally(base, channel)
            whole.setdefault(client, []).append(found["bytes"].count(size))
            return count / found["seconds"]

        names = ("ours", "blocking", *PEERS)
        found = rounds(ROUNDS, {name: lambda name=name: measure(name) for name in names})
        targets = {"gateway": 1.5, "pytrickle": 2.2} if size == KIB else dict.fromkeys(PEERS, 1.0)
        for mine in ("ours", "blocking"):
            for peer, target in targets.items():
                note = f"({statistics.median(found[mine]):,.0f}/s, {statistics.median(found[peer]):,.0f}/s)"
                table.at_least(f"{mine}, over {peer}", ratio(found, mine, peer), target, note)
        for name in names:
            _whole(table, f"{name}: whole at the server, of {count}", min(whole[name]), count, name)


def _closing(table: Table, base: str) -> None:
    table.title("Publishers: a last segment of 256 KiB and a close at once, our server")
    for name in ("ours", "blocking", *PEERS):
        whole = 0
        for _ in range(10):
            channel = uuid4().hex
            run(name, "last", f"{base}/{channel}", 256 * KIB)
            whole += _tally(base, channel)["bytes"].count(256 * KIB)
        _whole(table, f"{name}: whole, of 10", whole, 10, name)


def _whole(table: Table, what: str, found: int, of: int, name: str) -> None:
    if name in PEERS:
        table.say(f"{what}: {found}")
    else:
        table.at_least(what, found, of)


def _latency(table: Table, name: str, base: str) -> None:
    for size, what in ((KIB, "1 KiB"), (64 * KIB, "64 KiB")):
        table.title(f"First byte written to first byte read, 100 segments of {what} a second, {name}: ours over theirs")
        found: dict[str, list[float]] = {"ours": [], **{peer: [] for peer in PEERS}}
        tails: dict[str, list[float]] = {client: [] for client in found}
        for _ in range(ROUNDS):
            for client in found:
                times = run(client, "latency", f"{base}/{uuid4().hex}", PACED_SEGMENTS, size, 0.01)["milliseconds"]
                found[client].append(statistics.median(times))
                tails[client].append(_percentile(times, 99))
        for peer in PEERS:
            table.at_most(f"p50 over {peer}", ratio(found, "ours", peer), 0.5, _note(found, peer))
            table.at_most(f"p99 over {peer}", ratio(tails, "ours", peer), 1.0, _note(tails, peer))


def _note(found: Mapping[str, Sequence[float]], peer: str) -> str:
    return f"({statistics.median(found['ours']):.2f} ms, {statistics.median(found[peer]):.2f} ms)"


def _percentile(times: Sequence[float], percent: int) -> float:
    return sorted(times)[min(len(times) - 1, len(times) * percent // 100)]


def _lines(table: Table, name: str, base: str) -> None:
    table.title(f"JSONL, {MESSAGES:,} messages from a writer to a reader in one process, {name}: ours over theirs")
    received: dict[str, list[int]] = {}

    def measure(client: str) -> float:
        found = run(client, "jsonl", f"{base}/{uuid4().hex}", MESSAGES)
        received.setdefault(client, []).append(found["received"])
        return MESSAGES / found["seconds"]

    found = rounds(ROUNDS, {client: lambda client=client: measure(client) for client in ("ours", "gateway")})
    note = f"({statistics.median(found['ours']):,.0f}/s, {statistics.median(found['gateway']):,.0f}/s)"
    table.at_least("messages a second over gateway", ratio(found, "ours", "gateway"), 8.0, note)
    table.at_least(f"received, of {MESSAGES:,}", min(received["ours"]), MESSAGES)


def _memory(table: Table, base: str) -> None:
    table.title(f"Memory of a publisher and a subscriber over {LONG_RUN:,} segments of 1 KiB, our server")
    for name in ("ours", "blocking"):
        early, late = run(name, "memory", f"{base}/{uuid4().hex}", LONG_RUN, KIB)["megabytes"]
        table.at_most(
            f"{name}: the end over a tenth of the way", late / early, 1.02, f"({early:.1f} MB, {late:.1f} MB)"
        )
