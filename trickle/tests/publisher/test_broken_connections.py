"""What a publisher makes of connections that break, servers that stall, and servers that restart."""

import time

import pytest
from anyio import fail_after
from anyio.to_thread import run_sync
from posting_server import Exchange, posting_server, take

from livepeer.trickle._errors import SegmentLostError, StalledError, UnreachableError
from livepeer.trickle._outcomes import Acknowledged, Lost, Outcome

from .conftest import Make, poll_until, poll_until_it_fails
from .test_answers import write_until_it_fails


async def test_a_head_whose_connection_breaks_is_sent_again(make: Make):
    with posting_server({"POST 1": [Exchange.reset, Exchange.reset]}) as server:
        async with make(server.url) as publisher:
            first = await publisher.segment()
            await poll_until(publisher, lambda: server.asked.count("POST 1") == 3)
            await first.write(b"a")
            second = await publisher.publish(b"b")
            assert await first.outcome() == Acknowledged(seq=0, bytes=1)
            assert await second.outcome() == Acknowledged(seq=1, bytes=1)
    assert publisher.stats.reconnections == 2
    assert publisher.stats.restarts == 0


async def test_a_pooled_connection_that_the_server_closed_costs_nothing(make: Make):
    def take_and_close(exchange: Exchange) -> None:
        take(exchange)
        exchange.keeps_alive = False

    with posting_server({f"POST {seq}": [take_and_close] for seq in range(20)}) as server:
        async with make(server.url) as publisher:
            segments = []
            for number in range(20):
                segment = await publisher.publish(b"a")
                await segment.outcome()
                await run_sync(server.wait_until_asked, f"POST {number + 1}")
                await run_sync(server.wait_until_left, 1)  # But for the one that carries the next head.
                segments.append(segment)
            assert all(isinstance(segment.done_outcome, Acknowledged) for segment in segments)
    assert server.bodies == dict.fromkeys(range(20), b"a")


async def test_a_segment_that_breaks_on_a_living_server_is_lost_and_its_readers_are_told(make: Make):
    def break_off(exchange: Exchange) -> None:
        exchange.server.keep(0, exchange.read_body(3))
        exchange.reset()

    outcomes: list[Outcome] = []
    with posting_server({"POST 0": [break_off]}) as server:
        async with make(server.url, on_outcome=outcomes.append) as publisher:
            segment = await publisher.segment()
            error = await write_until_it_fails(segment, SegmentLostError)
            assert isinstance(error, SegmentLostError)
            assert error.outcome.reason == "disconnected"
            await poll_until(publisher, lambda: "DELETE 0" in server.asked)
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=1, bytes=1)
    assert server.asked.count("POST 0") == 1
    assert [type(outcome) for outcome in outcomes] == [Lost, Acknowledged]


async def test_a_segment_is_not_sent_twice_when_only_its_answer_was_lost(make: Make):
    def break_off(exchange: Exchange) -> None:
        exchange.server.keep(0, exchange.read_body())
        exchange.reset()

    with posting_server({"POST 0": [break_off]}) as server:
        async with make(server.url) as publisher:
            segment = await publisher.publish(b"a")
            assert isinstance(await segment.outcome(), Lost)
    assert server.asked.count("POST 0") == 1


@pytest.mark.parametrize("size", [1, 100_000])
async def test_a_server_that_never_answers_loses_the_segment(make: Make, size: int):
    def hang(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.wait_for_end()

    with posting_server({"POST 0": [hang]}) as server:
        async with make(server.url, stall_seconds=0.3) as publisher:
            begun = time.monotonic()
            segment = await publisher.publish(b"a" * size)
            outcome = await segment.outcome()
            assert isinstance(outcome, Lost)
            assert outcome.reason == "stalled"
            assert time.monotonic() - begun >= 0.3
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=1, bytes=1)
            await poll_until(publisher, lambda: "DELETE 0" in server.asked)


async def test_interim_answers_do_not_keep_an_ended_segment_alive(make: Make):
    def hesitate(exchange: Exchange) -> None:
        exchange.read_body()
        while not exchange.server.stopping.wait(0.02):
            exchange.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    with posting_server({"POST 0": [hesitate]}) as server:
        async with make(server.url, stall_seconds=0.3) as publisher:
            segment = await publisher.publish(b"a")
            with fail_after(5):
                outcome = await segment.outcome()
    assert isinstance(outcome, Lost)
    assert outcome.reason == "stalled"


async def test_silence_of_the_writer_is_no_stall(make: Make):
    with posting_server() as server:
        async with make(server.url, stall_seconds=0.1) as publisher:
            segment = await publisher.segment()
            await segment.write(b"a")
            begun = time.monotonic()
            await poll_until(publisher, lambda: time.monotonic() > begun + 0.4)
            await segment.write(b"b")
            await segment.end()
            assert await segment.outcome() == Acknowledged(seq=0, bytes=2)


