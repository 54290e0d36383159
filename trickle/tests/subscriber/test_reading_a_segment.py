"""Parts, several readers, skipping, bounds."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import anyio
import pytest
from scripted_servers import Do, begun, chunk, ended, scripted, segment

from livepeer.trickle import (
    AsyncSegmentReader,
    AsyncSubscriber,
    ClosedError,
    SegmentInterruptedError,
    SegmentReader,
    StalledError,
    Subscriber,
)

LIMIT_SECONDS = 10
MEGABYTE = bytes(range(256)) * 4096


def test_a_part_is_there_before_the_next_one_is_written():
    read = threading.Event()
    with (
        scripted({"-2": [(begun(0, b"ab"), read, chunk(b"cd") + b"0\r\n\r\n")]}) as server,
        Subscriber(server.url) as subscriber,
    ):
        reader = next(subscriber)
        assert next(reader) == b"ab"
        read.set()
        assert reader.read() == b"cd"
        assert reader.read() == b""
        assert list(reader) == []
        assert reader.content_type == "a/b"


def test_a_segment_without_a_type_has_an_empty_one():
    with scripted({"-2": [segment(0, b"ab", content_type="")]}) as server, Subscriber(server.url) as subscriber:
        assert next(subscriber).content_type == ""


def test_small_chunks_come_together():
    with (
        scripted({"-2": [segment(0, *[b"{}\n"] * 10_000)], "1": [ended(1)]}) as server,
        Subscriber(server.url) as subscriber,
    ):
        parts = list(next(subscriber))
    assert b"".join(parts) == b"{}\n" * 10_000
    assert len(parts) < 1000


@pytest.mark.parametrize("size", [600_000, 30 << 20], ids=["long", "very long"])
def test_who_goes_on_skips_the_rest(size: int):
    whole = segment(0, b"ab", b"x" * size)
    with scripted({"-2": [whole], "1": [segment(1, b"c")], "2": [ended(2)]}) as server:
        with Subscriber(server.url) as subscriber:
            first = next(subscriber)
            assert next(first)
            second = next(subscriber)
            assert second.read() == b"c"
            with pytest.raises(SegmentInterruptedError, match="went on"):
                first.read()
            assert list(subscriber) == []
            assert subscriber.stats.interrupted == 0
        assert server.most_connections <= 3


def test_a_segment_that_only_lacks_its_end_is_not_skipped():
    sent = threading.Event()
    steps = (begun(0, b"ab"), "1", b"0\r\n\r\n", sent.set)
    with (
        scripted({"-2": [steps], "1": [segment(1, b"c")]}) as server,
        Subscriber(server.url) as subscriber,
    ):
        first = next(subscriber)
        assert next(first) == b"ab"
        assert sent.wait(LIMIT_SECONDS)
        assert next(subscriber).read() == b"c"
        assert first.read() == b""


def test_what_nobody_reads_stays_in_the_network():
    sent = [0]
    done = threading.Event()

    def count() -> None:
        sent[0] += 1

    steps = (begun(0, b"ab"), *(step for _ in range(64) for step in (chunk(MEGABYTE), count)), b"0\r\n\r\n", done.set)
    with (
        scripted({"-2": [steps], "1": [ended(1)]}) as server,
        Subscriber(server.url, abandon_seconds=0.05) as subscriber,
    ):
        reader = next(subscriber)
        first, second = reader.readers(2)
        got: list[bytes] = []
        with pytest.raises(StalledError, match="ahead of another"):
            got.extend(first)
        assert len(b"".join(got)) <= (1 << 20) + 2 * 256 * 1024
        assert sent[0] < 32
        assert not done.is_set()
        first.close()
        assert len(second.read()) == 2 + 64 * len(MEGABYTE)
        assert done.wait(LIMIT_SECONDS)


def test_several_threads_read_one_segment_from_its_first_byte():
    data = MEGABYTE * 4
    with (
        scripted({"-2": [segment(0, data)], "1": [ended(1)]}) as server,
        Subscriber(server.url, max_buffered_bytes=100_000) as subscriber,
        ThreadPoolExecutor(4) as pool,
    ):
        readers = next(subscriber).readers(4)
        assert all(read == data for read in pool.map(SegmentReader.read, readers))
        assert list(subscriber) == []


async def test_several_tasks_read_one_segment_from_its_first_byte():
    data = MEGABYTE * 4
    read: list[bytes] = []

    async def keep(reader: AsyncSegmentReader) -> None:
        read.append(await reader.read())

    with anyio.fail_after(LIMIT_SECONDS), scripted({"-2": [segment(0, data)], "1": [ended(1)]}) as server:
        async with AsyncSubscriber(server.url, max_buffered_bytes=100_000) as subscriber:
            async for reader in subscriber:
                async with anyio.create_task_group() as group:
                    for each in reader.readers(4):
                        group.start_soon(keep, each)
    assert [len(each) for each in read] == [len(data)] * 4
    assert set(read) == {data}


def test_readers_may_be_read_one_after_the_other_within_the_bound():
    with scripted({"-2": [segment(0, b"ab", b"cd")]}) as server, Subscriber(server.url) as subscriber:
        assert [reader.read() for reader in next(subscriber).readers(3)] == [b"abcd"] * 3


def test_a_reader_too_far_ahead_of_one_that_nobody_reads_says_so():
    with (
        scripted({"-2": [segment(0, MEGABYTE, MEGABYTE)]}) as server,
        Subscriber(server.url, max_buffered_bytes=1000, abandon_seconds=0.05) as subscriber,
    ):
        first, second = next(subscriber).readers(2)
        with pytest.raises(StalledError, match="at the same time"):
            first.read()
        assert next(second)
        with pytest.raises(StalledError):
            first.read()


async def test_a_task_too_far_ahead_of_a_reader_that_nobody_reads_says_so():
    with anyio.fail_after(LIMIT_SECONDS), scripted({"-2": [segment(0, MEGABYTE, MEGABYTE)]}) as server:
        async with AsyncSubscriber(server.url, max_buffered_bytes=1000, abandon_seconds=0.05) as subscriber:
            first, second = (await anext(subscriber)).readers(2)
            with pytest.raises(StalledError, match="at the same time"):
                await first.read()
            assert await anext(second)
            with pytest.raises(StalledError):
                await first.read()


def test_a_reader_that_waits_for_a_thread_that_has_ended_says_so():
    with (
        scripted({"-2": [segment(0, MEGABYTE, MEGABYTE)]}) as server,
        Subscriber(server.url, max_buffered_bytes=1000) as subscriber,
    ):
        first, second = next(subscriber).readers(2)
        thread = threading.Thread(target=next, args=(second,))
        thread.start()
        thread.join(LIMIT_SECONDS)
        with pytest.raises(StalledError):
            first.read()


async def test_a_reader_that_waits_for_a_task_that_has_ended_says_so():
    with anyio.fail_after(LIMIT_SECONDS), scripted({"-2": [segment(0, MEGABYTE, MEGABYTE)]}) as server:
        async with AsyncSubscriber(server.url, max_buffered_bytes=1000, abandon_seconds=0.05) as subscriber:
            first, second = (await anext(subscriber)).readers(2)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(anext, second)
            with pytest.raises(StalledError):
                await first.read()


def test_a_fast_thread_waits_for_a_slow_one():
    with (
        scripted({"-2": [segment(0, MEGABYTE, MEGABYTE)]}) as server,
        Subscriber(server.url, max_buffered_bytes=1000) as subscriber,
        ThreadPoolExecutor(2) as pool,
    ):
        first, second = next(subscriber).readers(2)
        waits, go_on = threading.Event(), threading.Event()

        def read_slowly() -> int:
            size = len(next(second))
            waits.set()
            assert go_on.wait(LIMIT_SECONDS)
            return size + len(second.read())

        slow = pool.submit(read_slowly)
        assert waits.wait(LIMIT_SECONDS)
        fast = pool.submit(first.read)
        assert not fast.done()
        go_on.set()
        assert slow.result(LIMIT_SECONDS) == len(fast.result(LIMIT_SECONDS)) == 2 << 20


def test_a_reader_that_is_closed_holds_nobody_up():
    with (
        scripted({"-2": [segment(0, MEGABYTE)]}) as server,
        Subscriber(server.url, max_buffered_bytes=1000) as subscriber,
    ):
        first, second = next(subscriber).readers(2)
        second.close()
        second.close()
        assert first.read() == MEGABYTE
        with pytest.raises(ClosedError):
            second.read()


def test_readers_are_asked_for_before_the_first_part_is_read():
    with scripted({"-2": [segment(0, b"ab")]}) as server, Subscriber(server.url) as subscriber:
        reader = next(subscriber)
        with pytest.raises(ValueError, match="one reader or more"):
            reader.readers(0)
        reader.readers(2)
        with pytest.raises(ClosedError):
            reader.readers(2)
        with pytest.raises(ClosedError):
            next(reader)


def test_one_reader_of_a_segment_that_was_read_from_has_no_readers():
    with scripted({"-2": [segment(0, b"ab")]}) as server, Subscriber(server.url) as subscriber:
        reader = next(subscriber)
        assert next(reader) == b"ab"
        with pytest.raises(ClosedError, match="first"):
            reader.readers(2)


def test_readers_on_other_threads_are_told_when_the_subscriber_goes_on():
    with (
        scripted({"-2": [(begun(0, b"ab"), Do.SILENT)], "1": [segment(1, b"c")]}) as server,
        Subscriber(server.url) as subscriber,
        ThreadPoolExecutor(2) as pool,
    ):
        readers = next(subscriber).readers(2)
        begun_reading: Sequence[bytes] = [next(reader) for reader in readers]
        assert begun_reading == [b"ab", b"ab"]
        waiting = [pool.submit(reader.read) for reader in readers]
        assert next(subscriber).read() == b"c"
        for each in waiting:
            with pytest.raises(SegmentInterruptedError, match="went on"):
                each.result(LIMIT_SECONDS)


async def test_readers_in_other_tasks_are_told_when_the_subscriber_goes_on():
    told: list[str] = []

    async def read(reader: AsyncSegmentReader) -> None:
        with pytest.raises(SegmentInterruptedError) as caught:
            await reader.read()
        told.append(str(caught.value))

    with (
        anyio.fail_after(LIMIT_SECONDS),
        scripted({"-2": [(begun(0, b"ab"), Do.SILENT)], "1": [segment(1, b"c")]}) as server,
    ):
        async with AsyncSubscriber(server.url) as subscriber, anyio.create_task_group() as group:
            for reader in (await anext(subscriber)).readers(3):
                assert await anext(reader) == b"ab"
                group.start_soon(read, reader)
            await anyio.wait_all_tasks_blocked()
            assert await (await anext(subscriber)).read() == b"c"
    assert len(told) == 3


def test_the_parts_that_came_can_be_read_after_the_subscriber_went_on():
    with (
        scripted({"-2": [segment(0, b"ab")], "1": [segment(1, b"c")]}) as server,
        Subscriber(server.url) as subscriber,
    ):
        first = next(subscriber)
        second = next(subscriber)
        assert first.read() == b"ab"
        assert second.read() == b"c"
