"""Leaving at any time, with nothing left behind."""

import gc
import os
import signal
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor

import anyio
import anyio.lowlevel
import psutil
import pytest
from scripted_servers import Do, begun, chunk, ended, scripted, segment

from livepeer.trickle import AsyncSubscriber, ClosedError, Subscriber

LIMIT_SECONDS = 10


def test_closing_wakes_a_thread_that_waits_for_a_segment():
    with scripted({}) as server, Subscriber(server.url) as subscriber, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, subscriber)
        server.wait_until_asked("-2")
        subscriber.close()
        with pytest.raises(ClosedError):
            waiting.result(LIMIT_SECONDS)
        server.wait_until_left()


def test_closing_wakes_threads_that_wait_for_a_part():
    with (
        scripted({"-2": [(begun(0, b"a"), Do.SILENT)]}) as server,
        Subscriber(server.url) as subscriber,
        ThreadPoolExecutor(3) as pool,
    ):
        readers = next(subscriber).readers(3)
        assert [next(reader) for reader in readers] == [b"a"] * 3
        waiting = [pool.submit(reader.read) for reader in readers]
        subscriber.close()
        for each in waiting:
            with pytest.raises(ClosedError):
                each.result(LIMIT_SECONDS)
        server.wait_until_left()


async def test_closing_wakes_tasks_that_wait():
    woken: list[str] = []

    async def wait_for(what: AsyncSubscriber) -> None:
        with pytest.raises(ClosedError):
            await anext(what)
        woken.append("segment")

    with anyio.fail_after(LIMIT_SECONDS), scripted({}) as server:
        async with AsyncSubscriber(server.url) as subscriber, anyio.create_task_group() as group:
            group.start_soon(wait_for, subscriber)
            await anyio.to_thread.run_sync(server.wait_until_asked, "-2")
            await subscriber.close()
            await anyio.to_thread.run_sync(server.wait_until_left)
    assert woken == ["segment"]


def test_nothing_is_read_after_the_close():
    with scripted({"-2": [segment(0, b"a")]}) as server:
        subscriber = Subscriber(server.url)
        reader = next(subscriber)
        subscriber.close()
        subscriber.close()
        with pytest.raises(ClosedError):
            next(subscriber)
        with pytest.raises(ClosedError):
            next(reader)
        assert subscriber.stats.segments == 1


async def test_nothing_is_read_after_the_close_in_an_event_loop():
    with scripted({"-2": [segment(0, b"a")]}) as server:
        subscriber = AsyncSubscriber(server.url)
        reader = await anext(subscriber)
        await subscriber.close()
        await subscriber.close()
        with pytest.raises(ClosedError):
            await anext(subscriber)
        with pytest.raises(ClosedError):
            await anext(reader)


def test_a_subscriber_that_is_never_used_leaves_nothing():
    before = psutil.Process().num_fds()
    Subscriber("http://127.0.0.1:1/c")
    AsyncSubscriber("http://127.0.0.1:1/c")
    gc.collect()
    assert psutil.Process().num_fds() == before


