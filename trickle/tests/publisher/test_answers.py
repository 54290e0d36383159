"""What a publisher makes of answers that are not good ones."""

import threading
from typing import Any

import pytest
from anyio import fail_after
from posting_server import Exchange, posting_server, take

from livepeer.trickle._errors import (
    ChannelClosedError,
    ChannelNotFoundError,
    RefusedError,
    SegmentLostError,
    SegmentRefusedError,
    TrickleError,
)
from livepeer.trickle._outcomes import Acknowledged, Lost, Outcome, Refused

from .conftest import Make, poll_until, poll_until_it_fails


async def write_until_it_fails(segment: Any, error: type[TrickleError], data: bytes = b"a") -> TrickleError:
    with fail_after(10):
        while True:
            try:
                await segment.write(data)
            except error as raised:
                return raised


@pytest.mark.parametrize("of_another", [None, b"abcd", b""])
async def test_a_segment_whose_answer_closes_and_that_is_not_there_was_evicted(make: Make, of_another: bytes | None):
    def evict(exchange: Exchange) -> None:
        exchange.read_body()
        if of_another is not None:
            exchange.server.keep(1, of_another)
        exchange.answer(lp_trickle_seq="1", connection="close")

    outcomes: list[Outcome] = []
    with posting_server({"POST 1": [evict]}) as server:
        async with make(server.url, on_outcome=outcomes.append) as publisher:
            segments = [await publisher.publish(b"abc") for _ in range(3)]
            assert [type(await segment.outcome()) for segment in segments] == [Acknowledged, Lost, Acknowledged]
    lost = segments[1].done_outcome
    assert (lost.seq, lost.bytes, lost.reason) == (1, 3, "evicted")
    assert lost in outcomes
    assert (publisher.stats.acknowledged, publisher.stats.lost) == (2, 1)


async def test_a_segment_whose_answer_closes_is_acknowledged_if_it_is_there(make: Make):
    """A proxy closes a connection after so many requests, whatever the server behind it says."""

    def close(exchange: Exchange) -> None:
        seq = exchange.name.split()[1]
        exchange.server.keep(int(seq), exchange.read_body())
        exchange.answer(lp_trickle_seq=seq, connection="close")

    script = {f"POST {seq}": [close] for seq in range(20)}
    with posting_server(script) as server, fail_after(10):
        async with make(server.url) as publisher:
            for number in range(20):
                await publisher.publish(b"a" * (number + 1))
        assert [server.bodies[seq] for seq in range(20)] == [b"a" * (seq + 1) for seq in range(20)]
    assert (publisher.stats.acknowledged, publisher.stats.reconnections) == (20, 0)


async def test_a_segment_that_cannot_be_asked_for_is_lost(make: Make):
    def close(exchange: Exchange) -> None:
        exchange.server.keep(0, exchange.read_body())
        exchange.answer(lp_trickle_seq="0", connection="close")

    script = {"POST 0": [close], "GET 0": [Exchange.hang]}
    with posting_server(script) as server, fail_after(10):
        async with make(server.url, stall_seconds=0.2) as publisher:
            outcome = await (await publisher.publish(b"a")).outcome()
            assert isinstance(outcome, Lost)
            assert outcome.reason == "stalled"
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=1, bytes=1)


async def test_an_answer_before_the_end_loses_the_segment_and_its_writer_is_told(make: Make):
    def stop(exchange: Exchange) -> None:
        exchange.read_body(1)
        exchange.answer(lp_trickle_seq="0")

    with posting_server({"POST 0": [stop]}) as server:
        async with make(server.url) as publisher:
            segment = await publisher.segment()
            error = await write_until_it_fails(segment, SegmentLostError)
            assert error.seq == 0
            with pytest.raises(SegmentLostError):
                await segment.end()
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=1, bytes=1)


async def test_a_segment_that_is_refused_has_the_reason_and_the_next_goes_well(make: Make):
    def refuse(exchange: Exchange) -> None:
        exchange.read_body(1)
        exchange.answer(413, "too long\n", connection="close")
        exchange.wait_for_end()

    with posting_server({"POST 0": [refuse]}) as server:
        async with make(server.url) as publisher:
            segment = await publisher.segment()
            error = await write_until_it_fails(segment, SegmentRefusedError)
            assert "too long" in str(error)
            outcome = await segment.outcome()
            assert isinstance(outcome, Refused)
            assert (outcome.status, outcome.detail) == (413, "too long")
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=1, bytes=1)
    assert publisher.stats.refused == 1


async def test_a_head_that_is_refused_ends_the_publisher(make: Make):
    with posting_server({"POST 0": [lambda exchange: exchange.answer(403, "not you\n", connection="close")]}) as server:
        async with make(server.url) as publisher:
            error = await poll_until_it_fails(publisher, RefusedError)
            assert isinstance(error, RefusedError)
            assert error.status == 403
            assert "not you" in str(error)
            with pytest.raises(RefusedError):
                await publisher.segment()


async def test_a_head_that_fails_for_a_while_is_sent_again(make: Make):
    def fail(exchange: Exchange) -> None:
        exchange.answer(503, "busy\n", connection="close")

    with posting_server({"POST 0": [fail, fail, fail]}) as server:
        async with make(server.url) as publisher:
            await poll_until(publisher, lambda: server.asked.count("POST 0") == 4)
            segment = await publisher.publish(b"a")
            assert await segment.outcome() == Acknowledged(seq=0, bytes=1)
    assert server.asked.count("POST 0") == 4


