"""Writing channels in both flavours, read back by the readers."""

import math
from contextlib import suppress
from typing import Any

import anyio
import pytest
from anyio import create_task_group, fail_after
from anyio.lowlevel import checkpoint
from raw_posts import delete, post
from trickle_servers import RunningServer

from livepeer.trickle import (
    Acknowledged,
    AsyncJSONLReader,
    AsyncJSONLWriter,
    AsyncSubscriber,
    ChannelClosedError,
    ChannelNotFoundError,
    ClosedError,
    JSONLReader,
    JSONLWriter,
    Outcome,
    RefusedError,
    SegmentLostError,
    Subscriber,
    UnreachableError,
)

MESSAGES = [None, True, -1.5, "ö\u2028\n", [1, [2]], {"a": {"b": None}}, {}, "", "\ud800", "x" * 100_000]
KEEPALIVE = {"keep": "alive"}


async def read(url: str, count: int, **options: Any) -> list[Any]:
    with fail_after(20):
        async with AsyncJSONLReader(url, start=0, **options) as reader:
            return [await anext(reader) for _ in range(count)]


def segments(url: str, count: int) -> list[bytes]:
    with Subscriber(url, start=0) as subscriber:
        return [next(subscriber).read() for _ in range(count)]


def write_for_ever(writer: JSONLWriter) -> None:
    while True:
        with suppress(SegmentLostError):
            writer.write(2)


async def write_for_ever_async(writer: AsyncJSONLWriter) -> None:
    while True:
        with suppress(SegmentLostError):
            await writer.write(2)
        await anyio.lowlevel.checkpoint()


async def test_what_is_written_is_read(url: str):
    async with AsyncJSONLWriter(url, delete=False) as writer:
        for message in MESSAGES:
            await writer.write(message)
        await writer.write(b'{ "raw": 1 }')
    assert await read(url, len(MESSAGES) + 1) == [*MESSAGES, {"raw": 1}]
    assert writer.stats.messages == len(MESSAGES) + 1
    assert (writer.stats.lost, writer.stats.unsent_bytes) == (0, 0)


def test_what_is_written_is_read_by_blocking_twins(url: str):
    with JSONLWriter(url) as writer, JSONLReader(url, start=0) as reader:
        for message in MESSAGES:
            writer.write(message)
            assert next(reader) == message
        writer.write_all(MESSAGES)
        assert [next(reader) for _ in MESSAGES] == MESSAGES
        stats = writer.close()
        assert list(reader) == []
    assert (stats.messages, stats.acknowledged, stats.lost) == (2 * len(MESSAGES), 1, 0)


async def test_messages_of_one_turn_leave_together(url: str):
    async with AsyncJSONLWriter(url) as writer, AsyncSubscriber(url, start=0) as subscriber:
        with fail_after(10):
            for number in range(1000):
                await writer.write(number)
            part = await anext(await anext(subscriber))
    assert part.split() == [b"%d" % number for number in range(1000)]


async def test_all_messages_of_many_are_read_in_order(url: str):
    async def write(writer: AsyncJSONLWriter) -> None:
        await writer.write_all({"number": number} for number in range(50_000))

    async with AsyncJSONLWriter(url) as writer, create_task_group() as tasks:
        tasks.start_soon(write, writer)
        assert await read(url, 50_000) == [{"number": number} for number in range(50_000)]


async def test_several_tasks_may_write(url: str):
    async def write(writer: AsyncJSONLWriter, name: int) -> None:
        for number in range(300):
            await writer.write([name, number])
            if number % 10 == 0:
                await anyio.lowlevel.checkpoint()

    async with AsyncJSONLWriter(url, delete=False) as writer, create_task_group() as tasks:
        for name in range(3):
            tasks.start_soon(write, writer, name)
    messages = await read(url, 900)
    assert [[message for message in messages if message[0] == name] for name in range(3)] == [
        [[name, number] for number in range(300)] for name in range(3)
    ]


async def test_segments_rotate_at_the_ends_of_lines(url: str):
    async with AsyncJSONLWriter(url, rotate_bytes=10, delete=False) as writer:
        await writer.write_all([1, 2, 3, 4, 5, "a long message", 6])
    assert writer.stats.acknowledged == 3
    assert segments(url, 3) == [b"1\n2\n3\n4\n5\n", b'"a long message"\n', b"6\n"]


def test_segments_rotate_at_the_ends_of_lines_of_the_blocking_twin(url: str):
    with JSONLWriter(url, rotate_bytes=10, delete=False) as writer:
        writer.write_all([1, 2, 3, 4, 5, "a long message"])
        writer.write(6)
    assert segments(url, 3) == [b"1\n2\n3\n4\n5\n", b'"a long message"\n', b"6\n"]


