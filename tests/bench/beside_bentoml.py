"""`bentoml serve` with one worker and ours over the same unmodified services, driven in turn."""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from harness import HERE, Side, Table, caller_apart, free_port, ratio, rounds, started, wrk

SERVICES = HERE / "bento_service"
ROUNDS = 7
BATCH_ROUNDS = 6
SECONDS = 2.0
BATCH_SECONDS = 8.0
BATCH_CALLERS = 32
SERVERS_CORE = 0
BODY = '{"first":1,"second":2,"text":"a castle by the sea"}'
NUMBERS = '{"numbers":[1.5]}'

Program = Callable[[str, int], list[str]]


def bentoml(table: Table) -> None:
    """An unmodified BentoML service, by BentoML and by us."""
    for service, core, where in (
        ("Trivial", None, "all cores"),
        ("Trivial", SERVERS_CORE, "the servers on one core"),
        ("Quiet", None, "all cores, without BentoML's metrics and access log"),
    ):
        table.title(f"BentoML: ours over `bentoml serve`, a trivial api, {where}")
        with ExitStack() as stack:
            if core is not None:
                stack.enter_context(caller_apart(core))
            theirs, ours = (
                stack.enter_context(running(program, service, core=core)) for program in (their_program, our_program)
            )
            for api, callers in (("add", 1), ("add", 16), ("add_sync", 1)):
                _compare(table, theirs, ours, api, callers)
            mine, peers = ours.memory_mb(), theirs.memory_mb()
            note = f"({mine:.0f} MB, BentoML {peers:.0f} MB)"
            table.at_most("memory over BentoML's two processes", mine / peers, 1.0, note)
    table.title(f"BentoML: a batchable api under {BATCH_CALLERS} callers, all runs together")
    runs = {"theirs": their_program, "ours": our_program}
    found = {name: [_batching(program) for _ in range(BATCH_ROUNDS)] for name, program in runs.items()}
    mean = {name: statistics.mean(size for run in side for size in run.sizes) for name, side in found.items()}
    each = {name: ", ".join(f"{statistics.mean(run.sizes):.0f}" for run in side) for name, side in found.items()}
    note = f"(ours {mean['ours']:.1f}, of {each['ours']}; BentoML {mean['theirs']:.1f}, of {each['theirs']})"
    table.at_most("mean batch size: how far from BentoML's", abs(mean["ours"] / mean["theirs"] - 1), 0.1, note)
    rate = {name: statistics.median(run.per_second for run in side) for name, side in found.items()}
    note = f"({rate['ours']:,.0f}/s, BentoML {rate['theirs']:,.0f}/s)"
    table.at_least("requests a second", rate["ours"] / rate["theirs"], 1.0, note)


@dataclass(frozen=True)
class Batches:
    """What one run with a batchable api came to."""

    sizes: list[int]
    per_second: float


def _compare(table: Table, theirs: Side, ours: Side, api: str, callers: int) -> None:
    sides = {"theirs": (theirs, f"/{api}"), "native": (ours, f"/{api}")}
    if api == "add":
        sides["predict"] = ours, "/predict"
    for side, path in sides.values():
        wrk(side.url(path), callers=callers, seconds=1, body=BODY)
    found = rounds(
        ROUNDS,
        {
            name: lambda side=side, path=path: wrk(side.url(path), callers=callers, seconds=SECONDS, body=BODY)
            for name, (side, path) in sides.items()
        },
    )
    for name in sides:
        if name != "theirs":
            rates = f"({statistics.median(found[name]):,.0f}/s, BentoML {statistics.median(found['theirs']):,.0f}/s)"
            what = f"/{api if name == 'native' else name}, {callers} callers"
            table.at_least(what, ratio(found, name, "theirs"), 2.0, rates)


def _batching(program: Program) -> Batches:
    """The sizes of the batches that the model met, as it tells when it is shut down."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = Path(folder) / "sizes"
        with running(program, "Batching", BATCH_SIZES=str(sizes)) as side:
            per_second = wrk(side.url("/square"), callers=BATCH_CALLERS, seconds=BATCH_SECONDS, body=NUMBERS)
        return Batches(sizes=json.loads(sizes.read_text()), per_second=per_second)


def running(
    program: Program, service: str, *, core: int | None = None, **settings: str
) -> AbstractContextManager[Side]:
    """Run a server until the block ends."""
    port = free_port()
    theirs = program is their_program
    return started(
        program(service, port),
        port,
        {"BENTOML_DO_NOT_TRACK": "True", **settings},
        ready=lambda body: theirs or json.loads(body)["status"] == "IDLE",
        path="/readyz" if theirs else "/health",
        folder=SERVICES,
        core=core,
    )


def our_program(service: str, port: int) -> list[str]:
    """Ours, with the only async api at `/predict` too."""
    chosen = "" if service == "Batching" else ".add"
    target = f"{SERVICES / 'service.py'}:{service}{chosen}"
    return [sys.executable, "-m", "livepeer.server", target, "--host", "127.0.0.1", "--port", str(port)]


def their_program(service: str, port: int) -> list[str]:
    """BentoML's."""
    return [sys.executable, "-m", "bentoml", "serve", f"service:{service}", "--host", "127.0.0.1", "--port", str(port)]