async def test_a_head_that_always_fails_ends_the_publisher(make: Make):
    def fail(exchange: Exchange) -> None:
        exchange.answer(503, "busy\n", connection="close")

    with posting_server({"POST 0": [fail] * 1000}) as server:
        async with make(server.url, restart_seconds=0.5) as publisher:
            await poll_until_it_fails(publisher, RefusedError)
            with pytest.raises(RefusedError):
                await publisher.publish(b"a")
    assert 3 < server.asked.count("POST 0") < 20


async def test_a_channel_that_is_deleted_ends_the_publisher_at_once(make: Make):
    def close(exchange: Exchange) -> None:
        exchange.server.wait_until_asked("POST 1")
        exchange.answer(lp_trickle_seq="1", lp_trickle_closed="terminated", connection="close")

    with posting_server({"POST 1": [close]}) as server:
        async with make(server.url) as publisher:
            segment = await publisher.segment()
            error = await write_until_it_fails(segment, ChannelClosedError)
            assert isinstance(error, ChannelClosedError)
            assert error.url == server.url
            outcome = await segment.outcome()
            assert isinstance(outcome, Lost)
            assert outcome.reason == "channel_closed"
            with pytest.raises(ChannelClosedError):
                await publisher.publish(b"b")
    assert "DELETE" not in server.asked


async def test_an_answer_that_came_after_the_channel_was_deleted_is_not_believed(make: Make):
    """The reference answers a segment that was under way with a plain 200 (trickle, table 1, row 32)."""

    def answer_after_the_close(exchange: Exchange) -> None:
        exchange.read_body()
        close_told.wait(5)
        exchange.answer(lp_trickle_seq="0")

    def close(exchange: Exchange) -> None:
        exchange.server.wait_until_asked("POST 1")
        exchange.answer(lp_trickle_seq="1", lp_trickle_closed="terminated", connection="close")
        close_told.set()

    close_told = threading.Event()
    with posting_server({"POST 0": [answer_after_the_close], "POST 1": [close]}) as server:
        async with make(server.url) as publisher:
            segment = await publisher.publish(b"a")
            outcome = await segment.outcome()
    assert isinstance(outcome, Lost)
    assert outcome.reason == "channel_closed"


async def test_a_channel_that_is_gone_and_not_ours_ends_the_publisher(make: Make):
    def gone(exchange: Exchange) -> None:
        exchange.answer(404, "Stream not found\n", connection="close")

    with posting_server({"POST 0": [gone], "GET next": [take, gone]}) as server:
        async with make(server.url, create=False) as publisher:
            await poll_until_it_fails(publisher, ChannelNotFoundError)


async def test_a_channel_that_is_gone_is_created_again_and_nothing_is_lost(make: Make):
    def forget(exchange: Exchange) -> None:
        first_is_there.wait(5)
        exchange.server.exists, exchange.server.next_seq = False, 0
        take(exchange)

    first_is_there = threading.Event()
    with posting_server({"POST 1": [forget]}) as server:
        async with make(server.url) as publisher:
            first = await publisher.publish(b"a")
            assert await first.outcome() == Acknowledged(seq=0, bytes=1)
            second = await publisher.publish(b"b")
            first_is_there.set()
            assert await second.outcome() == Acknowledged(seq=0, bytes=1)
    assert server.asked.count("POST") == 2
    assert publisher.stats.restarts == 1


async def test_a_head_whose_place_was_taken_is_sent_again_with_the_next_number(make: Make):
    def take_its_place(exchange: Exchange) -> None:
        exchange.server.keep(0, b"of another")
        exchange.answer(lp_trickle_seq="0", connection="close")

    with posting_server({"POST 0": [take_its_place]}) as server:
        async with make(server.url) as publisher:
            segment = await publisher.publish(b"a")
            outcome = await segment.outcome()
            if outcome == Acknowledged(seq=1, bytes=1):
                assert server.bodies[1] == b"a"
            else:  # It had been sent when the answer came.
                assert isinstance(outcome, Lost)
            after = await publisher.publish(b"b")
            assert isinstance(await after.outcome(), Acknowledged)


@pytest.mark.parametrize(
    "garbage", [b"SSH-2.0\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", b"\0" * 70_000]
)
async def test_an_answer_that_is_no_http_loses_the_segment_alone(make: Make, garbage: bytes):
    def speak_strangely(exchange: Exchange) -> None:
        exchange.server.keep(0, exchange.read_body())
        exchange.send(garbage)
        exchange.wait_for_end()

    with posting_server({"POST 0": [speak_strangely]}) as server:
        async with make(server.url) as publisher:
            segment = await publisher.publish(b"a")
            outcome = await segment.outcome()
            assert isinstance(outcome, Lost)
            assert outcome.reason == "disconnected"
            after = await publisher.publish(b"b")
            assert await after.outcome() == Acknowledged(seq=1, bytes=1)


async def test_half_an_answer_is_none(make: Make):
    def break_off(exchange: Exchange) -> None:
        exchange.server.keep(0, exchange.read_body())
        exchange.send(b"HTTP/1.1 200 OK\r\nLp-Trickle-Seq: 0\r\n")
        exchange.keeps_alive = False

    with posting_server({"POST 0": [break_off]}) as server:
        async with make(server.url) as publisher:
            segment = await publisher.publish(b"a")
            assert isinstance(await segment.outcome(), Lost)


async def test_an_outcome_callback_that_fails_stops_nothing(make: Make, caplog: pytest.LogCaptureFixture):
    def fail(outcome: Outcome) -> None:
        raise KeyError(outcome.seq)

    with posting_server() as server:
        async with make(server.url, on_outcome=fail) as publisher:
            segments = [await publisher.publish(b"a") for _ in range(3)]
            assert isinstance(await segments[2].outcome(), Acknowledged)
    assert "on_outcome failed for segment 2" in caplog.text
