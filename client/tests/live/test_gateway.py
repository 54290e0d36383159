"""A live stream through a BYOC gateway, which keeps the channels to itself."""

from collections.abc import AsyncIterator

import anyio
import pytest
from starlette.responses import PlainTextResponse

from livepeer.client import Gateway, RefusedError, SettingsError, StreamOverError
from livepeer.trickle.media import VideoFrame

from .clips import clip, shade
from .networks import Network

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
async def gateway(network: Network) -> AsyncIterator[Gateway]:
    async with Gateway(gateway_url=network.url) as gateway:
        yield gateway


@pytest.mark.parametrize("params", [None, {"strength": 3}])
async def test_a_stream_starts_with_its_params_and_is_stopped_at_the_end(
    network: Network, gateway: Gateway, params: object
) -> None:
    async with gateway.live("model", params, stream_id="mine") as stream:
        assert (stream.stream_id, stream.orchestrator_url) == ("mine", None)
    assert network.asked_params == [params]
    assert network.session.stopped.is_set()
    posts = [asked for asked in network.asked if asked.startswith("POST")]
    assert posts == ["POST /process/stream/start", "POST /process/stream/mine/stop"]


async def test_media_goes_through_a_gateway_that_takes_it(network: Network, gateway: Gateway) -> None:
    frames: list[VideoFrame] = []
    async with gateway.live("model") as stream:
        with anyio.fail_after(20):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(stream.publish, clip(seconds=1.0))
                async for frame in stream.subscribe("frames"):
                    if isinstance(frame, VideoFrame):
                        frames.append(frame)
                    if len(frames) == 25:
                        break
    shades = [float(frame.to_ndarray().mean()) for frame in frames]
    assert shades == pytest.approx([shade(number) for number in range(25)], abs=6)


async def test_a_gateway_without_media_names_where_else_to_go(network: Network, gateway: Gateway) -> None:
    network.has_ts = False
    async with gateway.live("model") as stream:
        with pytest.raises(SettingsError, match=r"https://elsewhere/process/stream/\w+/whip or rtmp://elsewhere/in"):
            await stream.publish(clip(seconds=0.2))
        with pytest.raises(SettingsError, match="orch_url"):
            await anext(stream.subscribe("bytes"))


async def test_messages_are_refused(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        with pytest.raises(SettingsError, match="use update"):
            await stream.control({})


async def test_data_come_as_events_until_the_body_ends(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        with anyio.fail_after(10):
            session = network.session
            channel = network.channel(session.id + "-data")
            assert channel is not None
            data = stream.data()
            channel.publish(b'{"level": 1}\n{"level": 2}\n')
            assert [await anext(data), await anext(data)] == [{"level": 1}, {"level": 2}]
            network.end_channels(session)
            assert [item async for item in data] == []


async def test_the_status_is_what_there_is_of_events(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model", {"strength": 1}) as stream:
        events = stream.events()
        with anyio.fail_after(10):
            first = await anext(events)
            assert (first["type"], first["state"], first["params"]) == ("status", "running", {"strength": 1})
            await stream.update({"strength": 2})
            assert (await anext(events))["params"] == {"strength": 2}
        assert stream.status == {**first, "params": {"strength": 2}}


async def test_params_that_do_not_fit_are_refused_with_their_fields(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        with pytest.raises(RefusedError) as caught:
            await stream.update({"bad": 1})
        assert [field.field for field in caught.value.fields] == ["bad"]


async def test_a_status_that_cannot_be_read_changes_nothing(network: Network, gateway: Gateway) -> None:
    network.status = PlainTextResponse("well")
    async with gateway.live("model") as stream:
        with anyio.fail_after(10):
            await network.status_asked.wait()
            network.status = None
            assert (await anext(stream.events()))["state"] == "running"


async def test_a_worker_that_refuses_leaves_no_stream(network: Network, gateway: Gateway) -> None:
    network.refusal = PlainTextResponse("no", 422)
    async with gateway.live("model") as stream:
        with pytest.raises(StreamOverError, match="refused"):
            await anext(stream.data())


async def test_an_upload_of_a_stream_that_is_none_says_so(network: Network, gateway: Gateway) -> None:
    network.refusal = PlainTextResponse("no", 422)
    async with gateway.live("model") as stream:
        with anyio.fail_after(20), pytest.raises(StreamOverError, match="refused"):
            await stream.publish(clip(seconds=4.0), loop=True)


@pytest.mark.parametrize("kind", ["media", "data"])
async def test_an_upload_that_waits_for_its_source_ends_with_the_stream(
    network: Network, gateway: Gateway, kind: str
) -> None:
    async def silence() -> AsyncIterator[bytes]:
        yield clip(seconds=0.4)
        await anyio.sleep_forever()

    async def end_at_first(items: AsyncIterator[object]) -> None:
        async for _ in items:
            network.session.stopped.set()
            network.end_channels(network.session)

    async with gateway.live("model") as stream, anyio.create_task_group() as tasks:
        items = stream.subscribe("bytes") if kind == "media" else stream.data()
        tasks.start_soon(end_at_first, items)
        channel = network.channel(f"{network.session.id}-data")
        assert channel is not None
        channel.publish(b"{}\n")
        with anyio.fail_after(10), pytest.raises(StreamOverError):
            await stream.publish(silence())


async def test_a_start_that_is_refused_says_so(network: Network, gateway: Gateway) -> None:
    async with Gateway(gateway_url=network.url + "/nowhere") as elsewhere:
        with pytest.raises(RefusedError):
            async with elsewhere.live("model"):
                raise AssertionError


async def test_a_caller_that_fails_while_it_publishes_ends_the_upload(network: Network, gateway: Gateway) -> None:
    class OwnError(Exception):
        pass

    async def fail() -> None:
        async with gateway.live("model") as stream, stream.publishing() as writer:
            await writer.write(clip(seconds=0.4))
            raise OwnError

    with anyio.fail_after(10), pytest.raises(OwnError):
        await fail()
    assert network.session.stopped.is_set()


async def test_iterators_that_wait_end_when_the_stream_is_left(network: Network, gateway: Gateway) -> None:
    ended: list[str] = []

    async def read(name: str, items: AsyncIterator[object]) -> None:
        async for _ in items:
            pass
        ended.append(name)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks, gateway.live("model") as stream:
            await anext(stream.events())
            tasks.start_soon(read, "bytes", stream.subscribe("bytes"))
            tasks.start_soon(read, "data", stream.data())
            tasks.start_soon(read, "events", stream.events())
            await anyio.wait_all_tasks_blocked()
    assert sorted(ended) == ["bytes", "data", "events"]
