"""A live stream straight at a BYOC orchestrator."""

import json
from typing import Any

import anyio
import pytest
from starlette.responses import JSONResponse, PlainTextResponse

from livepeer.client import BusyError, Gateway, NoOrchestratorError, RefusedError, SettingsError, StreamOverError

from .networks import Network, Session, cancelled_at, running

pytestmark = pytest.mark.timeout(60)

START, STOP = "POST /ai/stream/start", "POST /ai/stream/stop"


async def test_a_stream_starts_with_its_params_and_is_stopped_at_the_end(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model", {"strength": 3}) as stream:
        session = network.session
        assert (stream.stream_id, stream.orchestrator_url) == (session.id, network.url)
        assert session.params == {"strength": 3}
        assert session.job["capability"] == "model"
        assert not session.stopped.is_set()
    assert session.stopped.is_set()
    assert network.asked == [START, STOP]


@pytest.mark.parametrize("off", ["video", "output", "data"])
async def test_what_is_not_wanted_has_no_channel(network: Network, gateway: Gateway, off: str) -> None:
    suffix = {"video": "", "output": "-out", "data": "-data"}[off]
    async with gateway.live("model", **{off: False}) as stream:
        assert network.session.channels == {"", "-out", "-control", "-events", "-data"} - {suffix}
        uses = {
            "video": lambda: stream.publish([b""]),
            "output": lambda: anext(stream.subscribe("bytes")),
            "data": lambda: anext(stream.data()),
        }
        with pytest.raises(SettingsError, match=off):
            await uses[off]()


async def test_the_stream_has_the_id_that_is_asked_for(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model", stream_id="my-stream_1") as stream:
        assert stream.stream_id == network.session.id == "my-stream_1"
    with pytest.raises(SettingsError, match="stream_id"):
        gateway.live("model", stream_id="../up")


async def test_a_worker_that_refuses_says_why_and_is_not_stopped(network: Network, gateway: Gateway) -> None:
    problem = {"title": "invalid input", "errors": [{"field": "strength", "reason": "is too high"}], "status": 422}
    network.refusal = PlainTextResponse(json.dumps(problem) + "\n", 422)
    with pytest.raises(RefusedError) as caught:
        async with gateway.live("model", {"strength": 11}):
            raise AssertionError
    assert [(field.field, field.reason) for field in caught.value.fields] == [("strength", "is too high")]
    assert network.asked == [START]


async def test_a_full_orchestrator_is_left_for_the_next(network: Network) -> None:
    network.refusal = JSONResponse({"title": "full"}, 503)
    async with running() as other, Gateway(orch_url=[network.url, other.url]) as gateway:
        async with gateway.live("model") as stream:
            assert stream.orchestrator_url == other.url
        assert (network.asked, other.asked) == ([START], [START, STOP])
        other.refusal = network.refusal
        with pytest.raises(BusyError):
            async with gateway.live("model"):
                raise AssertionError


async def test_an_orchestrator_that_has_no_slot_says_so_and_the_next_is_asked(network: Network) -> None:
    network.refusal = PlainTextResponse("No capacity available for capability\n", 400)
    async with running() as other, Gateway(orch_url=[network.url, other.url]) as gateway:
        async with gateway.live("model") as stream:
            assert stream.orchestrator_url == other.url
        other.refusal = network.refusal
        with pytest.raises(BusyError, match="no slot"):
            async with gateway.live("model"):
                raise AssertionError


async def test_an_orchestrator_without_live_streams_says_so(server: Any) -> None:
    async def no_page(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("404 page not found\n", 404)(scope, receive, send)

    async with Gateway(orch_url=server.add(no_page)) as gateway:
        with pytest.raises(NoOrchestratorError, match="does not speak BYOC"):
            async with gateway.live("model"):
                raise AssertionError


async def test_an_error_of_the_caller_stops_the_stream_and_comes_out_as_it_is(
    network: Network, gateway: Gateway
) -> None:
    class OwnError(Exception):
        pass

    with pytest.raises(OwnError):
        async with gateway.live("model"):
            raise OwnError
    assert network.session.stopped.is_set()
    assert network.asked == [START, STOP]


async def test_a_caller_that_is_cancelled_stops_the_stream(network: Network, gateway: Gateway) -> None:
    with anyio.CancelScope() as scope:
        async with gateway.live("model") as stream:
            await anext(stream.events())
            await stream.control({})
            scope.cancel()
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    assert network.asked == [START, STOP]


async def test_a_caller_that_is_cancelled_while_the_worker_starts_stops_it(network: Network, gateway: Gateway) -> None:
    network.hold_start = anyio.Event()
    async with cancelled_at(network.start_came) as scope, gateway.live("model", stream_id="early"):
        raise AssertionError
    assert scope.cancelled_caught
    assert network.asked == [START, STOP]
    network.hold_start.set()


async def test_a_stop_that_is_broken_off_is_sent_again(network: Network, gateway: Gateway) -> None:
    network.hold_stop = anyio.Event()

    async def break_off(scope: anyio.CancelScope, hold: anyio.Event) -> None:
        await network.stop_came.wait()
        scope.cancel()
        hold.set()

    async with anyio.create_task_group() as tasks, gateway.live("model") as stream:
        with anyio.CancelScope() as scope:
            tasks.start_soon(break_off, scope, network.hold_stop)
            await stream.stop()
        assert scope.cancelled_caught
    assert network.asked == [START, STOP, STOP]


async def test_an_end_that_is_cancelled_stops_the_stream_all_the_same(network: Network, gateway: Gateway) -> None:
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
    assert network.asked == [START, STOP, STOP]


async def test_stopping_early_leaves_what_was_reported(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        assert (await anext(stream.events()))["state"] == "running"
        await stream.stop()
        await stream.stop()
        with anyio.fail_after(5):
            await stream.wait_over()
        assert (stream.is_over, stream.end_reason) == (True, "stopped")
        assert [event["state"] async for event in stream.events()] == ["running", "ended"]
        with pytest.raises(StreamOverError):
            await stream.update({})
        with pytest.raises(StreamOverError):
            await stream.control("late")
    assert network.asked == [START, STOP]


async def test_params_are_updated_and_refusals_name_the_fields(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model", {"strength": 1}) as stream:
        assert await stream.update({"strength": 2}) == {"params": {"strength": 2}}
        assert network.session.params == {"strength": 2}
        assert network.bodies == [b'{"strength":2}']
        with pytest.raises(RefusedError) as caught:
            await stream.update({"bad": 1})
        assert [field.field for field in caught.value.fields] == ["bad"]
        assert network.session.params == {"strength": 2}


async def test_messages_reach_the_worker_and_its_data_come_back(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        data = stream.data()
        with anyio.fail_after(10):
            for message in ({"zoom": 2}, [1, "two"], "text"):
                await stream.control(message)
                assert await anext(data) == {"heard": message}
        await stream.stop()
        with anyio.fail_after(5):
            assert [item async for item in data] == []
    assert network.session.heard == [{"zoom": 2}, [1, "two"], "text"]


async def test_two_readers_each_get_every_event(network: Network, gateway: Gateway) -> None:
    seen: list[list[Any]] = [[], []]

    async def read(stream: Any, into: list[Any]) -> None:
        async for event in stream.events():
            into.append(event)

    async with gateway.live("model") as stream, anyio.create_task_group() as tasks:
        tasks.start_soon(read, stream, seen[0])
        for number in range(3):
            await network.session.report({"type": "event", "number": number})
        tasks.start_soon(read, stream, seen[1])
        await stream.stop()
    kinds = ["status", "event", "event", "event", "status"]
    assert [[event["type"] for event in events] for events in seen] == [kinds, kinds]
    assert [event.get("number") for event in seen[0]] == [None, 0, 1, 2, None]


async def test_wrapped_reports_are_unwrapped_and_what_is_none_is_left_out() -> None:
    async def behave(session: Session) -> None:
        await session.report([1, 2])
        await session.report({"queue_event_type": "ai", "event": {"type": "status", "state": "running"}})
        await session.report({"no": "type"})
        await session.stopped.wait()

    async with (
        running(behaviour=behave) as network,
        Gateway(orch_url=network.url) as gateway,
        gateway.live("model") as stream,
    ):
        events = stream.events()
        with anyio.fail_after(5):
            assert await anext(events) == {"type": "status", "state": "running"}
            assert await anext(events) == {"no": "type"}
        assert stream.status == {"type": "status", "state": "running"}


async def test_a_worker_that_ends_by_itself_is_seen_to_end_and_released() -> None:
    async def behave(session: Session) -> None:
        await session.report({"type": "status", "state": "ended", "reason": "failed", "detail": "no memory"})

    async with running(behaviour=behave) as network, Gateway(orch_url=network.url) as gateway:
        async with gateway.live("model") as stream:
            with anyio.fail_after(5):
                await stream.wait_over()
            assert stream.end_reason == "failed"
            assert stream.status is not None
            assert stream.status["detail"] == "no memory"
            with pytest.raises(StreamOverError):
                async with stream.publishing() as writer:
                    await writer.write(b"\x47" + bytes(187))
            with anyio.fail_after(5):
                assert [part async for part in stream.subscribe("bytes")] == []
                assert [item async for item in stream.data()] == []
        assert network.asked == [START, STOP]


async def test_channels_that_are_closed_end_everything(network: Network, gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        data, parts = stream.data(), stream.subscribe("bytes")
        network.end_channels(network.session)
        with anyio.fail_after(10):
            assert [item async for item in data] == []
            assert [part async for part in parts] == []
            await stream.wait_over()
        assert stream.end_reason is None


async def test_iterators_that_wait_end_when_the_stream_is_left(network: Network, gateway: Gateway) -> None:
    ended: list[str] = []

    async def read(name: str, items: Any) -> None:
        async for _ in items:
            pass
        ended.append(name)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks, gateway.live("model") as stream:
            for kind in ("bytes", "packets", "frames"):
                tasks.start_soon(read, kind, stream.subscribe(kind))  # type: ignore[arg-type]
            tasks.start_soon(read, "data", stream.data())
            tasks.start_soon(read, "events", stream.events())
            await anyio.wait_all_tasks_blocked()
    assert sorted(ended) == ["bytes", "data", "events", "frames", "packets"]


async def test_one_stream_in_a_closed_gateway_is_refused(network: Network) -> None:
    gateway = Gateway(orch_url=network.url)
    await gateway.aclose()
    with pytest.raises(SettingsError, match="closed"):
        async with gateway.live("model"):
            raise AssertionError
