"""The benchmarks, as ratios against a peer in the same run: `tox -e bench`, or `python tests/bench/run.py predict`.

Both sides run under the same uvicorn settings, get the same payload, and are driven in turn; a figure
is the median of the ratios of the rounds. Absolute figures of a shared machine mean nothing.
"""

import os
import statistics
import subprocess
import sys
import time
from contextlib import ExitStack

from beside_bentoml import bentoml
from beside_cog import cog
from beside_live import live
from beside_trickle import trickle
from harness import KEEP_PAGES, Probe, Side, Table, ours, peer, ratio, rounds, stream_times, wrk

ROUNDS = 7
SECONDS = 2.0
MIB = 1024 * 1024


def predict(table: Table) -> None:
    """/predict with a three-field model."""
    table.title("/predict: ours over a bare Starlette handler, over FastAPI")
    with ExitStack() as stack:
        bare, fast = stack.enter_context(peer("bare")), stack.enter_context(peer("fastapi"))
        one, many, coro = (stack.enter_context(ours(name)) for name in ("SyncOne", "SyncMany", "AsyncMany"))
        cases = (
            ("sync", 1, one, 1.0, 1.5), ("sync", 16, many, 1.7, 1.5),
            ("async", 1, coro, 0.5, 1.0), ("async", 16, coro, 0.95, 2.0),
        )  # fmt: skip
        for kind, callers, side, over_bare, over_fast in cases:
            found = rounds(
                ROUNDS,
                {
                    "bare": lambda kind=kind, callers=callers: wrk(
                        bare.url(f"/{kind}"), callers=callers, seconds=SECONDS
                    ),
                    "ours": lambda side=side, callers=callers: wrk(
                        side.url("/predict"), callers=callers, seconds=SECONDS
                    ),
                    "fast": lambda kind=kind, callers=callers: wrk(
                        fast.url(f"/{kind}"), callers=callers, seconds=SECONDS
                    ),
                },
            )
            note = f"({statistics.median(found['ours']):,.0f}/s)"
            table.at_least(f"{kind}, {callers} callers, over bare", ratio(found, "ours", "bare"), over_bare, note)
            table.at_least(f"{kind}, {callers} callers, over FastAPI", ratio(found, "ours", "fast"), over_fast)


def events(table: Table) -> None:
    """SSE."""
    table.title("SSE, 1,000 small events a request: ours over a bare StreamingResponse")
    with ExitStack() as stack:
        bare, ticks = stack.enter_context(peer("bare")), stack.enter_context(ours("Ticks"))
        for kind, name, target in (("async", "AsyncEvents", 2.5), ("sync", "SyncEvents", 20.0)):
            side = stack.enter_context(ours(name))
            body = '{"n": 1000}'
            found = rounds(
                ROUNDS,
                {
                    "bare": lambda kind=kind, body=body: wrk(
                        bare.url(f"/events-{kind}"), callers=1, seconds=SECONDS, body=body
                    ),
                    "ours": lambda side=side, body=body: wrk(
                        side.url("/predict"), callers=1, seconds=SECONDS, body=body
                    ),
                },
            )
            table.at_least(f"{kind} generator", ratio(found, "ours", "bare"), target)
        both: dict[str, list[float]] = {"first": [], "way": []}
        for _ in range(ROUNDS):
            bare_first, bare_ways = stream_times(bare, "/ticks", '{"n": 100}')
            our_first, our_ways = stream_times(ticks, "/predict", '{"n": 100}')
            both["first"].append(our_first - bare_first)
            both["way"].append(statistics.median(our_ways) - statistics.median(bare_ways))
        table.at_most("ms to the first event, more than bare", statistics.median(both["first"]), 0.5)
        table.at_most("ms on the way of an event every 5 ms, more than bare", statistics.median(both["way"]), 0.5)


