"""A stream's params: what fits, what is in force, and who is told."""

import json
import threading
from typing import Any, Literal

import anyio
import pytest
from pydantic import BaseModel, ConfigDict, Field

from livepeer.core import CallError, InvalidInputError, ModelFailedError, TargetError, UnknownSessionError
from livepeer.runner import LiveCapability, LivePipeline

from .streams import Network, refusal, running


class Look(BaseModel):
    model_config = ConfigDict(extra="forbid")

    colour: Literal["red", "green"] = "red"
    opacity: float = Field(default=0.5, ge=0, le=1)


class Loose(BaseModel):
    any: Any = None


class Painter(LivePipeline):
    params = Look

    def on_stream_start(self, params: Look) -> None:
        self.seen = [params]

    def on_params_update(self, params: Look) -> None:
        assert self.current_params is params
        if params.opacity == 0.25:
            raise InvalidInputError("not a quarter")
        if params.opacity == 0.75:
            raise ValueError("sesame")
        self.seen.append(params)

    def on_stream_stop(self) -> None:
        self.emit_event({"type": "seen", "opacities": [params.opacity for params in self.seen]})


def test_the_schema_is_the_models() -> None:
    schema = LiveCapability(Painter).live.description.params_schema
    assert schema["properties"]["colour"]["enum"] == ["red", "green"]
    assert schema["additionalProperties"] is False
    assert LiveCapability(LivePipeline).live.description.params_schema == {}


def test_params_that_are_no_model_are_refused_at_once() -> None:
    for params in (Look(), dict, 3):
        with pytest.raises(TargetError, match="pydantic model"):
            LiveCapability(type("Odd", (LivePipeline,), {"params": params}))


@pytest.mark.parametrize("params", [None, {}, {"opacity": 0.5}])
async def test_what_is_left_out_takes_its_default(network: Network, params: Any) -> None:
    async with running(Painter, network.open("events", params=params)) as session:
        status = await session.events.wait_for(type="status", state="running")
    assert status["inference_status"]["last_params"] == {"colour": "red", "opacity": 0.5}


@pytest.mark.parametrize(
    ("params", "fields"),
    [({"colour": "blue", "opacity": 7}, ["colour", "opacity"]), ({"size": 1}, ["size"]), ([], [""]), ("x", [""])],
)
async def test_params_that_do_not_fit_start_nothing_and_name_each_field(
    network: Network, params: Any, fields: list[str]
) -> None:
    pipeline = Painter()
    error = await refusal(pipeline, network.open("events", params=params))
    assert isinstance(error, InvalidInputError)
    assert [each.field for each in error.errors] == fields
    assert not hasattr(pipeline, "seen")


async def test_an_update_is_validated_and_the_old_params_stay_if_it_is_refused(network: Network) -> None:
    async with running(Painter, network.open("events")) as session:
        assert await session.live.update("cam", {"opacity": 1}) == {"colour": "red", "opacity": 1.0}
        for refused, error in (
            ({"opacity": 7}, InvalidInputError),
            ({"opacity": 0.25}, InvalidInputError),
            ({"opacity": 0.75}, ModelFailedError),
        ):
            with pytest.raises(error) as found:
                await session.live.update("cam", refused)
            assert "sesame" not in str(found.value)
        status = await session.events.wait_for(last_error="on_params_update: ValueError: sesame")
        assert status["inference_status"]["last_params"]["opacity"] == 1
        assert await session.live.update("cam", {"colour": "green"}) == {"colour": "green", "opacity": 0.5}
        await session.stop()
        assert (await session.events.wait_for(type="seen"))["opacities"] == [0.5, 1.0, 0.5]


async def test_a_status_says_the_new_params_without_waiting_for_the_heartbeat(network: Network) -> None:
    class Quiet(Painter):
        heartbeat_seconds = 3600

    async with running(Quiet, network.open("events")) as session:
        await session.live.update("cam", {"colour": "green"})
        await session.events.wait_until(
            lambda event: event.get("inference_status", {}).get("last_params", {}).get("colour") == "green"
        )


