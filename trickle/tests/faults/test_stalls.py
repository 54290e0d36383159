import time
from collections.abc import Generator
from contextlib import suppress
from typing import Any

import anyio
import psutil
import pytest

from livepeer.trickle import (
    AsyncPublisher,
    AsyncSubscriber,
    Lost,
    Publisher,
    SegmentInterruptedError,
    SegmentLostError,
    Subscriber,
    TrickleError,
)

from .fault_proxy import Mode, Proxy, proxied
from .fault_server import ServerProcess

LIMIT_SECONDS = 30
PART = bytes(16 * 1024)


@pytest.fixture
def proxy(server: ServerProcess) -> Generator[Proxy]:
    with proxied(server.port) as running:
        yield running


def resident_mb() -> float:
    return psutil.Process().memory_info().rss / 1e6


@pytest.mark.parametrize("overflow", ["wait", "drop_oldest"])
async def test_a_stalled_server_costs_little_memory_and_every_segment_is_accounted_for(proxy: Proxy, overflow: str):
    with anyio.fail_after(LIMIT_SECONDS):
        settings: Any = {"overflow": overflow, "stall_seconds": 0.5}
        async with AsyncPublisher(f"{proxy.url}/stalled", **settings) as publisher:
            await (await publisher.publish(PART)).outcome()
            proxy.set(Mode.STALL)
            before = resident_mb()
            with anyio.move_on_after(2):
                for _ in range(2000):  # 32 MB
                    with suppress(TrickleError):
                        await publisher.publish(PART)
            assert resident_mb() - before < 5
            begun = time.monotonic()
            await publisher.close(timeout_seconds=1)
            assert time.monotonic() - begun < 1.5
    stats = publisher.stats
    assert stats.lost > 0
    assert stats.segments == stats.acknowledged + stats.lost + stats.refused


def test_a_blocking_publisher_closes_in_time_on_a_stalled_server(proxy: Proxy):
    lost: list[Lost] = []
    publisher = Publisher(
        f"{proxy.url}/stalled",
        stall_seconds=0.5,
        on_outcome=lambda outcome: lost.append(outcome) if isinstance(outcome, Lost) else None,
    )
    publisher.start()
    publisher.publish(PART).outcome()
    proxy.set(Mode.STALL)
    segment = publisher.segment()
    with pytest.raises(SegmentLostError) as caught:
        segment.write(bytes(64 * 1024 * 1024))
    assert caught.value.outcome.reason == "stalled"
    begun = time.monotonic()
    publisher.close(timeout_seconds=0.5)
    assert time.monotonic() - begun < 1
    assert [outcome.reason for outcome in lost][:1] == ["stalled"]


async def test_a_publisher_behind_a_machine_that_went_without_a_word_notices_and_says_what_it_lost(proxy: Proxy):
    with anyio.fail_after(LIMIT_SECONDS):
        publisher = AsyncPublisher(f"{proxy.url}/half-open", stall_seconds=0.3)
        await publisher.start()
        await (await publisher.publish(PART)).outcome()
        proxy.set(Mode.SILENT)
        segment = await publisher.publish(PART)
        outcome = await segment.outcome()
        assert isinstance(outcome, Lost)
        assert outcome.reason in ("stalled", "disconnected")
        await publisher.close(timeout_seconds=0.5)


async def test_a_connection_cut_in_the_middle_of_a_segment_costs_that_segment_alone(proxy: Proxy):
    with anyio.fail_after(LIMIT_SECONDS):
        async with AsyncPublisher(f"{proxy.url}/cut") as publisher:
            await (await publisher.publish(PART)).outcome()
            segment = await publisher.segment()
            await segment.write(PART)
            async with AsyncSubscriber(f"{proxy.url}/cut", start=1) as subscriber:
                reading = await anext(aiter(subscriber))
                await anext(aiter(reading))
                proxy.cut()
                with pytest.raises(SegmentInterruptedError):
                    await reading.read()
            outcome = await segment.outcome()
            assert isinstance(outcome, Lost)
            after = await publisher.publish(b"after")
            assert type(await after.outcome()).__name__ == "Acknowledged"


def test_connections_cut_between_segments_cost_nothing(proxy: Proxy):
    url = f"{proxy.url}/between"
    with Publisher(url) as publisher, Subscriber(url, start=0) as subscriber:
        segments = iter(subscriber)
        for number in range(4):
            proxy.cut()
            publisher.publish(b"%d" % number).outcome()
            segment = next(segments)
            assert (segment.seq, segment.read(), segment.gap) == (number, b"%d" % number, None)
        assert publisher.stats.acknowledged == 4
