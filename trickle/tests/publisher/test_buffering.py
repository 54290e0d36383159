"""How much a publisher holds, and what gives way."""

import threading
import time
from contextlib import suppress

import psutil
import pytest
from anyio import create_task_group, fail_after, to_thread
from posting_server import Exchange, posting_server

from livepeer.trickle._errors import ClosedError, SegmentLostError
from livepeer.trickle._outcomes import Acknowledged, Lost, Outcome

from .conftest import Make
from .test_answers import write_until_it_fails

HANGING = {f"POST {seq}": [Exchange.hang] for seq in range(20)}


async def test_a_writer_that_drops_never_waits_and_every_drop_is_reported(make: Make, caplog: pytest.LogCaptureFixture):
    outcomes: list[Outcome] = []
    with posting_server(HANGING) as server:
        publisher = make(server.url, overflow="drop_oldest", max_buffered_bytes=200_000, on_outcome=outcomes.append)
        await publisher.start()
        begun = time.monotonic()
        for _ in range(200):
            await publisher.publish(b"a" * 100_000)
        assert time.monotonic() - begun < 3
        await publisher.close(0.2)
    dropped = [outcome for outcome in outcomes if isinstance(outcome, Lost) and outcome.reason == "dropped"]
    assert len(dropped) >= 190 - 20_000_000 // 1_000_000
    assert publisher.stats.dropped_bytes == 100_000 * len(dropped)
    assert len(outcomes) == 200
    said = [record.args for record in caplog.records if "gave way" in record.message]
    assert sum(int(args[1]) for args in said if isinstance(args, tuple)) == len(dropped)
    assert len(said) <= 5


async def test_a_writer_that_drops_gives_up_what_is_half_sent_when_nothing_else_is_left(make: Make):
    with posting_server(HANGING) as server:
        publisher = make(server.url, overflow="drop_oldest", max_buffered_bytes=200_000, delete=False)
        await publisher.start()
        segment = await publisher.segment()
        error = await write_until_it_fails(segment, SegmentLostError, b"a" * 100_000)
        assert isinstance(error, SegmentLostError)
        assert error.outcome.reason == "dropped"
        await publisher.close(0.1)


@pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)  # Nothing cancels a thread.
async def test_a_publish_that_is_cancelled_half_way_does_not_look_whole(make: Make):
    def begin_to_read(exchange: Exchange) -> None:
        exchange.read_body(1)
        began.set()
        may_go_on.wait(10)
        exchange.wait_for_end()

    began, may_go_on = threading.Event(), threading.Event()
    outcomes: list[Outcome] = []
    with posting_server({"POST 0": [begin_to_read]}) as server, fail_after(10):
        async with make(server.url, on_outcome=outcomes.append) as publisher:
            async with create_task_group() as tasks:
                tasks.start_soon(publisher.publish, bytes(50_000_000))
                await to_thread.run_sync(began.wait, 5)
                tasks.cancel_scope.cancel()
            may_go_on.set()
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=1, bytes=1)
            await to_thread.run_sync(server.wait_until_asked, "DELETE 0")
    assert isinstance(outcomes[0], Lost)
    assert outcomes[0].reason == "aborted"
    assert 0 not in server.bodies


@pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)  # One thread at a time uses a publisher.
async def test_a_write_that_a_close_cuts_short_does_not_look_whole(make: Make):
    def read_late(exchange: Exchange) -> None:
        exchange.read_body(1)
        began.set()
        may_go_on.wait(10)
        exchange.server.keep(0, exchange.read_body())
        exchange.answer(lp_trickle_seq="0")

    async def publish() -> None:
        with pytest.raises(ClosedError):
            await publisher.publish(bytes(50_000_000))
        may_go_on.set()

    began, may_go_on = threading.Event(), threading.Event()
    outcomes: list[Outcome] = []
    with posting_server({"POST 0": [read_late]}) as server, fail_after(10):
        async with make(server.url, on_outcome=outcomes.append) as publisher, create_task_group() as tasks:
            tasks.start_soon(publish)
            await to_thread.run_sync(began.wait, 5)
            await publisher.close()
    assert [outcome.reason for outcome in outcomes if isinstance(outcome, Lost)] == ["aborted"]
    assert 0 not in server.bodies


async def test_what_was_dropped_leaves_no_hole_in_the_numbers(make: Make):
    def take_slowly(exchange: Exchange) -> None:
        exchange.server.wait_until(lambda: bool(go))
        exchange.server.keep(0, exchange.read_body())
        exchange.answer(lp_trickle_seq="0")

    go: list[bool] = []
    with posting_server({"POST 0": [take_slowly]}) as server:
        async with make(server.url, overflow="drop_oldest", max_buffered_bytes=1000) as publisher:
            segments = [await publisher.publish(bytes([65 + number]) * 300) for number in range(10)]
            go.append(True)
            server.keep(-1, b"")  # Wakes the one who waits.
            outcomes = [await segment.outcome() for segment in segments]
    whole = [outcome for outcome in outcomes if isinstance(outcome, Acknowledged)]
    assert [outcome.seq for outcome in whole] == list(range(len(whole)))
    assert isinstance(outcomes[-1], Acknowledged)
    assert len(whole) < 10
    assert server.bodies[whole[-1].seq] == b"J" * 300


async def test_memory_against_a_stalled_server_stays_flat(make: Make):
    with posting_server(HANGING) as server:
        publisher = make(server.url, overflow="drop_oldest", stall_seconds=60)
        await publisher.start()
        for number in range(100):
            await publisher.publish(bytes([number]) * 50_000)
        before = psutil.Process().memory_info().rss
        for number in range(3000):
            await publisher.publish(bytes([number % 256]) * 50_000)
        for _ in range(3000):
            await publisher.publish(b"b")
        assert psutil.Process().memory_info().rss - before < 5_000_000
        await publisher.close(0.1)


async def test_a_segment_that_is_aborted_before_its_first_byte_leaves_its_number_to_the_next(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            segment = await publisher.segment()
            await segment.abort()
            assert segment.done_outcome.reason == "aborted"
            after = await publisher.publish(b"a")
            assert await after.outcome() == Acknowledged(seq=0, bytes=1)
            later = await publisher.publish(b"b")
            assert await later.outcome() == Acknowledged(seq=1, bytes=1)
    assert "DELETE 0" not in server.asked


async def test_a_segment_that_is_aborted_midway_is_ended_for_its_readers(make: Make):
    with posting_server() as server:
        async with make(server.url, delete=False) as publisher:
            segment = await publisher.segment()
            await segment.write(b"a")
            await publisher.flush()
            await segment.abort()
            await segment.abort()
            with pytest.raises(SegmentLostError):
                await segment.write(b"b")
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=1, bytes=1)
    assert "DELETE 0" in server.asked


async def test_an_error_in_a_segments_block_aborts_it(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            with suppress(KeyError):
                async with await publisher.segment() as segment:
                    await segment.write(b"a")
                    raise KeyError
            assert segment.done_outcome.reason == "aborted"
            async with await publisher.segment() as segment:
                await segment.write(b"b")
            with pytest.raises(ClosedError):
                await segment.write(b"c")
            await segment.end()
