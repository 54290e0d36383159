"""Events and data: what may be emitted, from where, and what arrives."""

import threading
from typing import Any

import numpy as np
import pytest

from livepeer.runner import LiveCapability, LivePipeline

from .streams import Network, running


class Emitter(LivePipeline):
    """Emits what it is told to, on a thread of its own choice."""

    def on_control(self, message: Any) -> None:
        for value in message:
            self.emit_data(value)
        self.emit_event({"done": len(message)})


async def test_data_arrives_line_by_line_in_order(network: Network) -> None:
    async with running(Emitter, network.open("events", "control", "data")) as session:
        await session.control(b'[{"n": 1}, "two", [3], 4.5, null, "\\u00e9\\n"]')
        await session.data.wait_until(lambda value: value == "é\n")
    assert session.data.messages == [{"n": 1}, "two", [3], 4.5, None, "é\n"]


async def test_thousands_of_lines_arrive(network: Network) -> None:
    class Fast(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            for number in range(1000):
                self.emit_data(number)

    async with running(Fast, network.open("events", "data")) as session:
        await session.data.wait_until(lambda value: value == 999)
    assert session.data.messages == list(range(1000))


async def test_what_is_emitted_at_the_very_end_arrives_too(network: Network) -> None:
    class Summing(LivePipeline):
        def on_stream_stop(self) -> None:
            self.emit_data({"total": 7})
            self.emit_event({"type": "bye"})

    async with running(Summing, network.open("events", "data")) as session:
        await session.stop()
        await session.data.wait_for(total=7)
        await session.events.wait_for_end()
    types = [event["type"] for event in session.events.messages]
    assert types[-2:] == ["bye", "status"]


async def test_an_event_has_a_type_and_keeps_its_own(network: Network) -> None:
    class Telling(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            self.emit_event({"score": 1})
            self.emit_event({"type": "goal", "score": 2})

    async with running(Telling, network.open("events")) as session:
        await session.events.wait_for(type="event", score=1)
        await session.events.wait_for(type="goal", score=2)


async def test_numbers_and_arrays_of_numpy_and_infinities_have_a_json_form(network: Network) -> None:
    class Measuring(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            self.emit_data({"mean": np.float32(0.5), "row": np.arange(3), "level": float("-inf"), "n": np.int64(7)})

    async with running(Measuring, network.open("data")) as session:
        await session.data.wait_for(mean=0.5, row=[0, 1, 2], level=None, n=7)


BAD = [object(), {"a": object()}, "x" * 65_534, float]


@pytest.mark.parametrize("channels", [(), ("data",)])
async def test_data_without_a_json_form_or_too_long_for_the_gateway_is_refused(
    network: Network, channels: tuple[str, ...]
) -> None:
    class Wrong(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            for value in BAD:
                with pytest.raises(ValueError, match=r"JSON|65535"):
                    self.emit_data(value)
            self.emit_data("x" * 65_533)

    async with running(Wrong, network.open(*channels)) as session:
        if channels:
            await session.data.wait_until(lambda value: len(value) == 65_533)


async def test_events_that_are_none_are_refused(network: Network) -> None:
    class Wrong(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            much = {"a": "x" * 300_000}
            for event in ("text", None, [1], {"type": 3}, {"type": None}, {"type": "status"}, {"a": object()}, much):
                with pytest.raises(ValueError, match=r"event|JSON"):
                    self.emit_event(event)  # type: ignore[arg-type]

    async with running(Wrong, network.open("events")):
        pass


def test_emitting_outside_of_a_stream_raises() -> None:
    class Early(LivePipeline):
        def setup(self) -> None:
            with pytest.raises(RuntimeError, match="belongs to a stream"):
                self.emit_event({})
            with pytest.raises(RuntimeError, match="belongs to a stream"):
                self.emit_data(1)
            with pytest.raises(RuntimeError, match="current_params"):
                _ = self.current_params
            with pytest.raises(RuntimeError, match="stream_id"):
                _ = self.stream_id

    LiveCapability(Early).setup()


async def test_a_thread_may_emit_until_the_stream_has_ended(network: Network) -> None:
    class Threaded(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            self.thread = threading.Thread(target=self.count)
            threads.append(self.thread)
            self.thread.start()

        def count(self) -> None:
            try:
                while True:
                    self.emit_data("tick")
                    gone.wait(0.001)
            except RuntimeError as error:
                errors.append(str(error))

    threads: list[threading.Thread] = []
    errors: list[str] = []
    gone = threading.Event()
    async with running(Threaded, network.open("events", "data")) as session:
        await session.data.wait_until(lambda value: value == "tick")
        await session.stop()
    threads[0].join(10)
    assert errors == ["the stream cam has ended: nothing of it can be emitted any more"]


async def test_a_channel_that_is_off_takes_nothing_and_warns_once(
    network: Network, caplog: pytest.LogCaptureFixture
) -> None:
    class Eager(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            for number in range(3):
                self.emit_data(number)
                self.emit_event({"n": number})

    async with running(Eager, network.open()):
        pass
    warnings = [record.getMessage() for record in caplog.records if "no channel" in record.getMessage()]
    assert [message.split(" for ")[1].split(":")[0] for message in warnings] == ["data", "events"]


async def test_reports_that_the_loop_cannot_keep_up_with_give_way_oldest_first_and_are_counted(
    network: Network,
) -> None:
    class Flooding(LivePipeline):
        heartbeat_seconds = 0.2

        async def on_control(self, message: Any) -> None:
            # On the loop, which therefore sends nothing meanwhile.
            for number in range(5000):
                self.emit_data(number)

    async with running(Flooding, network.open("events", "control", "data")) as session:
        await session.control(b"1")
        await session.data.wait_until(lambda value: value == 4999)
        dropped = (await session.events.wait_until(lambda event: event.get("reports_dropped", 0) > 0))[
            "reports_dropped"
        ]
    assert session.data.messages == list(range(dropped, 5000))