async def test_a_server_that_takes_nothing_holds_the_writer_up_for_the_stall_limit_alone(make: Make):
    with posting_server({f"POST {seq}": [Exchange.hang] for seq in range(20)}) as server:
        async with make(server.url, stall_seconds=0.3, max_buffered_bytes=100_000, delete=False) as publisher:
            segment = await publisher.segment()
            begun = time.monotonic()
            with pytest.raises(SegmentLostError) as raised:
                await segment.write(b"a" * 50_000_000)
            assert time.monotonic() - begun < 5
            assert raised.value.outcome.reason == "stalled"
            assert publisher._flow.publication.unsent == 0 if hasattr(publisher, "_flow") else True
            await publisher.close(0.2)


async def test_a_restarted_server_gets_all_that_comes_after_and_what_it_forgot(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            for segment in [await publisher.publish(b"before") for _ in range(5)]:
                await segment.outcome()
            kept = await publisher.segment()
            await kept.write(b"half ")
            await publisher.flush()
            await run_sync(server.crash)
            await kept.write(b"of it")
            queued = await publisher.publish(b"meanwhile")
            await run_sync(server.come_back)
            after = await publisher.publish(b"after")
            with fail_after(10):
                assert await after.outcome() == Acknowledged(seq=2, bytes=5)
            assert await kept.outcome() == Acknowledged(seq=0, bytes=10)
            assert await queued.outcome() == Acknowledged(seq=1, bytes=9)
    assert server.bodies == {0: b"half of it", 1: b"meanwhile", 2: b"after"}
    assert b"lp-trickle-reset: 1" in server.heads["POST 0"].lower()
    assert publisher.stats.restarts == 1
    assert publisher.stats.lost == 0


async def test_a_server_that_restarts_while_nothing_is_written_is_found_again(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            await (await publisher.publish(b"before")).outcome()
            await run_sync(server.crash)
            await run_sync(server.come_back)
            await poll_until(publisher, lambda: publisher.stats.restarts == 1)
            after = await publisher.publish(b"after")
            assert await after.outcome() == Acknowledged(seq=0, bytes=5)


async def test_numbers_that_went_back_tell_of_a_restart_although_the_channel_is_there(make: Make):
    with posting_server() as server:
        async with make(server.url, create=False) as publisher:
            for segment in [await publisher.publish(b"before") for _ in range(5)]:
                await segment.outcome()
            kept = await publisher.segment()
            await kept.write(b"a")
            await publisher.flush()
            await run_sync(server.crash)
            server.exists = True
            await run_sync(server.come_back)
            await poll_until(publisher, lambda: publisher.stats.restarts == 1)
            await kept.end()
            assert await kept.outcome() == Acknowledged(seq=0, bytes=1)
    assert publisher.stats.lost == 0


async def test_what_is_too_long_to_be_kept_is_lost_with_the_server(make: Make):
    with posting_server() as server:
        async with make(server.url, max_buffered_bytes=4000) as publisher:
            segment = await publisher.segment()
            for _ in range(10):
                await segment.write(b"a" * 300)
            await publisher.flush()
            await run_sync(server.crash)
            await run_sync(server.come_back)
            error = await write_until_it_fails(segment, SegmentLostError)
            assert isinstance(error, SegmentLostError)
            assert error.outcome.reason == "disconnected"
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=0, bytes=1)


async def test_a_server_that_stays_away_ends_the_publisher(make: Make):
    with posting_server() as server:
        publisher = make(server.url, restart_seconds=0.4)
        await publisher.start()
    begun = time.monotonic()
    try:
        segment = await publisher.publish(b"a")
        await poll_until_it_fails(publisher, UnreachableError)
        assert 0.3 < time.monotonic() - begun < 3
        assert isinstance(await segment.outcome(), Lost)
        with pytest.raises(UnreachableError):
            await publisher.publish(b"b")
    finally:
        begun = time.monotonic()
        await publisher.close()
        assert time.monotonic() - begun < 1


async def test_a_server_that_is_not_there_at_the_start_is_said_at_once(make: Make):
    with posting_server() as server:
        pass
    with pytest.raises(UnreachableError):
        async with make(server.url):
            pass


async def test_a_head_that_no_one_reads_is_no_loss(make: Make):
    def refuse_to_read(exchange: Exchange) -> None:
        exchange.hang()

    with posting_server({"GET next": [take, refuse_to_read], "POST 0": [Exchange.reset]}) as server:
        async with make(server.url, connect_seconds=0.2, restart_seconds=0.1, delete=False) as publisher:
            error = await poll_until_it_fails(publisher, UnreachableError)
            assert not isinstance(error, StalledError)