@pytest.fixture
def interruptible() -> Generator[None]:
    """Have SIGINT raise KeyboardInterrupt, which it does not where the tests were started in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "script", [{}, {"-2": [(begun(0, b"a"), Do.SILENT)]}], ids=["before a segment", "within a segment"]
)
def test_an_interrupt_leaves_nothing(script: dict[str, list[object]], interruptible: None):
    with scripted(script) as server:  # type: ignore[arg-type]

        def interrupt() -> None:
            server.wait_until_asked("1" if script else "-2")
            threading.Event().wait(0.05)  # Nobody can see from outside that it waits now.
            os.kill(os.getpid(), signal.SIGINT)

        interrupter = threading.Thread(target=interrupt)
        before = psutil.Process().num_fds()
        interrupter.start()
        with pytest.raises(KeyboardInterrupt), Subscriber(server.url) as subscriber:
            next(subscriber).read()
        interrupter.join(LIMIT_SECONDS)
        server.wait_until_left()
        assert psutil.Process().num_fds() <= before


def test_a_signal_that_closes_ends_the_wait_of_its_own_thread():
    with scripted({}) as server, Subscriber(server.url) as subscriber:
        before = signal.signal(signal.SIGUSR1, lambda *_: subscriber.close())
        try:
            sender = threading.Thread(
                target=lambda: (server.wait_until_asked("-2"), os.kill(os.getpid(), signal.SIGUSR1))
            )
            sender.start()
            with pytest.raises(ClosedError):
                next(subscriber)
            sender.join(LIMIT_SECONDS)
            server.wait_until_left()
        finally:
            signal.signal(signal.SIGUSR1, before)


async def test_cancelling_at_any_await_leaves_nothing():
    """A deadline moves over a whole reading, and cancels it wherever it is then."""
    waits = threading.Event()

    def pause() -> None:
        waits.wait(0.002)

    script = {
        "-2": [(pause, begun(0, b"a"), pause, chunk(b"b") + b"0\r\n\r\n")],
        "1": [(pause, pause, segment(1, b"c"))],
        "2": [(pause, ended(2))],
    }
    cancelled = finished = 0
    with anyio.fail_after(2 * LIMIT_SECONDS), scripted(script) as server:
        for step in range(60):
            with anyio.move_on_after(step * 0.0005) as scope:
                async with AsyncSubscriber(server.url, refresh_seconds=0.004) as subscriber:
                    async for reader in subscriber:
                        await reader.read()
                finished += 1
            cancelled += scope.cancelled_caught
            await anyio.to_thread.run_sync(server.wait_until_left)
    assert cancelled
    assert finished


async def test_a_cancelled_wait_has_taken_nothing():
    read: list[bytes] = []
    steps = (begun(0, b"a"), *(step for byte in b"bcdefgh" for step in (wait_a_little, chunk(bytes([byte])))))
    with (
        anyio.fail_after(LIMIT_SECONDS),
        scripted({"-2": [(*steps, b"0\r\n\r\n")], "1": [ended(1)]}) as server,
    ):
        async with AsyncSubscriber(server.url) as subscriber:
            reader = None
            while reader is None:
                with anyio.move_on_after(0.001):
                    reader = await anext(subscriber)
            while b"h" not in b"".join(read):
                with anyio.move_on_after(0.002):
                    read.append(await anext(reader))
    assert b"".join(read) == b"abcdefgh"


def wait_a_little() -> None:
    threading.Event().wait(0.007)


async def test_another_reader_goes_on_when_the_one_that_waits_for_the_network_is_cancelled():
    go_on = threading.Event()
    read: list[bytes] = []
    steps = (begun(0, b"a"), go_on, chunk(b"b") + b"0\r\n\r\n")
    with anyio.fail_after(LIMIT_SECONDS), scripted({"-2": [steps], "1": [ended(1)]}) as server:
        async with AsyncSubscriber(server.url) as subscriber:
            first, second = (await anext(subscriber)).readers(2)

            scope = anyio.CancelScope()

            async def read_first() -> None:
                with scope:
                    await first.read()

            async def read_second() -> None:
                read.append(await second.read())

            async with anyio.create_task_group() as group:
                group.start_soon(read_first)
                await anyio.wait_all_tasks_blocked()
                group.start_soon(read_second)
                await anyio.wait_all_tasks_blocked()
                scope.cancel()
                await first.close()
                go_on.set()
    assert read == [b"ab"]


async def test_other_tasks_have_their_turn_however_much_there_is_to_read():
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.lowlevel.checkpoint()

    many = segment(0, *[b"x" * 100_000] * 500)
    with anyio.fail_after(LIMIT_SECONDS), scripted({"-2": [many], "1": [ended(1)]}) as server:
        async with AsyncSubscriber(server.url) as subscriber, anyio.create_task_group() as group:
            group.start_soon(count)
            async for reader in subscriber:
                await reader.read()
            group.cancel_scope.cancel()
    assert turns > 10


def test_only_one_thread_at_a_time_waits_for_the_next_segment():
    with scripted({}) as server, Subscriber(server.url) as subscriber, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, subscriber)
        server.wait_until_asked("-2")
        with pytest.raises(RuntimeError, match="already"):
            next(subscriber)
        assert not waiting.done()
        subscriber.close()
        with pytest.raises(ClosedError):
            waiting.result(LIMIT_SECONDS)


async def test_only_one_task_at_a_time_waits_for_the_next_segment():
    with anyio.fail_after(LIMIT_SECONDS), scripted({}) as server:
        async with AsyncSubscriber(server.url) as subscriber, anyio.create_task_group() as group:
            group.start_soon(anext, subscriber)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(RuntimeError, match="already"):
                await anext(subscriber)
            group.cancel_scope.cancel()
