"""A thousand calls while all that they pass is restarted, again and again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest

from livepeer.client import Gateway, LivepeerError

from .chaos import BACK_SECONDS, EDGE_SIGNALS, Chaos
from .edge import Edge, serving
from .ledger import Ledger
from .measures import Holdings, find_leaks, measure
from .summary import Row
from .ways import WAYS, Way

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

CALLS = 1000
CALLERS = 4
CALL_SECONDS = 5
HANG_SECONDS = 15
"""A call has its 5 s and its grace; a caller that is still not told anything by then hangs."""

ATTEMPTS = 60
LONGEST_PAUSE_SECONDS = 0.4


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_every_call_gets_its_own_answer_once_whatever_is_restarted(
    way: Way, records: Path, report: Callable[[Row], None]
) -> None:
    async with (
        way.network_of_its_own() as net,
        serving("Recording", **way.settings(net)) as edge,
        way.caller(net) as caller,
    ):
        ledger, chaos, leaks = Ledger(records), Chaos(net, edge, way), list[str]()
        try:
            await chaos.until_back()
            before = await warmed_up(caller, edge)
            await call_all(caller, ledger, chaos)
            await edge.until_idle()
            leaks = await find_leaks(lambda: measure(edge), before)
        finally:
            report(row(way, ledger, chaos, leaks))
    check(ledger, chaos)
    assert not leaks


async def warmed_up(caller: Gateway, edge: Edge) -> Holdings:
    """What is held after some first calls, which count for nothing."""
    async with anyio.create_task_group() as tasks:
        for number in range(CALLERS):
            tasks.start_soon(caller.run_async, "recording", {"call": -number, "attempt": -1, "text": ""})
    await edge.until_idle()
    return await measure(edge)


async def call_all(caller: Gateway, ledger: Ledger, chaos: Chaos) -> None:
    """Make all calls while everything is restarted."""
    numbers = iter(range(CALLS))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(chaos.run, ledger, CALLS)
        for _ in range(CALLERS):
            tasks.start_soon(keep_calling, caller, ledger, numbers)


async def keep_calling(caller: Gateway, ledger: Ledger, numbers: Iterator[int]) -> None:
    """Make one call after another until the numbers are used up."""
    for number in numbers:
        await call(caller, ledger, number)


async def call(caller: Gateway, ledger: Ledger, number: int) -> None:
    """Make one call, and again as long as its failures say that this can help."""
    for attempt in range(ATTEMPTS):
        asked = ledger.ask(number, attempt)
        try:
            with anyio.fail_after(HANG_SECONDS):
                answer = await caller.run_async("recording", asked, timeout_seconds=CALL_SECONDS)
        except LivepeerError as error:
            ledger.fail(error)
            if not error.retryable:
                ledger.lose(number, f"while {ledger.down} was down: {error!r} {error.status} {error.code}")
                return
        else:
            ledger.take(asked, answer)
            return
        await anyio.sleep(min(0.02 * 2**attempt, LONGEST_PAUSE_SECONDS))
    ledger.lose(number, f"no answer in {ATTEMPTS} attempts")


def check(ledger: Ledger, chaos: Chaos) -> None:
    assert not ledger.wrong
    assert not ledger.answered_twice
    assert not ledger.run_twice
    assert not ledger.lost
    assert ledger.ok == CALLS
    assert ledger.ok_at_once > CALLS * 0.8
    assert not ledger.final_during["host"]
    assert {name: len(each) for name, each in chaos.seconds.items()} == dict.fromkeys(chaos.seconds, len(EDGE_SIGNALS))
    assert max(map(max, chaos.seconds.values())) < BACK_SECONDS


def row(way: Way, ledger: Ledger, chaos: Chaos, leaks: list[str]) -> Row:
    seconds = [each for many in chaos.seconds.values() for each in many]
    return Row(
        scenario="restarts of everything",
        network=str(way),
        calls=ledger.calls,
        ok=ledger.ok,
        ok_at_once=ledger.ok_at_once,
        wrong=len(ledger.wrong),
        twice=len(ledger.answered_twice) + len(ledger.run_twice),
        restarts=len(seconds),
        slowest_seconds=max(seconds, default=None),
        leaks=leaks,
        failures=ledger.failures,
    )
