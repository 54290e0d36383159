"""How a publisher ends."""

import logging
import socket
import threading
import time
from contextlib import suppress

import anyio
import psutil
import pytest
from anyio.to_thread import run_sync
from posting_server import Exchange, posting_server, take

from livepeer.trickle._errors import ChannelNotFoundError, ClosedError, UnreachableError
from livepeer.trickle._outcomes import Acknowledged, Lost, Outcome
from livepeer.trickle._publish.async_publisher import AsyncPublisher
from livepeer.trickle._publish.publisher import Publisher

from .conftest import Make


def open_sockets() -> int:
    return len([1 for connection in psutil.Process().net_connections() if connection.status == "ESTABLISHED"])


def warnings_in(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno >= logging.WARNING]


async def test_the_close_waits_for_every_acknowledgement_and_then_deletes(make: Make):
    def take_late(exchange: Exchange) -> None:
        exchange.read_body()
        threading.Event().wait(0.2)
        take(exchange)

    with posting_server({f"POST {seq}": [take_late] for seq in range(6)}) as server:
        publisher = make(server.url)
        await publisher.start()
        segments = [await publisher.publish(b"a" * 1000) for _ in range(5)]
        last = await publisher.segment()
        await last.write(b"b")
        stats = await publisher.close()
        assert all(isinstance(segment.done_outcome, Acknowledged) for segment in [*segments, last])
        assert stats.acknowledged == 6
        assert server.asked[-1] == "DELETE"
        assert len(server.bodies) == 6


async def test_ten_last_segments_of_ten_are_whole(make: Make):
    for _ in range(10):
        with posting_server() as server:
            async with make(server.url) as publisher:
                await publisher.publish(b"a" * 256 * 1024)
            assert server.bodies == {0: b"a" * 256 * 1024}


async def test_the_close_drops_the_next_head_without_using_its_number(make: Make):
    with posting_server() as server:
        async with make(server.url, delete=False) as publisher:
            await publisher.publish(b"a")
            await run_sync(server.wait_until_asked, "POST 1")
        await run_sync(server.wait_until_left)
        assert server.next_seq == 1
        assert "DELETE 1" not in server.asked


async def test_the_close_returns_in_time_from_a_stalled_server(make: Make, caplog: pytest.LogCaptureFixture):
    names = [f"POST {seq}" for seq in range(10)]
    with posting_server({**{name: [Exchange.hang] for name in names}, "DELETE": [Exchange.hang]}) as server:
        outcomes: list[Outcome] = []
        publisher = make(server.url, on_outcome=outcomes.append)
        await publisher.start()
        for _ in range(5):
            await publisher.publish(b"a")
        begun = time.monotonic()
        stats = await publisher.close(0.6)
        assert 0.25 < time.monotonic() - begun < 1.2
        assert [outcome.reason for outcome in outcomes if isinstance(outcome, Lost)] == ["closing"] * 5
        assert stats.lost == 5
    assert len(warnings_in(caplog)) == 5


async def test_the_close_returns_in_time_from_a_dead_server(make: Make):
    with posting_server() as server:
        publisher = make(server.url)
        await publisher.start()
    await publisher.publish(b"a")
    begun = time.monotonic()
    stats = await publisher.close(0.5)
    assert time.monotonic() - begun < 1.0
    assert stats.lost == 1


async def test_closing_twice_or_before_the_start_does_nothing(make: Make):
    with posting_server() as server:
        unused = make(server.url)
        assert (await unused.close()).segments == 0
        with pytest.raises(ClosedError):
            await unused.start()
        publisher = make(server.url)
        await publisher.start()
        await publisher.close()
        await publisher.close()
        assert server.asked.count("DELETE") == 1
        for use in (publisher.segment, publisher.flush, publisher.start):
            with pytest.raises(ClosedError):
                await use()


async def test_a_delete_that_is_refused_is_no_error(make: Make):
    with posting_server({"DELETE": [lambda exchange: exchange.answer(403, "no\n")]}) as server:
        async with make(server.url) as publisher:
            await publisher.publish(b"a")
    assert publisher.stats.acknowledged == 1


async def test_an_error_in_the_block_aborts_the_open_segment_and_closes(make: Make, caplog: pytest.LogCaptureFixture):
    with posting_server() as server:
        with suppress(KeyError):
            async with make(server.url) as publisher:
                whole = await publisher.publish(b"a")
                segment = await publisher.segment()
                await segment.write(b"b")
                raise KeyError
        assert isinstance(whole.done_outcome, Acknowledged)
        assert segment.done_outcome.reason == "aborted"
        assert "DELETE" in server.asked
        await run_sync(server.wait_until_left)
    assert warnings_in(caplog) == []


async def test_no_socket_is_left(make: Make):
    before = open_sockets()
    with posting_server() as server:
        for _ in range(5):
            async with make(server.url) as publisher:
                await publisher.publish(b"a")
        await run_sync(server.wait_until_left)
    assert open_sockets() <= before


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.parametrize("moment", ["idle", "waiting for room", "waiting for an outcome", "flushing", "closing"])
def test_a_cancelled_publisher_deletes_its_channel_and_leaves_nothing(
    loop: str, moment: str, caplog: pytest.LogCaptureFixture
):
    async def publish(url: str) -> None:
        async with AsyncPublisher(url, max_buffered_bytes=10_000) as publisher:
            segment = await publisher.publish(b"a")
            if moment == "idle":
                await anyio.sleep_forever()
            elif moment == "waiting for an outcome":
                await segment.outcome()
            elif moment == "closing":
                return
            held_up = await publisher.segment()
            if moment == "waiting for room":
                await held_up.write(b"b" * 50_000_000)
            else:
                await held_up.write(b"b" * 9_000)
                await (await publisher.segment()).write(b"c" * 20_000_000)
                await publisher.flush()

    async def run(url: str) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(publish, url)
            await run_sync(server.wait_until_asked, "POST 0" if moment == "closing" else "POST 1")
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()

    names = [f"POST {seq}" for seq in range(5)]
    with posting_server({name: [Exchange.hang] for name in names}) as server:
        anyio.run(run, server.url, backend=loop)
        assert "DELETE" in server.asked
    server.wait_until_left()
    assert warnings_in(caplog) == []


def test_an_interrupted_program_deletes_its_channel_and_waits_for_nothing(caplog: pytest.LogCaptureFixture):
    with posting_server({"POST 0": [Exchange.hang]}) as server:
        begun = time.monotonic()
        with suppress(KeyboardInterrupt), Publisher(server.url) as publisher:
            publisher.publish(b"a")
            raise KeyboardInterrupt
        assert time.monotonic() - begun < 1
        assert "DELETE" in server.asked
        assert publisher.stats.lost == 1
    assert warnings_in(caplog) == []


def test_a_start_that_fails_leaves_no_socket(loop: str):
    async def start(url: str) -> None:
        with pytest.raises(ChannelNotFoundError):
            await AsyncPublisher(url).start()

    with posting_server({"GET next": [lambda exchange: exchange.answer(404, "x")]}) as server:
        anyio.run(start, server.url, backend=loop)
        server.wait_until_left()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreachableError):
        anyio.run(AsyncPublisher(f"http://127.0.0.1:{port}/c").start, backend=loop)
