"""Slow readers, dead publishers, and channels that last longer than any limit of theirs, all made small."""

import itertools
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager

import anyio
import pytest

from livepeer.trickle import (
    AsyncPublisher,
    AsyncSubscriber,
    FellBehindError,
    Gap,
    Publisher,
    SegmentInterruptedError,
    Subscriber,
)

from .fault_server import ServerProcess, server_process

LIMIT_SECONDS = 30


@pytest.mark.parametrize("lag", ["latest", "earliest"])
async def test_a_slow_subscriber_is_told_of_each_segment_that_it_missed(server: ServerProcess, lag: str):
    url = f"{server.url}/slow"
    with anyio.fail_after(LIMIT_SECONDS):
        async with AsyncPublisher(url) as publisher, AsyncSubscriber(url, start=0, lag=lag) as subscriber:  # type: ignore[arg-type]
            seen: list[int] = []
            missed: list[Gap] = []
            segments = aiter(subscriber)
            for round_number in range(4):
                for _ in range(12):
                    segment = await publisher.publish(b"x" * 100)
                    await segment.outcome()
                reading = await anext(segments)
                seen.append(reading.seq)
                missed += [reading.gap] if reading.gap else []
                assert round_number or reading.gap or reading.seq == 0
            numbers = sorted([*seen, *itertools.chain(*(range(gap.first, gap.last + 1) for gap in missed))])
            assert numbers == list(range(seen[-1] + 1))
            assert subscriber.stats.missed == sum(gap.count for gap in missed) > 0


def test_a_slow_subscriber_that_wants_all_of_them_gets_an_error(server: ServerProcess):
    url = f"{server.url}/slow"
    with Publisher(url) as publisher, Subscriber(url, start=0, lag="fail") as subscriber:
        segments = iter(subscriber)
        for _ in range(12):
            publisher.publish(b"x").outcome()
        with pytest.raises(FellBehindError) as caught:
            list(segments)
        assert caught.value.gap.first <= 2


PUBLISH_AND_HANG = """
import sys, time
from livepeer.trickle import Publisher
publisher = Publisher(sys.argv[1])
publisher.start()
publisher.segment().write(b"half")
print("written", flush=True)
time.sleep(60)
"""


@contextmanager
def hanging_publisher(url: str) -> Generator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-c", PUBLISH_AND_HANG, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        try:
            yield process
        finally:
            process.kill()


async def test_a_publisher_killed_in_the_middle_of_a_segment_does_not_make_it_look_whole():
    with server_process("--abort-grace-seconds", "0.2") as server:
        url = f"{server.url}/orphan"
        with hanging_publisher(url) as process:
            with anyio.fail_after(LIMIT_SECONDS):
                async with AsyncSubscriber(url) as subscriber:
                    segments = aiter(subscriber)
                    segment = await anext(segments)
                    parts = aiter(segment)
                    assert await anext(parts) == b"half"
                    process.kill()
                    with pytest.raises(SegmentInterruptedError) as caught:
                        await anext(parts)
                    assert (caught.value.seq, caught.value.bytes_read) == (0, 4)
                    async with AsyncPublisher(url) as again:
                        await again.publish(b"whole")
                        assert await (await anext(segments)).read() == b"whole"


async def test_a_segment_longer_than_every_limit_arrives_whole():
    with server_process("--idle-seconds", "0.4", "--sweep-seconds", "0.1") as server:
        url = f"{server.url}/long"
        limits = {"connect_seconds": 0.5}
        with anyio.fail_after(LIMIT_SECONDS):
            async with (
                AsyncPublisher(url, stall_seconds=0.3, restart_seconds=0.3, **limits) as publisher,
                AsyncSubscriber(url, refresh_seconds=0.3, abandon_seconds=0.3, retry_seconds=0.3, **limits) as reader,
            ):
                segment = await publisher.segment()
                await segment.write(b"x")
                reading = await anext(aiter(reader))
                begun, written = time.monotonic(), 1
                while time.monotonic() - begun < 2:
                    await anyio.sleep(0.05)
                    await segment.write(b"x")
                    written += 1
                await segment.end()
                assert await reading.read() == b"x" * written
                assert type(await segment.outcome()).__name__ == "Acknowledged"


async def test_a_channel_silent_for_longer_than_every_limit_is_still_there():
    with server_process() as server:
        url = f"{server.url}/silent"
        with anyio.fail_after(LIMIT_SECONDS):
            async with (
                AsyncPublisher(url, stall_seconds=0.2, restart_seconds=0.2, connect_seconds=0.5) as publisher,
                AsyncSubscriber(url, refresh_seconds=0.1, retry_seconds=0.2, connect_seconds=0.5) as subscriber,
            ):
                segments = aiter(subscriber)
                for number in range(2):
                    data = b"%d" % number * 1000
                    waiting: list[bytes] = []

                    async def read(waiting: list[bytes] = waiting) -> None:
                        waiting.append(await (await anext(segments)).read())

                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(read)
                        await anyio.sleep(1.5)
                        assert not waiting
                        await publisher.publish(data)
                    assert waiting == [data]
                assert subscriber.stats.refreshes > 10
                assert subscriber.stats.gaps == 0
