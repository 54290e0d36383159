"""Callers that leave, stall, read late or say nothing: nobody else notices, and nothing of them stays."""

import resource
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from edge_harness import eventually

from livepeer.client import LivepeerError

from .callers import connected, leave_in_body, leave_in_stream, leave_while_working, read_late, stall_in_body
from .measures import Holdings, find_leaks, measure
from .places import Door, Place, opened
from .summary import Row
from .ways import WAYS, Way

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(120)]

Leave = Callable[[Door, int, Path], Awaitable[None]]
Report = Callable[[Row], None]

AT_ONCE = 8
HEAL_SECONDS = 5
"""How soon BYOC's leaked slots must be back: the edge registers each second."""

IDLE_CONNECTIONS = 2000
MUCH_BYTES = 8_000_000
"""More than the buffers of two sockets hold."""

PLACES = pytest.mark.parametrize("way", [None, *WAYS], ids=lambda way: str(way or "edge"))


@dataclass
class Beside:
    """Well-behaved callers, one call at a time, beside the others."""

    place: Place
    input: dict[str, Any]
    calls: int = 0
    ok: int = 0
    wrong: list[Any] = field(default_factory=list[Any])
    failures: Counter[str] = field(default_factory=Counter[str])

    async def call(self) -> None:
        """Make one call."""
        asked = {**self.input, "id": f"beside-{self.calls}"}
        try:
            answer = await self.place.ask(asked)
        except (LivepeerError, httpx2.HTTPError) as error:
            self.failures[f"{type(error).__name__}/{getattr(error, 'code', '')}"] += 1
        else:
            self._judge(asked, answer)
        self.calls += 1

    async def keep_calling(self) -> None:
        """Call until cancelled."""
        while True:
            await self.call()

    async def look(self) -> Holdings:
        """Measure once a probe, which tells how many tasks the host has, was all that ran."""
        await self.place.edge.until_idle()
        answer = await self.place.ask({**self.input, "id": "probe"})
        tasks = (answer[0] if isinstance(answer, list) else answer)["tasks"]
        await eventually(lambda: self.place.slots_taken() <= 0, "the network has its slots back", HEAL_SECONDS)
        return await measure(self.place.edge, **{"host tasks": tasks})

    def row(self, scenario: str, way: Way | None, leaks: list[str]) -> Row:
        """What came of it."""
        return Row(
            scenario=scenario,
            network=str(way or "edge"),
            calls=self.calls,
            ok=self.ok,
            ok_at_once=self.ok,
            wrong=len(self.wrong),
            leaks=leaks,
            failures=self.failures,
        )

    def _judge(self, asked: dict[str, Any], answer: Any) -> None:
        items = answer if isinstance(answer, list) else [answer]
        if [item["id"] for item in items] == [asked["id"]] * asked.get("count", 1):
            self.ok += 1
        else:
            self.wrong.append(answer)


@PLACES
async def test_callers_who_leave_a_call_leave_nothing_behind(way: Way | None, records: Path, report: Report) -> None:
    async with opened(way, "Answering") as place:
        beside = Beside(place, {})
        count = 300 if way else 1000
        leaks = await storm(beside, count, records, leave_in_body, leave_while_working)
    finish(beside.row(f"{count} leave a call", way, leaks), report)


@PLACES
async def test_callers_who_leave_a_stream_leave_nothing_behind(way: Way | None, records: Path, report: Report) -> None:
    async with opened(way, "Telling") as place:
        beside = Beside(place, {"count": 3})
        count = 300 if way else 1000
        leaks = await storm(beside, count, records, leave_in_stream)
    finish(beside.row(f"{count} leave a stream", way, leaks), report)


@PLACES
async def test_slow_readers_of_a_large_answer_get_it_whole(way: Way | None, report: Report) -> None:
    async with opened(way, "Answering") as place:
        beside = Beside(place, {})
        answers, leaks = await read_slowly(beside, {"size": MUCH_BYTES}, b'"tasks":')
    assert [answer.count(b"x") >= MUCH_BYTES for answer in answers] == [True] * AT_ONCE
    finish(beside.row(f"{AT_ONCE} slow readers of an answer", way, leaks), report)


