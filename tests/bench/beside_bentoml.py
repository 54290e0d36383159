"""`bentoml serve` with one worker and ours over the same unmodified services, driven in turn."""

import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from harness import HERE, Side, Table, caller_apart, free_port, ratio, rounds, started, wrk

SERVICES = HERE / "bento_service"
ROUNDS = 7
BATCH_ROUNDS = 3
SECONDS = 2.0
BATCH_SECONDS = 4.0
BATCH_CALLERS = 32
SERVERS_CORE = 0
BODY = '{"first":1,"second":2,"text":"a castle by the sea"}'
NUMBERS = '{"numbers":[1.5]}'

Program = Callable[[str, int], list[str]]


def bentoml(table: Table) -> None:
    """An unmodified BentoML service, by BentoML and by us."""
    for core, where in ((None, "all cores"), (SERVERS_CORE, "the servers on one core")):
        table.title(f"BentoML: ours over `bentoml serve`, a trivial api, {where}")
        with ExitStack() as stack:
            if core is not None:
                stack.enter_context(caller_apart(core))
            theirs, ours = (
                stack.enter_context(running(program, "Trivial", core=core)) for program in (their_program, our_program)
            )
            for api, callers in (("add", 1), ("add", 16), ("add_sync", 1)):
                _compare(table, theirs, ours, api, callers)
            mine, peers = ours.memory_mb(), theirs.memory_mb()
            note = f"({mine:.0f} MB, BentoML {peers:.0f} MB)"
            table.at_most("memory over BentoML's two processes", mine / peers, 1.0, note)
    table.title(f"BentoML: a batchable api under {BATCH_CALLERS} callers")
    found = rounds(BATCH_ROUNDS, {"theirs": lambda: _mean_size(their_program), "ours": lambda: _mean_size(our_program)})
    mean = {name: statistics.median(sizes) for name, sizes in found.items()}
    note = f"(ours {mean['ours']:.1f}, BentoML {mean['theirs']:.1f})"
    table.at_most("mean batch size: how far from BentoML's", abs(ratio(found, "ours", "theirs") - 1), 0.1, note)


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


def _mean_size(program: Program) -> float:
    """The mean size of the batches that the model met, as it tells when it is shut down."""
    with tempfile.TemporaryDirectory() as folder:
        sizes = Path(folder) / "sizes"
        with running(program, "Batching", BATCH_SIZES=str(sizes)) as side:
            wrk(side.url("/square"), callers=BATCH_CALLERS, seconds=BATCH_SECONDS, body=NUMBERS)
        return statistics.mean(json.loads(sizes.read_text()))


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
    chosen = ".add" if service == "Trivial" else ""
    target = f"{SERVICES / 'service.py'}:{service}{chosen}"
    return [sys.executable, "-m", "livepeer.server", target, "--host", "127.0.0.1", "--port", str(port)]


def their_program(service: str, port: int) -> list[str]:
    """BentoML's."""
    return [sys.executable, "-m", "bentoml", "serve", f"service:{service}", "--host", "127.0.0.1", "--port", str(port)]
