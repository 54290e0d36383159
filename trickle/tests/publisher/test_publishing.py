"""What a publisher puts on the wire, and what it makes of good answers."""

from math import inf

import httpx2
import pytest
from anyio import fail_after
from anyio.to_thread import run_sync
from posting_server import Exchange, posting_server, take
from trickle_servers import RunningServer, running_server

from livepeer.trickle._outcomes import Acknowledged, Outcome

from .conftest import Make


@pytest.fixture(scope="module")
def server():
    with running_server() as running:
        yield running


async def read(url: str, seq: int) -> bytes:
    async with httpx2.AsyncClient() as http:
        return (await http.get(f"{url}/{seq}", timeout=5)).content


async def test_segments_arrive_whole_and_in_order(make: Make, server: RunningServer, flavour: str):
    url = f"{server.base_url}/order-{flavour}"
    outcomes: list[Outcome] = []
    async with make(url, on_outcome=outcomes.append) as publisher:
        for number in range(200):
            segment = await publisher.publish(b"%d " % number * 300)
        assert await segment.outcome() == Acknowledged(seq=199, bytes=4 * 300)
        for seq in range(196, 200):
            assert await read(url, seq) == b"%d " % seq * 300
    assert sorted(outcome.seq for outcome in outcomes) == list(range(200))
    assert publisher.stats.acknowledged == publisher.stats.segments == 200
    assert publisher.stats.bytes == sum(outcome.bytes for outcome in outcomes)


async def test_a_segment_is_sent_while_it_is_written(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher, await publisher.segment() as segment:
            for _ in range(3):
                await segment.write(b"some")
            await segment.write(b"b" * 300_000)
        assert isinstance(await segment.outcome(), Acknowledged)
    assert server.bodies == {0: b"some" * 3 + b"b" * 300_000}


async def test_the_next_head_is_on_the_wire_before_the_current_segment_has_a_byte(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            await run_sync(server.wait_until_asked, "POST 0")
            segment = await publisher.segment()
            await run_sync(server.wait_until_asked, "POST 1")
            assert server.bodies == {}
            await segment.write(b"a")
            assert server.asked.count("POST 2") == 0


async def test_a_publisher_starts_at_the_next_number_and_ends_what_an_earlier_one_left(make: Make):
    with posting_server() as server:
        server.next_seq = 7
        async with make(server.url, content_type="a/b", headers={"Authorization": "me"}) as publisher:
            await publisher.publish(b"a")
            await publisher.publish(b"b")
    assert server.asked[:2] == ["POST", "GET next"]
    assert b"Expect-Content: a/b" in server.heads["POST"]
    assert b"lp-trickle-reset: 1" in server.heads["POST 7"].lower()
    assert b"lp-trickle-reset" not in server.heads["POST 8"].lower()
    for name in ("POST", "GET next", "POST 7", "POST 8", "DELETE"):
        assert b"authorization: me" in server.heads[name].lower()
    assert server.bodies == {7: b"a", 8: b"b"}


async def test_a_channel_of_others_is_neither_created_nor_deleted(make: Make):
    with posting_server() as server:
        async with make(server.url, create=False, delete=False) as publisher:
            await publisher.publish(b"a")
    assert "POST" not in server.asked
    assert "DELETE" not in server.asked
    assert server.bodies == {0: b"a"}


async def test_an_empty_segment_is_acknowledged_although_its_answer_closes(
    make: Make, server: RunningServer, flavour: str
):
    async with make(f"{server.base_url}/empty-{flavour}") as publisher:
        empty = await publisher.publish(b"")
        full = await publisher.publish(b"a")
        assert await empty.outcome() == Acknowledged(seq=0, bytes=0)
        assert await full.outcome() == Acknowledged(seq=1, bytes=1)


async def test_beginning_a_segment_ends_the_one_before(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            first = await publisher.segment()
            await first.write(b"a")
            await publisher.segment()
            assert await first.outcome() == Acknowledged(seq=0, bytes=1)


async def test_the_bytes_may_change_after_the_write(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            data = bytearray(b"a" * 100_000)
            segment = await publisher.segment()
            for letter in b"bcd":
                await segment.write(data)
                data[:] = bytes([letter]) * len(data)
            await segment.write(memoryview(data)[::2])
    assert server.bodies == {0: b"a" * 100_000 + b"b" * 100_000 + b"c" * 100_000 + b"d" * 50_000}


async def test_the_publisher_waits_for_the_oldest_segment_not_for_any(make: Make):
    def hold(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.server.wait_until(lambda: {1, 2} <= exchange.server.bodies.keys())
        seen.extend(exchange.server.asked)
        take(exchange)

    seen: list[str] = []
    with posting_server({"POST 0": [hold]}) as server:
        async with make(server.url) as publisher:
            for number in range(10):
                last = await publisher.publish(b"%d" % number)
            with fail_after(5):
                assert isinstance(await last.outcome(), Acknowledged)
    assert "POST 4" not in seen
    assert server.bodies == {number: b"%d" % number for number in range(10)}
    assert publisher.stats.acknowledged == 10


async def test_connections_are_used_again(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            for _ in range(50):
                await publisher.publish(b"a")
            await publisher.flush()
        assert publisher.stats.acknowledged == 50
        assert server.accepted <= 4 + 2  # Those of the start and of the end.


async def test_interim_answers_are_no_answers(make: Make):
    def hesitate(exchange: Exchange) -> None:
        for _ in range(5):
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        take(exchange)

    with posting_server({"POST 0": [hesitate], "POST 1": [hesitate]}) as server:
        async with make(server.url) as publisher:
            for _ in range(3):
                await publisher.publish(b"a")
    assert publisher.stats.acknowledged == 3


async def test_a_stall_may_last_for_ever(make: Make):
    with posting_server() as server:
        async with make(server.url, stall_seconds=inf) as publisher:
            segment = await publisher.publish(b"a")
            assert await segment.outcome() == Acknowledged(seq=0, bytes=1)
