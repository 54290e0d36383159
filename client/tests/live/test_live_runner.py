"""A live stream at a persistent runner: a session is reserved for it, and stopped with it."""

import json
from collections.abc import AsyncIterator

import anyio
import pytest
from starlette.responses import PlainTextResponse

from livepeer.client import Gateway, RefusedError, SettingsError, StreamOverError
from livepeer.trickle.media import VideoFrame

from .clips import clip, shade
from .networks import Network, cancelled_at, running

pytestmark = pytest.mark.timeout(60)

RESERVE, LIVE, STOP = "POST /apps/r/session", "POST /apps/r/session/s/app/live", "POST /apps/r/session/s/stop"


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with running(runners=True) as network:
        yield network


async def test_a_session_is_reserved_and_stopped(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model", {"strength": 3}) as stream:
        assert network.session.params == {"strength": 3}
        assert (stream.stream_id, stream.orchestrator_url) == ("live-1", network.url)
    assert network.session.stopped.is_set()
    assert network.asked == [RESERVE, LIVE, STOP]


async def test_what_discovery_found_can_be_taken_as_it_is(network: Network, gateway: Gateway) -> None:
    (capability,) = await gateway.discover_async("model")
    async with gateway.live(capability) as stream:
        assert stream.stream_id == "live-1"


async def test_media_messages_and_data_go_through_its_channels(network: Network, gateway: Gateway) -> None:
    frames: list[VideoFrame] = []
    async with gateway.live("model") as stream:
        with anyio.fail_after(20):
            data = stream.data()
            await stream.control({"zoom": 1})
            assert await anext(data) == {"heard": {"zoom": 1}}
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stream.publish, clip(seconds=1.0))
                async for frame in stream.subscribe("frames"):
                    if isinstance(frame, VideoFrame):
                        frames.append(frame)
        assert stream.end_reason == "input_ended"
    shades = [float(frame.to_ndarray().mean()) for frame in frames]
    assert shades == pytest.approx([shade(number) for number in range(25)], abs=6)


async def test_params_are_updated(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model", {"strength": 1}) as stream:
        assert await stream.update({"strength": 2}) == {"params": {"strength": 2}}
        with pytest.raises(RefusedError) as caught:
            await stream.update({"bad": True})
        assert [field.field for field in caught.value.fields] == ["bad"]
    with pytest.raises(StreamOverError):
        await stream.update({})


async def test_a_worker_that_refuses_gives_the_session_back(network: Network, gateway: Gateway) -> None:
    network.refusal = PlainTextResponse(json.dumps({"title": "no", "errors": [{"field": "a", "reason": "b"}]}), 422)
    with pytest.raises(RefusedError) as caught:
        async with gateway.live("model"):
            raise AssertionError
    assert [field.reason for field in caught.value.fields] == ["b"]
    assert network.asked == [RESERVE, LIVE, STOP]


async def test_a_caller_that_is_cancelled_gives_the_session_back(network: Network, gateway: Gateway) -> None:
    network.hold_start = anyio.Event()
    async with cancelled_at(network.start_came) as scope, gateway.live("model"):
        raise AssertionError
    assert scope.cancelled_caught
    assert network.asked == [RESERVE, LIVE, STOP]
    network.hold_start.set()


async def test_a_release_that_is_broken_off_is_sent_again(network: Network, gateway: Gateway) -> None:
    network.hold_stop = anyio.Event()

    async def break_off(scope: anyio.CancelScope, hold: anyio.Event) -> None:
        await network.stop_came.wait()
        scope.cancel()
        hold.set()

    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as scope:
            tasks.start_soon(break_off, scope, network.hold_stop)
            async with gateway.live("model"):
                pass
    assert scope.cancelled_caught
    assert network.asked.count("POST /apps/r/session/s/stop") == 2


async def test_a_runner_without_sessions_is_refused(network: Network, gateway: Gateway) -> None:
    (capability,) = await gateway.discover_async("model")
    single_shot = type(capability)(
        name="model", network="live-runner", app="me/model", url=capability.url, orchestrator_url=network.url
    )
    with pytest.raises(SettingsError, match="single-shot"):
        async with gateway.live(single_shot):
            raise AssertionError
    assert not any(asked.startswith("POST") for asked in network.asked)


async def test_a_name_that_no_runner_has_is_called_over_byoc(network: Network, gateway: Gateway) -> None:
    async with gateway.live("stranger"):
        assert network.session.job["capability"] == "stranger"
    assert network.asked == ["POST /ai/stream/start", "POST /ai/stream/stop"]