async def test_segments_rotate_with_time(url: str):
    async with AsyncJSONLWriter(url, rotate_seconds=1e-9, delete=False) as writer:
        for number in range(3):
            await writer.write(number)
            await writer.flush()
    assert segments(url, 3) == [b"0\n", b"1\n", b"2\n"]


async def test_no_segment_is_begun_before_the_first_message(url: str):
    async with AsyncJSONLWriter(url, delete=False) as writer:
        pass
    assert writer.stats.segments == 0


async def test_a_silent_writer_keeps_the_channel_alive(url: str):
    with fail_after(10):
        async with (
            AsyncJSONLWriter(url, keepalive_seconds=0.05) as writer,
            AsyncJSONLReader(url, start=0, keepalives=True) as reader,
        ):
            assert [await anext(reader) for _ in range(3)] == [KEEPALIVE] * 3
            await writer.write(1)
            while await anext(reader) != 1:
                pass
            assert await anext(reader) == KEEPALIVE
        assert writer.stats.messages == 1
        assert writer.stats.keepalives >= 4


async def test_a_keepalive_says_what_is_wanted(url: str):
    with fail_after(10):
        async with (
            AsyncJSONLWriter(url, keepalive_seconds=0.05, keepalive={"still": "here"}),
            AsyncJSONLReader(url, start=0) as reader,
        ):
            assert await anext(reader) == {"still": "here"}


def test_a_poll_of_the_blocking_twin_keeps_the_channel_alive(url: str):
    with JSONLWriter(url, keepalive_seconds=1e-9) as writer, JSONLReader(url, start=0, keepalives=True) as reader:
        writer.poll()
        assert next(reader) == KEEPALIVE
    with JSONLWriter(url + "-silent", keepalive_seconds=None) as writer:
        writer.poll()
        assert writer.stats.keepalives == 0
    with JSONLWriter(url + "-not-yet", keepalive_seconds=60) as writer:
        writer.poll()
        assert writer.stats.keepalives == 0


@pytest.mark.parametrize("message", [math.nan, {1, 2}, b"1\n2", object()])
async def test_a_message_without_a_json_form_is_refused_and_nothing_is_written(url: str, message: Any):
    async with AsyncJSONLWriter(url, delete=False) as writer:
        await writer.write(1)
        with pytest.raises(ValueError, match="JSON"):
            await writer.write(message)
        await writer.write(2)
    assert segments(url, 1) == [b"1\n2\n"]


def test_a_message_without_a_json_form_stops_no_other_of_the_blocking_twin(url: str):
    with JSONLWriter(url) as writer, JSONLReader(url, start=0) as reader:
        with pytest.raises(ValueError, match="JSON"):
            writer.write_all([1, 2, math.inf, 3])
        writer.write(4)
        assert [next(reader) for _ in range(3)] == [1, 2, 4]


async def test_a_flush_has_given_everything_to_the_network(url: str):
    async with AsyncJSONLWriter(url) as writer:
        with fail_after(10):
            await writer.write_all([1, 2, "x" * 300_000])
            await writer.flush()
        with JSONLReader(url, start=0) as reader:  # It blocks the event loop: nothing more can leave now.
            assert [next(reader) for _ in range(3)] == [1, 2, "x" * 300_000]


async def test_a_flush_does_not_wait_for_what_others_write_after_it(url: str):
    async with AsyncJSONLWriter(url) as writer, create_task_group() as tasks:

        async def write_for_ever() -> None:
            while True:
                await writer.write("x" * 1000)

        for _ in range(3):
            tasks.start_soon(write_for_ever)
        with fail_after(5):
            for _ in range(20):
                await writer.flush()
                await checkpoint()
        tasks.cancel_scope.cancel()


async def test_a_flush_of_nothing_returns(url: str):
    async with AsyncJSONLWriter(url) as writer:
        with fail_after(10):
            await writer.flush()
            await writer.flush()


def test_a_flush_of_the_blocking_twin_has_given_everything_to_the_network(url: str):
    with JSONLWriter(url) as writer, JSONLReader(url, start=0) as reader:
        writer.write_all([1, 2])
        writer.flush()
        assert [next(reader), next(reader)] == [1, 2]


async def test_every_segments_outcome_is_told(url: str):
    outcomes: list[Outcome] = []
    async with AsyncJSONLWriter(url, rotate_bytes=2, on_outcome=outcomes.append) as writer:
        await writer.write_all([1, 2, 3])
    assert sorted(outcomes, key=lambda outcome: outcome.seq) == [Acknowledged(seq=seq, bytes=2) for seq in range(3)]


async def test_a_deleted_channel_raises_from_every_write_thereafter(url: str):
    async with AsyncJSONLWriter(url) as writer:
        await writer.write(1)
        await writer.flush()
        await anyio.to_thread.run_sync(delete, url)
        with fail_after(10), pytest.raises(ChannelClosedError):
            await write_for_ever_async(writer)
        for _ in range(2):
            with pytest.raises(ChannelClosedError):
                await writer.write(3)
            with pytest.raises(ChannelClosedError):
                await writer.flush()