@PLACES
async def test_slow_readers_of_a_long_stream_get_it_whole(way: Way | None, report: Report) -> None:
    items = 2000
    async with opened(way, "Telling") as place:
        beside = Beside(place, {"count": 3})
        much = {"count": items, "size": MUCH_BYTES // items}
        answers, leaks = await read_slowly(beside, much, b"data: [DONE]")
    assert [answer.count(b'"number":') for answer in answers] == [items] * AT_ONCE
    finish(beside.row(f"{AT_ONCE} slow readers of a stream", way, leaks), report)


async def test_half_sent_bodies_are_given_up_in_time(report: Report) -> None:
    answers: Counter[bytes] = Counter()

    async def stall() -> None:
        status_line = await stall_in_body(place.door)
        answers[status_line.split()[1]] += 1

    async with opened(None, "Answering", LIVEPEER_BODY_TIMEOUT_SECONDS="1") as place:
        beside = Beside(place, {})
        before = await beside.look()
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                for _ in range(200):
                    tasks.start_soon(stall)
                for _ in range(50):
                    await beside.call()
        leaks = await find_leaks(beside.look, before)
    assert answers == {b"504": 200}
    finish(beside.row("200 half-sent bodies", None, leaks), report)


async def test_thousands_of_idle_connections_are_no_hindrance(report: Report) -> None:
    with many_sockets():
        async with opened(None, "Answering") as place:
            beside = Beside(place, {})
            await hold_connections(beside)
            before = await beside.look()
            await hold_connections(beside)
            leaks = await find_leaks(beside.look, before)
    finish(beside.row(f"{IDLE_CONNECTIONS} idle connections", None, leaks), report)


async def storm(beside: Beside, count: int, records: Path, *kinds: Leave) -> list[str]:
    """Let callers come and leave, and as many again once these have warmed all up; what the second half left."""
    door = beside.place.door
    await let_leave(door, range(count), records, kinds)
    before = await beside.look()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(beside.keep_calling)
        await let_leave(door, range(count, 2 * count), records, kinds)
        tasks.cancel_scope.cancel()
    return await find_leaks(beside.look, before)


async def let_leave(door: Door, numbers: range, records: Path, kinds: tuple[Leave, ...]) -> None:
    """Send callers in, some at once, each kind in turn."""
    waiting = iter(numbers)

    async def send_in() -> None:
        for number in waiting:
            await kinds[number % len(kinds)](door, number, records)

    async with anyio.create_task_group() as tasks:
        for _ in range(AT_ONCE):
            tasks.start_soon(send_in)


async def read_slowly(beside: Beside, much: dict[str, Any], end: bytes) -> tuple[list[bytes], list[str]]:
    """Let some ask for much and read nothing until others have been served; what they got, and what was left."""
    answers: list[bytes] = []
    go = anyio.Event()

    async def read_one(number: int) -> None:
        answers.append(await read_late(beside.place.door, {"id": f"slow-{number}", **much}, go, end))

    before = await beside.look()
    async with anyio.create_task_group() as tasks:
        for number in range(AT_ONCE):
            tasks.start_soon(read_one, number)
        for _ in range(50):
            await beside.call()
        go.set()
    return answers, await find_leaks(beside.look, before)


async def hold_connections(beside: Beside) -> None:
    """Open connections that say nothing, or half a head, and make calls beside them."""
    door = beside.place.door
    async with AsyncExitStack() as stack:
        for number in range(IDLE_CONNECTIONS):
            stream = await stack.enter_async_context(connected(door))
            if number % 2:
                await stream.send(door.head(10)[:20])
        sockets = beside.place.edge.family[0].net_connections
        await eventually(lambda: len(sockets()) > IDLE_CONNECTIONS, "the edge has taken all connections")
        for _ in range(100):
            await beside.call()


@contextmanager
def many_sockets() -> Iterator[None]:
    """Room for some thousand sockets, here and in what is started within."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * IDLE_CONNECTIONS), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def finish(row: Row, report: Report) -> None:
    """Put a scenario into the table, and judge it."""
    report(row)
    assert (row.ok, row.wrong, dict(row.failures), list(row.leaks)) == (row.calls, 0, {}, [])
    assert row.calls >= 10
