from contextlib import suppress

import anyio
import pytest

from livepeer.trickle import (
    Acknowledged,
    AsyncPublisher,
    AsyncSubscriber,
    Outcome,
    Publisher,
    SegmentError,
    SegmentInterruptedError,
    Subscriber,
    UnreachableError,
)

from .fault_server import ServerProcess

LIMIT_SECONDS = 30
PART = bytes(range(256)) * 40


async def test_a_publisher_goes_on_after_the_server_was_killed_and_every_segment_has_an_outcome(server: ServerProcess):
    outcomes: list[Outcome] = []
    with anyio.fail_after(LIMIT_SECONDS):
        async with AsyncPublisher(f"{server.url}/killed", on_outcome=outcomes.append, restart_seconds=20) as publisher:
            begun = 0
            for number in range(12):
                if number == 6:
                    server.kill()
                    await anyio.to_thread.run_sync(server.start)
                segment = await publisher.segment()
                begun += 1
                try:
                    await segment.write(PART)
                    await segment.end()
                except SegmentError:
                    continue
            await segment.outcome()
        assert len(outcomes) == begun == publisher.stats.acknowledged + publisher.stats.lost + publisher.stats.refused
        assert isinstance(outcomes[-1], Acknowledged)
        assert publisher.stats.restarts == 1
        assert publisher.stats.acknowledged >= 10  # Those under way when it was killed may be lost, and say so.


def test_a_blocking_publisher_goes_on_too(server: ServerProcess):
    outcomes: list[Outcome] = []
    with Publisher(f"{server.url}/killed", on_outcome=outcomes.append, restart_seconds=20) as publisher:
        for number in range(12):
            if number == 6:
                server.kill()
                server.start()
            segment = publisher.publish(PART)
        segment.outcome()
    assert len(outcomes) == 12
    assert isinstance(outcomes[-1], Acknowledged)
    assert publisher.stats.acknowledged >= 10


async def publish_until_it_fails(publisher: AsyncPublisher) -> None:
    for _ in range(1000):
        with suppress(SegmentError):
            await publisher.publish(PART)


async def test_a_server_that_does_not_come_back_ends_the_publisher_with_an_error(server: ServerProcess):
    with anyio.fail_after(LIMIT_SECONDS):
        async with AsyncPublisher(f"{server.url}/gone", restart_seconds=0.5) as publisher:
            await (await publisher.publish(PART)).outcome()
            server.kill()
            with pytest.raises(UnreachableError):
                await publish_until_it_fails(publisher)
        stats = publisher.stats
        assert stats.segments == stats.acknowledged + stats.lost + stats.refused


async def test_a_subscriber_tells_a_killed_server_from_the_end_of_the_stream(server: ServerProcess):
    url = f"{server.url}/killed"
    with Publisher(url, delete=False) as publisher, anyio.fail_after(LIMIT_SECONDS):
        segment = publisher.segment()
        segment.write(PART)
        async with AsyncSubscriber(url, retry_seconds=0.5) as subscriber:
            segments = aiter(subscriber)
            reading = await anext(segments)
            got = await anext(aiter(reading))
            server.kill()
            with pytest.raises(SegmentInterruptedError) as broken:
                await reading.read()
            assert (broken.value.seq, broken.value.bytes_read) == (0, len(got))
            with pytest.raises(UnreachableError):
                await anext(segments)
        publisher.close(timeout_seconds=0.1)


async def test_a_subscriber_that_waits_finds_the_channel_again_after_a_restart(server: ServerProcess):
    url = f"{server.url}/back"
    with anyio.fail_after(LIMIT_SECONDS):
        async with AsyncSubscriber(url, start="earliest", retry_seconds=20, wait_seconds=20) as subscriber:
            segments = aiter(subscriber)
            with Publisher(url, delete=False) as publisher:
                publisher.publish(b"before").outcome()
                publisher.publish(b"also before").outcome()
                assert await (await anext(segments)).read() == b"before"
                assert await (await anext(segments)).read() == b"also before"
            server.kill()
            server.start()
            with Publisher(url) as publisher:
                publisher.publish(b"after").outcome()
                segment = await anext(segments)
                assert (await segment.read(), segment.restarted) == (b"after", True)


def test_a_channel_that_is_deleted_mid_stream_ends_the_reading_without_an_error(server: ServerProcess):
    url = f"{server.url}/deleted"
    with Publisher(url) as publisher:
        publisher.publish(b"one").outcome()
        subscriber = Subscriber(url)
        with subscriber:
            segments = iter(subscriber)
            assert next(segments).read() == b"one"
            publisher.close()
            assert next(segments, None) is None
