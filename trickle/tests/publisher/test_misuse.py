"""What a publisher refuses, and how it says so."""

import threading
from typing import Any

import anyio
import pytest
from anyio.to_thread import run_sync
from posting_server import Exchange, posting_server

from livepeer.trickle._errors import ClosedError, SegmentLostError
from livepeer.trickle._publish.async_publisher import AsyncPublisher
from livepeer.trickle._publish.publisher import Publisher

from .conftest import Make

URL = "http://127.0.0.1:9/c"


@pytest.mark.parametrize("cls", [AsyncPublisher, Publisher])
@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"url": "ftp://x/c"}, "http"),
        ({"url": "http://x/"}, "names no channel"),
        ({"overflow": "drop"}, "drop_oldest"),
        ({"max_buffered_bytes": 0}, "max_buffered_bytes"),
        ({"stall_seconds": 0}, "stall_seconds"),
        ({"stall_seconds": float("nan")}, "stall_seconds"),
        ({"connect_seconds": -1}, "connect_seconds"),
        ({"restart_seconds": -1}, "restart_seconds"),
        ({"headers": {"Content-Type": "a/b"}}, "content_type"),
        ({"headers": {"transfer-encoding": "x"}}, "transfer-encoding"),
        ({"headers": {"A": "b\r\nC: d"}}, "cannot be sent"),
        ({"content_type": "a\nb"}, "cannot be sent"),
    ],
)
def test_arguments_that_are_none_are_refused_with_advice(cls: Any, options: dict[str, Any], says: str):
    with pytest.raises(ValueError, match=says):
        cls(**{"url": URL, **options})


async def test_nothing_can_be_published_before_the_start(make: Make):
    publisher = make(URL)
    with pytest.raises(ClosedError, match="not started"):
        await publisher.publish(b"a")
    with pytest.raises(ClosedError, match="not started"):
        await publisher.segment()


async def test_what_is_no_bytes_or_nothing_is_refused_and_nothing_is_sent(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            for wrong in ("text", 5, None, [1]):
                with pytest.raises(TypeError):
                    await publisher.publish(wrong)
            segment = await publisher.segment()
            with pytest.raises(TypeError):
                await segment.write("text")
            with pytest.raises(ValueError, match="at least one byte"):
                await segment.write(b"")
            await segment.write(b"a")
    assert server.bodies == {0: b"a"}


async def test_a_segment_cannot_be_written_after_its_end_or_the_close(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            ended = await publisher.segment()
            await ended.write(b"a")
            await ended.end()
            await ended.end()
            with pytest.raises(ClosedError, match="has ended"):
                await ended.write(b"b")
            left = await publisher.segment()
        with pytest.raises(ClosedError):
            await left.write(b"c")
    assert server.bodies == {0: b"a", 1: b""}


async def test_a_second_start_is_refused(make: Make):
    with posting_server() as server:
        async with make(server.url) as publisher:
            with pytest.raises(ClosedError, match="once"):
                await publisher.start()


def test_two_writers_at_once_are_refused():
    async def run(url: str) -> None:
        async with AsyncPublisher(url, max_buffered_bytes=1000, delete=False) as publisher:
            segment = await publisher.segment()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(segment.write, b"a" * 20_000_000)
                await anyio.wait_all_tasks_blocked()
                with pytest.raises(RuntimeError, match="at the same time"):
                    await publisher.publish(b"b")
                tasks.cancel_scope.cancel()
            await publisher.close(0.1)

    with posting_server({"POST 0": [Exchange.hang]}) as server:
        anyio.run(run, server.url)


def test_two_threads_at_once_are_refused():
    with posting_server({"POST 0": [Exchange.hang]}) as server:
        publisher = Publisher(server.url, stall_seconds=1, max_buffered_bytes=1000, delete=False)
        publisher.start()
        segment = publisher.segment()
        errors: list[Exception] = []

        def write() -> None:
            try:
                segment.write(b"a" * 20_000_000)
            except (RuntimeError, SegmentLostError) as error:
                errors.append(error)

        threads = [threading.Thread(target=write) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert any(isinstance(error, RuntimeError) for error in errors)
        publisher.close(0.1)


def test_the_outcome_of_an_open_segment_is_not_waited_for_on_the_only_thread():
    with posting_server() as server, Publisher(server.url) as publisher:
        segment = publisher.segment()
        with pytest.raises(ValueError, match="still open"):
            segment.outcome()


# A blocking publisher is closed by the thread that writes.
@pytest.mark.parametrize("flavour", ["asyncio", "trio"], indirect=True)
async def test_a_writer_that_waits_for_room_is_told_of_the_close(make: Make):
    with posting_server({"POST 0": [Exchange.hang]}) as server:
        async with make(server.url, max_buffered_bytes=1000, delete=False) as publisher:
            segment = await publisher.segment()

            async def write() -> None:
                with pytest.raises(ClosedError):
                    await segment.write(b"a" * 20_000_000)

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(write)
                await run_sync(server.wait_until_asked, "POST 0")
                await publisher.close(0.1)