def test_a_deleted_channel_raises_from_every_write_of_the_blocking_twin(url: str):
    with JSONLWriter(url) as writer:
        writer.write(1)
        writer.flush()
        delete(url)
        with pytest.raises(ChannelClosedError):
            write_for_ever(writer)
        with pytest.raises(ChannelClosedError):
            writer.write(3)


async def test_a_writer_that_waits_for_its_turn_is_told_that_the_channel_was_deleted(url: str):
    async def write(writer: AsyncJSONLWriter) -> None:
        with suppress(SegmentLostError):  # It comes first unless the failure is known already.
            await writer.write_all(range(10_000_000))
        await writer.write_all(range(10_000_000))

    async with AsyncJSONLWriter(url, keepalive_seconds=None) as writer:
        await writer.write(1)
        await writer.flush()
        await anyio.to_thread.run_sync(delete, url)
        with fail_after(10), pytest.raises(ChannelClosedError):
            await write(writer)


async def test_a_writer_is_used_between_its_start_and_its_end(url: str):
    writer = AsyncJSONLWriter(url)
    with pytest.raises(ClosedError):
        await writer.write(1)
    with pytest.raises(ClosedError):
        await writer.flush()
    async with writer:
        await writer.write(1)
    with pytest.raises(ClosedError):
        await writer.write(2)
    with pytest.raises(ClosedError):
        await writer.flush()
    assert (await writer.close()).messages == 1


def test_a_blocking_writer_is_used_between_its_start_and_its_end(url: str):
    writer = JSONLWriter(url)
    with pytest.raises(ClosedError):
        writer.write(1)
    with writer:
        writer.write(1)
    for use in (lambda: writer.write(2), writer.flush, lambda: writer.write_all([1])):
        with pytest.raises(ClosedError):
            use()
    assert writer.close().messages == 1


async def test_a_writer_that_is_cancelled_leaves_nothing_behind(url: str):
    with fail_after(10):
        with anyio.CancelScope() as scope:
            async with AsyncJSONLWriter(url) as writer:
                await writer.write(1)
                scope.cancel()
                await writer.flush()
    with pytest.raises(ClosedError):
        await writer.write(2)


async def test_another_task_may_close_a_writer(url: str):
    async with AsyncJSONLWriter(url, delete=False) as writer:
        await writer.write(1)
        async with create_task_group() as tasks:
            tasks.start_soon(writer.close)
        await anyio.lowlevel.checkpoint()
        with pytest.raises(ClosedError):
            await writer.write(2)
    assert segments(url, 1) == [b"1\n"]


async def test_a_writer_may_be_started_and_closed_without_a_block(url: str):
    writer = AsyncJSONLWriter(url, delete=False)
    await writer.start()
    await writer.write(1)
    assert (await writer.close()).acknowledged == 1
    await writer.close()
    assert segments(url, 1) == [b"1\n"]


async def test_messages_before_an_error_of_the_callers_are_sent(url: str):
    with suppress(ZeroDivisionError):  # And no group of errors.
        async with AsyncJSONLWriter(url, delete=False) as writer:
            await writer.write_all([1, 2])
            raise ZeroDivisionError
    assert segments(url, 1) == [b"1\n2\n"]


async def test_a_start_that_fails_raises(server: RunningServer):
    with pytest.raises(UnreachableError):
        async with AsyncJSONLWriter("http://127.0.0.1:1/channel"):
            pass
    with pytest.raises(ChannelNotFoundError):
        async with AsyncJSONLWriter(f"{server.base_url}/nobody-made-it", create=False):
            pass
    with pytest.raises((RefusedError, ChannelNotFoundError)), JSONLWriter(f"{server.base_url}/a/b/c"):
        pass


@pytest.mark.parametrize(
    "options",
    [
        {"rotate_seconds": 0},
        {"rotate_seconds": math.nan},
        {"rotate_bytes": 0},
        {"keepalive_seconds": 0},
        {"keepalive_seconds": math.nan},
        {"keepalive": object()},
        {"overflow": "burst"},
        {"headers": {"Host": "x"}},
    ],
)
def test_an_argument_that_cannot_be_is_refused(url: str, options: dict[str, Any]):
    for kind in (JSONLWriter, AsyncJSONLWriter):
        with pytest.raises(ValueError, match=r"."):
            kind(url, **options)


def test_a_channel_made_by_somebody_else_keeps_its_type(url: str):
    post(url, b"0\n", content_type="application/json")
    with JSONLWriter(url, delete=False) as writer, JSONLReader(url, start=0) as reader:
        writer.write_all([1, {"a": 2}])
        assert [next(reader) for _ in range(3)] == [0, 1, {"a": 2}]
