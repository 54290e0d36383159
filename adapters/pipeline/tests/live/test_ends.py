"""Every way in which a session ends, or does not even start."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

import anyio
import pytest

from livepeer.core import (
    BusyError,
    Call,
    CallError,
    InvalidInputError,
    ModelFailedError,
    ModelRefusedError,
    SessionEndedError,
    SessionExistsError,
    SessionStart,
)
from livepeer.runner import LiveCapability, LivePipeline

from .streams import LIMIT_SECONDS, Channel, Network, refusal, running


def _join_one() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("media-"):
            thread.join()


def live_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith(("livepeer-stream", "media-"))]


async def test_a_stopped_session_says_why_and_leaves_no_thread(network: Network) -> None:
    async with running(LivePipeline, network.open("events", "control", "data")) as session:
        assert live_threads() == ["livepeer-stream"]
        report = await session.stop()
        end = await session.events.wait_for_end()
    assert (report.state, report.reason, report.detail) == ("ended", "stopped", "the test says so")
    assert (end["reason"], end["detail"], end["stream_id"]) == ("stopped", "the test says so", "cam")
    assert session.events.messages[-1] == end
    assert live_threads() == []


async def test_a_stream_that_was_stopped_can_run_again(network: Network) -> None:
    live = LiveCapability(LivePipeline).live
    for _ in range(2):
        async with running(live, network.open("events")) as session:
            await session.stop()
            await live.stop("cam", "again")


@pytest.mark.parametrize("kind", ["control", "events", "data"])
async def test_a_channel_that_ends_ends_the_session(network: Network, kind: str) -> None:
    class Talking(LivePipeline):
        heartbeat_seconds = 0.1

        def on_stream_start(self, params: Any) -> None:
            self.thread = threading.Thread(target=self.talk)
            self.thread.start()

        def talk(self) -> None:
            while not over.wait(0.05):
                self.emit_data("tick")

        def on_stream_stop(self) -> None:
            over.set()
            self.thread.join()

    over = threading.Event()
    start = network.open("control", "events", "data")
    async with running(Talking, start) as session:
        network.end(getattr(start, f"{kind}_url"))
        assert (await session.end()).reason == "channel_closed"
    assert kind in (session.reports[-1].detail or "")


async def test_a_control_channel_that_is_not_there_ends_the_session(network: Network) -> None:
    start = network.open("events").model_copy(update={"control_url": f"{network.base_url}/nobody-made-it"})
    async with running(LivePipeline, start) as session:
        report = await session.end()
    assert report.reason == "channel_closed"
    assert "control" in (report.detail or "")


@pytest.mark.parametrize("close", ["aclose", "cancel"])
async def test_closing_or_cancelling_stops_the_session_and_cleans_up(network: Network, close: str) -> None:
    class Ending(LivePipeline):
        def on_stream_stop(self) -> None:
            stopped.append(self.stream_id)

    stopped: list[str] = []
    live = LiveCapability(Ending).live
    start = network.open("events", "control")

    async def iterate() -> None:
        async with aclosing(live.run(start, Call())) as reports:
            await anext(reports)
            runs.set()
            if close == "cancel":
                await anext(reports)

    runs = anyio.Event()
    with anyio.fail_after(LIMIT_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(iterate)
            await runs.wait()
            if close == "cancel":
                tasks.cancel_scope.cancel()
    assert stopped == ["cam"]
    assert live_threads() == []
    async with running(live, start):
        pass


async def test_a_start_hook_that_refuses_says_so_in_its_own_words(network: Network) -> None:
    class Refusing(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            raise InvalidInputError("too odd") if params else ModelRefusedError("not today", status=409)

    odd = await refusal(Refusing, network.open("events", params=1))
    busy = await refusal(Refusing, network.open("events", params=0))
    assert (type(odd), odd.detail) == (InvalidInputError, "too odd")
    assert (busy.status, busy.detail) == (409, "not today")
    assert live_threads() == []


async def test_a_start_hook_that_fails_hides_why_from_the_caller_and_sends_an_event(network: Network) -> None:
    class Failing(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            raise ValueError("sesame")

    start = network.open("events")
    events = Channel(start.events_url or "")
    async with anyio.create_task_group() as tasks:
        await tasks.start(events.read)
        error = await refusal(Failing, start)
        await events.wait_for(type="error", message="on_stream_start: ValueError: sesame")
        assert (await events.wait_for_end())["reason"] == "failed"
        tasks.cancel_scope.cancel()
    assert isinstance(error, ModelFailedError)
    assert "sesame" not in error.detail
    assert live_threads() == []


UNUSABLE: list[tuple[str, Callable[[Network], str]]] = [
    ("events", lambda network: f"{network.base_url}/nobody-made-it"),
    ("data", lambda network: f"{network.base_url}/nobody-made-it"),
    ("events", lambda _: "http://127.0.0.1:1/refused"),
    ("data", lambda _: "no url"),
    ("events", lambda _: "ftp://127.0.0.1/x"),
    ("control", lambda _: "no url"),
]


@pytest.mark.parametrize(("kind", "url"), UNUSABLE)
async def test_a_channel_that_cannot_be_opened_starts_nothing(
    network: Network, kind: str, url: Callable[[Network], str]
) -> None:
    class Watched(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            raise AssertionError("it was started")

    start = SessionStart.model_validate({"stream_id": "cam", f"{kind}_url": url(network)})
    error = await refusal(Watched, start)
    assert error.status == 502
    assert kind in error.detail
    assert live_threads() == []


async def test_a_session_that_is_stopped_while_it_starts_never_runs(network: Network) -> None:
    class Slow(LivePipeline):
        async def on_stream_start(self, params: Any) -> None:
            starts.set()
            await anyio.sleep_forever()

        def on_stream_stop(self) -> None:
            stopped.append(1)

        stop_seconds = 0.2

    starts = anyio.Event()
    stopped: list[int] = []
    errors: list[Exception] = []
    live = LiveCapability(Slow).live

    async def start() -> None:
        errors.append(await refusal(live, network.open("events")))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(start)
        await starts.wait()
        await live.stop("cam", "never mind")
    assert [(type(error), str(error)) for error in errors] == [(SessionEndedError, "never mind")]
    assert live_threads() == []
    assert stopped == [1]


async def test_a_start_hook_that_fails_after_the_stop_is_logged(
    network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    class Late(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            starts.set()
            assert gate.wait(LIMIT_SECONDS)
            raise ValueError("sesame")

    starts, gate = threading.Event(), threading.Event()
    live = LiveCapability(Late).live
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(refusal, live, network.open("events"))
        assert await anyio.to_thread.run_sync(starts.wait, LIMIT_SECONDS)
        tasks.start_soon(live.stop, "cam", "never mind")
        await anyio.wait_all_tasks_blocked()
        gate.set()
    assert "sesame" in caplog.text
    assert live_threads() == []


@pytest.mark.parametrize("kind", ["events", "data", "subscribe", "publish"])
async def test_a_stop_does_not_wait_for_a_server_that_says_nothing(network: Network, kind: str) -> None:
    class Hooked(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            raise AssertionError("it was started")

        def process_video(self, frame: Any) -> Any:
            return frame

    live = LiveCapability(Hooked).live
    errors: list[CallError] = []
    with socket.create_server(("127.0.0.1", 0)) as dead:
        start = network.open("events", "subscribe", "publish").model_copy(
            update={f"{kind}_url": f"http://127.0.0.1:{dead.getsockname()[1]}/silent"}
        )

        async def begin() -> None:
            errors.append(await refusal(live, start))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(begin)
            connection, _ = await anyio.to_thread.run_sync(dead.accept)
            with connection, anyio.fail_after(2):  # Much less than the 5 s that a connection may take.
                await live.stop("cam", "never mind")
    assert [(type(error), error.detail) for error in errors] == [(SessionEndedError, "never mind")]
    with anyio.fail_after(LIMIT_SECONDS):
        while live_threads():  # The one that was connecting ends with its connection.
            await anyio.to_thread.run_sync(_join_one)


async def test_a_host_that_cancels_the_start_finds_nothing_left_of_it(network: Network) -> None:
    class Slow(LivePipeline):
        async def on_stream_start(self, params: Any) -> None:
            starts.set()
            await anyio.sleep_forever()

        def on_stream_stop(self) -> None:
            stopped.append(1)

        stop_seconds = 0.2

    starts = anyio.Event()
    stopped: list[int] = []
    live = LiveCapability(Slow).live
    task = asyncio.ensure_future(anext(live.run(network.open("subscribe", "publish", "events"), Call())))
    await starts.wait()
    task.cancel()  # As a host does: no cancel scope of anyio's.
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped == [1]
    assert live_threads() == []


@pytest.mark.parametrize("channels", [("events",), ("events", "subscribe", "publish")])
async def test_a_host_that_cancels_the_end_waits_for_it_all_the_same(
    network: Network, channels: tuple[str, ...]
) -> None:
    class Slow(LivePipeline):
        def on_stream_stop(self) -> None:
            stops.set()
            assert gate.wait(LIMIT_SECONDS)
            stopped.append(1)

    async def run() -> None:
        async with aclosing(live.run(network.open(*channels), Call())) as reports:
            async for _ in reports:
                runs.set()

    runs, stops, gate = anyio.Event(), threading.Event(), threading.Event()
    stopped: list[int] = []
    live = LiveCapability(Slow).live
    task = asyncio.ensure_future(run())
    await runs.wait()
    task.cancel()
    assert await anyio.to_thread.run_sync(stops.wait, LIMIT_SECONDS)
    task.cancel()  # As a host does when an edge asks twice.
    await anyio.wait_all_tasks_blocked()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stopped == [1]
    assert live_threads() == []


@pytest.mark.parametrize("is_async", [False, True])
async def test_a_hook_that_hangs_holds_up_the_end_for_a_moment_only(network: Network, is_async: bool) -> None:
    class Hanging(LivePipeline):
        stop_seconds = 0.2

        def on_control(self, message: Any) -> Any:
            self.emit_event({"type": "hangs"})
            return anyio.sleep_forever() if is_async else released.wait(LIMIT_SECONDS) and None

        def on_stream_stop(self) -> None:
            stopped.set()

    released, stopped = threading.Event(), threading.Event()
    async with running(Hanging, network.open("events", "control")) as session:
        await session.control(b"1")
        await session.events.wait_for(type="hangs")
        with anyio.fail_after(5):
            assert (await session.stop()).reason == "stopped"
        # Once it returns, the stream is stopped all the same, and its thread ends.
        released.set()
        assert await anyio.to_thread.run_sync(stopped.wait, LIMIT_SECONDS)


async def test_a_second_start_and_one_too_many_are_refused_until_there_is_room(network: Network) -> None:
    class Two(LivePipeline):
        capacity = 2

    live = LiveCapability(Two).live
    assert live.description.capacity == 2
    starts = [network.open("events", id=id) for id in ("one", "two", "three")]
    async with running(live, starts[0]) as first, running(live, starts[1]) as second:
        errors: list[CallError] = [await refusal(live, start) for start in (starts[0], starts[2])]
        assert [type(error) for error in errors] == [SessionExistsError, BusyError]
        await first.stop()
        async with running(live, starts[2]) as third:
            assert third.reports[-1].state == second.reports[-1].state == "running"


async def test_stopping_a_stream_that_does_not_run_does_nothing() -> None:
    await LiveCapability(LivePipeline).live.stop("nobody", "")