async def test_of_several_updates_at_once_the_latest_counts_and_all_are_told_so(network: Network) -> None:
    class Slow(LivePipeline):
        def on_stream_start(self, params: Any) -> None:
            self.seen: list[Any] = []

        def on_params_update(self, params: Any) -> None:
            self.seen.append(params)
            entered.set()
            assert gate.wait(10)

        def on_stream_stop(self) -> None:
            self.emit_event({"type": "seen", "params": self.seen})

    gate, entered = threading.Event(), threading.Event()
    answers: dict[int, Any] = {}

    async def update(number: int) -> None:
        answers[number] = await session.live.update("cam", number)

    async with running(Slow, network.open("events")) as session:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(update, 1)
            await anyio.to_thread.run_sync(entered.wait, 10)
            for number in (2, 3, 4):
                tasks.start_soon(update, number)
            await anyio.wait_all_tasks_blocked()
            gate.set()
        await session.stop()
        assert (await session.events.wait_for(type="seen"))["params"] == [1, 4]
    assert answers[4] == answers[3] == answers[2] == 4


async def test_without_a_model_params_are_any_json(network: Network) -> None:
    async with running(LivePipeline, network.open("events", params=[1, {"a": None}])) as session:
        status = await session.events.wait_for(type="status", state="running")
        assert status["inference_status"]["last_params"] == [1, {"a": None}]
        assert await session.live.update("cam", "text") == "text"


@pytest.mark.parametrize("odd", ["\ud800", {"a": ["\udcff"]}, {"\ud800": 1}, json.loads("[" * 300 + "]" * 300)])
@pytest.mark.parametrize("model", [None, Loose])
async def test_params_that_no_status_could_say_are_refused_and_the_old_ones_stay(
    network: Network, odd: Any, model: type[BaseModel] | None
) -> None:
    class Picky(LivePipeline):
        params = model

        def on_params_update(self, params: Any) -> None:
            raise AssertionError(f"these came through: {params!r}")

    start = network.open("events", params={"any": 1})
    assert isinstance(await refusal(Picky, start.model_copy(update={"params": {"any": odd}})), InvalidInputError)
    async with running(Picky, start) as session:
        with pytest.raises(InvalidInputError, match="no JSON form"):
            await session.live.update("cam", {"any": odd})
        status = await session.events.wait_for(type="status", state="running")
        assert status["inference_status"]["last_params"] == {"any": 1}


async def test_infinities_reach_a_model_that_takes_them(network: Network) -> None:
    async with running(Painter, network.open("events")) as session:
        with pytest.raises(InvalidInputError) as found:
            await session.live.update("cam", {"opacity": float("inf")})
    assert "less than or equal to 1" in str(found.value)


async def test_params_that_are_very_long_are_in_force_and_left_out_of_the_status(network: Network) -> None:
    class Long(LivePipeline):
        def on_params_update(self, params: Any) -> None:
            self.emit_event({"type": "length", "is": len(params)})

    async with running(Long, network.open("events", params="short")) as session:
        await session.events.wait_for(type="status", state="running")
        assert len(await session.live.update("cam", "x" * 5_000_000)) == 5_000_000
        await session.events.wait_for(type="length", **{"is": 5_000_000})
        await session.events.wait_until(
            lambda event: event["type"] == "status" and event["inference_status"]["last_params"] is None
        )


async def test_an_update_of_a_stream_that_does_not_run_says_so(network: Network) -> None:
    async with running(Painter, network.open("events")) as session:
        with pytest.raises(UnknownSessionError):
            await session.live.update("other", {})
        await session.stop()
        with pytest.raises(UnknownSessionError):
            await session.live.update("cam", {})


async def test_an_update_whose_stream_ends_before_its_turn_says_so(network: Network) -> None:
    class Hanging(LivePipeline):
        stop_seconds = 0.2

        async def on_params_update(self, params: Any) -> None:
            hangs.set()
            await anyio.sleep_forever()

    hangs = anyio.Event()
    errors: list[str] = []

    async def update(params: Any) -> None:
        try:
            await session.live.update("cam", params)
        except CallError as error:
            errors.append(error.code)

    async with running(Hanging, network.open("events")) as session, anyio.create_task_group() as tasks:
        tasks.start_soon(update, 1)
        await hangs.wait()
        tasks.start_soon(update, 2)
        await anyio.wait_all_tasks_blocked()
        await session.stop()
    assert sorted(errors) == ["model_failed", "unknown_session"]
