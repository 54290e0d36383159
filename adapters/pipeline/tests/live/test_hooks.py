"""Which hooks are called, in which order, on which thread, on whose object."""

import asyncio
import threading
from typing import Any

import anyio
import pytest

from livepeer.runner import LiveCapability, LivePipeline, current_call

from .streams import Network, refusal, running


class Recorder(LivePipeline):
    """Writes down what is called, and on which thread."""

    capacity = 3

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.threads: set[int] = set()

    def note(self, name: str, value: Any = None) -> None:
        self.calls.append((name, value))
        self.threads.add(threading.get_ident())

    def on_stream_start(self, params: Any) -> None:
        self.note("start", params)

    def on_params_update(self, params: Any) -> None:
        self.note("params", params)

    def on_control(self, message: Any) -> None:
        self.note("control", message)
        self.emit_event({"type": "heard", "message": message})

    def on_stream_stop(self) -> None:
        self.note("stop")


async def test_hooks_are_called_in_order_on_one_thread_of_the_streams_own(network: Network) -> None:
    pipeline = Recorder()
    async with running(pipeline, network.open("events", "control", params={"a": 1})) as session:
        await session.live.update("cam", {"a": 2})
        await session.control(b'{"say": "hello"}')
        await session.events.wait_for(type="heard")
        await session.stop()
    assert pipeline.calls == [
        ("start", {"a": 1}),
        ("params", {"a": 2}),
        ("control", {"say": "hello"}),
        ("stop", None),
    ]
    assert len(pipeline.threads) == 1
    assert threading.get_ident() not in pipeline.threads


async def test_two_streams_have_threads_and_objects_of_their_own_and_share_what_setup_made(network: Network) -> None:
    class Counting(LivePipeline):
        capacity = 2

        def setup(self) -> None:
            self.model: list[str] = []

        def on_stream_start(self, params: Any) -> None:
            self.mine = params
            self.thread = threading.get_ident()
            self.model.append(self.stream_id)

        def on_control(self, message: Any) -> None:
            assert self.thread == threading.get_ident()
            self.emit_event({"mine": self.mine, "id": self.stream_id, "thread": self.thread})

    pipeline = Counting()
    capability = LiveCapability(pipeline)
    capability.setup()
    one, two = (
        network.open("events", "control", id="one", params=1),
        network.open("events", "control", id="two", params=2),
    )
    async with running(capability.live, one) as first, running(capability.live, two) as second:
        await first.control(b"1")
        await second.control(b"1")
        heard = [await session.events.wait_for(type="event") for session in (first, second)]
    assert [(event["mine"], event["id"]) for event in heard] == [(1, "one"), (2, "two")]
    assert heard[0]["thread"] != heard[1]["thread"]
    assert pipeline.model == ["one", "two"]
    assert not hasattr(pipeline, "mine")


async def test_async_hooks_run_on_the_hosts_loop_one_at_a_time(network: Network) -> None:
    class Async(LivePipeline):
        async def on_stream_start(self, params: Any) -> None:
            self.busy = False
            self.emit_event({"type": "loop", "same": asyncio.get_running_loop() is loop})

        async def on_control(self, message: Any) -> None:
            assert not self.busy
            self.busy = True
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            self.busy = False
            self.emit_event({"type": "heard", "message": message})

    loop = asyncio.get_running_loop()
    async with running(Async, network.open("events", "control")) as session:
        assert (await session.events.wait_for(type="loop"))["same"]
        await session.control(b"1", b"2", b"3")
        await session.events.wait_for(type="heard", message=3)
    assert [event["message"] for event in session.events.messages if event["type"] == "heard"] == [1, 2, 3]


async def test_what_a_hook_does_belongs_to_the_request_that_began_the_stream(network: Network) -> None:
    class Who(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            self.emit_event({"type": "sync", "call": self.id})

        async def on_params_update(self, params: Any) -> None:
            self.emit_event({"type": "async", "call": self.id})

        @property
        def id(self) -> str | None:
            call = current_call()
            return call and call.id

    async with running(Who, network.open("events")) as session:
        await session.live.update("cam", None)
        assert (await session.events.wait_for(type="sync"))["call"] == "request-1"
        assert (await session.events.wait_for(type="async"))["call"] == "request-1"


async def test_a_pipeline_without_hooks_runs(network: Network) -> None:
    async with running(LivePipeline, network.open("events", "control", "data")) as session:
        await session.control(b"1")
        assert (await session.stop()).reason == "stopped"


async def test_the_stop_hook_is_called_once_also_when_the_start_hook_raised(network: Network) -> None:
    class Failing(Recorder):
        def on_stream_start(self, params: Any) -> None:
            super().on_stream_start(params)
            raise ValueError("sesame")

    pipeline = Failing()
    await refusal(pipeline, network.open("events"))
    assert [name for name, _ in pipeline.calls] == ["start", "stop"]


async def test_a_stop_hook_that_raises_ends_the_stream_all_the_same(network: Network) -> None:
    class Failing(LivePipeline):
        def on_stream_stop(self) -> None:
            raise ValueError("sesame")

    async with running(Failing, network.open("events")) as session:
        assert (await session.stop()).reason == "stopped"
        assert "sesame" in (await session.events.wait_for_end())["last_error"]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
async def test_an_async_hook_that_exits_or_is_interrupted_ends_no_loop(
    network: Network, kind: type[BaseException]
) -> None:
    class Exiting(LivePipeline):
        async def on_control(self, message: Any) -> None:
            raise kind

    async with running(Exiting, network.open("events", "control")) as session:
        await session.control(b"1")
        assert kind.__name__ in (await session.events.wait_for(type="error"))["message"]
        assert (await session.stop()).reason == "stopped"


async def test_an_error_that_no_encoding_has_is_told_all_the_same(network: Network) -> None:
    class Failing(LivePipeline):
        def on_control(self, message: Any) -> None:
            raise FileNotFoundError("no file caf\udce9.png")

    async with running(Failing, network.open("events", "control")) as session:
        await session.control(b"1")
        assert "no file caf?.png" in (await session.events.wait_for(type="error"))["message"]
        await session.events.wait_for(type="status", last_error="on_control: FileNotFoundError: no file caf?.png")
        assert (await session.stop()).reason == "stopped"


async def test_a_hook_that_exits_or_is_interrupted_ends_no_thread_and_no_loop(network: Network) -> None:
    class Exiting(LivePipeline):
        def on_control(self, message: Any) -> None:
            raise SystemExit(3)

        async def on_params_update(self, params: Any) -> None:
            self.emit_event({"type": "alive"})

    async with running(Exiting, network.open("events", "control")) as session:
        await session.control(b"1")
        assert "SystemExit" in (await session.events.wait_for(type="error"))["message"]
        await session.live.update("cam", None)
        await session.events.wait_for(type="alive")