def health(table: Table) -> None:
    """`/health` while the model keeps its process busy."""
    table.title("/health in ms while the model is busy (a bare server's beside it)")
    with peer("bare") as bare, ours("Burner") as side:
        for how, what in (
            ("python", "burns the CPU in Python"),
            ("loop", "blocks its loop"),
            ("gil", "holds the GIL in C"),
        ):
            figures = []
            for target, path in ((side, "/predict"), (bare, "/burn")):
                with Probe.get(target, "/health") as probe:
                    for _ in range(3):
                        wait = Probe.post(target, path, f'{{"how": "{how}"}}')
                        with wait:
                            while not wait.milliseconds:
                                time.sleep(0.01)
                figures.append((probe.percentile(50), probe.percentile(99)))
            (p50, p99), (bare50, bare99) = figures
            note = f"(p50 {p50:.2f}; bare p50 {bare50:.1f}, p99 {bare99:.0f})"
            table.at_most(f"p99 while the model {what}", p99, 10, note)


def bodies(table: Table) -> None:
    """Large bodies."""
    table.title("Large bodies: ours over bare, both keeping freed pages")
    with ExitStack() as stack:
        bare = stack.enter_context(peer("bare", KEEP_PAGES))
        into, both = (stack.enter_context(ours(name, KEEP_PAGES)) for name in ("TextIn", "TextBoth"))
        for size, text in ((MIB, "1 MiB"), (16 * MIB, "16 MiB")):
            body = '{"data": "' + "x" * size + '"}'
            for side, path, what in ((into, "/text-in", "in"), (both, "/text-both", "in and out")):
                found = rounds(
                    5,
                    {
                        "bare": lambda path=path, body=body: wrk(bare.url(path), callers=1, seconds=SECONDS, body=body),
                        "ours": lambda side=side, body=body: wrk(
                            side.url("/predict"), callers=1, seconds=SECONDS, body=body
                        ),
                    },
                )
                table.at_least(f"{text} {what}", ratio(found, "ours", "bare"), 0.55)
        _beside(table, both, bare)


def _beside(table: Table, side: Side, bare: Side) -> None:
    body = '{"data": "' + "x" * (16 * MIB) + '"}'
    p99: dict[Side, tuple[float, float]] = {}
    for target, path in ((side, "/predict"), (bare, "/text-both")):
        with Probe.get(target, "/health") as looks, Probe.post(target, path, '{"data": "small"}') as calls:
            wrk(target.url(path), callers=1, seconds=5, body=body)
        p99[target] = looks.percentile(99), calls.percentile(99)
    table.at_most("p99 of /health in ms beside 16 MiB bodies", p99[side][0], 10, f"(bare {p99[bare][0]:.0f})")
    table.at_most("p99 of small calls in ms beside 16 MiB bodies", p99[side][1], 10, f"(bare {p99[bare][1]:.0f})")


def footprint(table: Table) -> None:
    """Import time and memory."""
    table.title("Footprint")
    # `import pydantic` alone imports nothing yet; a model class takes the whole of it.
    peers = "import starlette.applications, uvicorn, httpx2; from pydantic import BaseModel"
    found = rounds(
        11,
        {
            "ours": lambda: _seconds("from livepeer.server import Server, make_registrar, run"),
            "theirs": lambda: _seconds(peers),
        },
    )
    note = f"({statistics.median(found['ours']) * 1000:.0f} ms)"
    table.at_most("import livepeer.server over its dependencies", ratio(found, "ours", "theirs"), 1.2, note)
    with peer("bare") as bare, ours("SyncOne") as side:
        for target, path in ((bare, "/sync"), (side, "/predict")):
            wrk(target.url(path), callers=1, seconds=1)
        mine, theirs = side.memory_mb(), bare.memory_mb()
        note = f"({mine:.0f} MB, bare {theirs:.0f} MB)"
        table.at_most("memory of edge, guardian and idle host over bare", mine / theirs, 2.0, note)


def _seconds(code: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def main() -> None:
    every = (predict, events, health, bodies, footprint, cog, bentoml, trickle, live)
    sections = {section.__name__: section for section in every}
    asked = sys.argv[1:] or list(sections)
    table = Table()
    print(f"{ROUNDS} rounds in turn, medians of the rounds' ratios; wrk with one thread; {os.cpu_count()} cores")
    for name in asked:
        sections[name](table)
    print(f"\nshort of their target: {', '.join(table.short) or 'none'}")


if __name__ == "__main__":
    main()
