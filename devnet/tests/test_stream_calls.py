"""BYOC contract, section 5: a stream is stopped, updated and paid for, and its status is what the worker last said."""

import json

import anyio
import pytest

from livepeer.devnet import BlockingDevNet, DevNet

from .kit import FAST, until
from .stream_kit import StreamNetwork, publisher, stream_network, subscriber

NONE: dict[str, bool] = {}
STATUS = b'{"type": "status", "state": "ONLINE"}'


async def test_an_explicit_stop_reaches_the_worker_three_times(streams: StreamNetwork):
    await streams.started()
    streams.worker.answers["stop"] = 200, b"bye"

    answer = await streams.stop(b'{"why": "enough"}')

    assert (answer.status_code, answer.text) == (200, "bye")
    await streams.worker.until("stop", 3)
    assert await streams.until_ended() == "stopped"
    stops = streams.worker.of("stop")
    assert [asked.body for asked in stops] == [
        b'{"why": "enough"}',
        b"trickle subscribe stopping, stream not found, err=End of stream",
        b"stream ended",
    ]
    assert {asked.headers["X-Stream-Id"] for asked in stops} == {"s-1"}
    assert {asked.headers["Authorization"] for asked in stops} == {"Bearer hush"}
    assert all("Content-Type" not in asked.headers for asked in stops)
    assert len(streams.worker.asked) == 4


async def test_a_stop_without_a_body_reaches_the_worker_so(streams: StreamNetwork):
    await streams.started(NONE)

    await streams.stop()

    assert (await streams.worker.until("stop")).body == b""
    await streams.worker.until("stop", 2)
    assert len(streams.worker.of("stop")) == 2


async def test_a_stopped_stream_has_its_channels_closed_and_its_slot_given_back(streams: StreamNetwork):
    told = await streams.started()
    assert streams.load == 1

    await streams.stop()

    for name in ("control", "events", "subscribe", "publish", "data"):
        assert (await streams.http.get(told[f"{name}_url"] + "/next")).status_code == 404
    assert streams.load == 0


async def test_a_worker_that_reads_sees_the_end_of_its_channels(streams: StreamNetwork):
    told = await streams.started()
    async with anyio.create_task_group() as tasks:
        for name in ("control", "subscribe"):

            async def read(url: str) -> None:
                async with subscriber(url) as segments:
                    async for _ in segments:
                        pass

            tasks.start_soon(read, told[f"{name}_url"])
            await streams.until_read(told[f"{name}_url"])
        await streams.stop()


async def test_a_stream_that_was_stopped_is_unknown(streams: StreamNetwork):
    await streams.started()
    await streams.stop()

    assert (await streams.stop()).status_code == 404
    assert (await streams.stop()).text == "Stream not found\n"
    assert (await streams.http.get(streams.url("data"))).status_code == 404
    assert (await streams.http.post(streams.url("update"), headers=streams.header())).status_code == 404


async def test_a_stop_goes_through_whatever_the_worker_says(streams: StreamNetwork):
    streams.worker.answers["stop"] = 500, b"broken"
    await streams.started()

    answer = await streams.stop()

    assert (answer.status_code, answer.content) == (200, b"")
    assert streams.load == 0


async def test_a_stop_during_the_start_breaks_it_off(streams: StreamNetwork):
    streams.worker.gate = anyio.Event()
    await streams.start()
    await streams.worker.until("start")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(streams.stop)
        await streams.worker.until("stop")
        streams.worker.gate.set()

    assert await streams.until_ended() == "stopped"
    assert streams.load == 0


async def test_a_stream_can_start_again_after_its_end(streams: StreamNetwork):
    await streams.started()
    await streams.stop()
    await streams.worker.until("stop", 3)

    assert (await streams.start()).status_code == 200

    await streams.worker.until("start", 2)
    await until(lambda: streams.net.streams["s-1"].ended is None)


async def test_a_direct_stop_reaches_the_worker_once_and_ends_the_stream(streams: StreamNetwork):
    started = await streams.start_direct()
    streams.worker.answers["stop"] = 418, b"teapot"

    answer = await streams.call_direct("stop", b"enough")

    assert (answer.status_code, answer.text) == (418, "teapot")
    assert [asked.body for asked in streams.worker.of("stop")] == [b"enough"]
    assert (await streams.http.get(started.headers["X-Control-Url"] + "/next")).status_code == 404
    assert (streams.load, streams.net.streams["s-1"].ended) == (0, "enough")


async def test_a_direct_stop_of_a_worker_that_is_down_ends_the_stream_too(streams: StreamNetwork):
    await streams.start_direct()
    await streams.network.register(streams.worker, url="http://127.0.0.1:9")

    answer = await streams.call_direct("stop")

    assert (answer.status_code, answer.content) == (200, b"")
    assert streams.net.streams["s-1"].ended == "stopped"


async def test_a_direct_stop_of_an_unknown_stream_is_passed_on_all_the_same(streams: StreamNetwork):
    answer = await streams.call_direct("stop", request='{"stream_id": "other"}')

    assert answer.status_code == 200
    assert streams.worker.of("stop")[0].headers["X-Stream-Id"] == "other"
    assert streams.load == 0


@pytest.mark.parametrize("what", ["stop", "update"])
async def test_a_direct_call_without_a_job_header_is_400(streams: StreamNetwork, what: str):
    answer = await streams.http.post(f"{streams.net.orchestrator_url}/ai/stream/{what}")

    assert answer.status_code == 400
    assert answer.text == "Failed to stop stream, request not valid err=Could not verify job creds\n"


async def test_params_reach_the_worker_with_the_id_that_the_callers_request_has(streams: StreamNetwork):
    await streams.started()
    streams.worker.answers["params"] = 202, b'{"ok": true}'
    header = streams.header(request='{"stream_id": "s-1"}')

    answer = await streams.http.post(streams.url("update"), content=b'{"prompt": "a dog"}', headers=header)

    assert (answer.status_code, answer.content) == (202, b'{"ok": true}')
    [asked] = streams.worker.of("params")
    assert (asked.json, asked.headers["X-Stream-Id"]) == ({"prompt": "a dog"}, "s-1")
    assert (asked.headers["Content-Type"], asked.headers["Authorization"]) == ("application/json", "Bearer hush")


async def test_params_without_an_id_in_the_callers_request_have_none(streams: StreamNetwork):
    await streams.started()

    await streams.http.post(streams.url("update"), content=b"{}", headers=streams.header())

    assert "X-Stream-Id" not in streams.worker.of("params")[0].headers


@pytest.mark.parametrize("status", [400, 404, 422, 500])
async def test_a_refusal_of_params_is_passed_on(streams: StreamNetwork, status: int):
    await streams.started()
    streams.worker.answers["params"] = status, b'{"detail": "no"}'

    answer = await streams.http.post(streams.url("update"), content=b"{}", headers=streams.header())

    assert (answer.status_code, answer.content) == (status, b'{"detail": "no"}')


async def test_params_of_10_mib_pass_and_of_more_are_413(streams: StreamNetwork):
    await streams.started()
    url, headers = streams.url("update"), streams.header()

    fitting = await streams.http.post(url, content=b"x" * (10 << 20), headers=headers)
    larger = await streams.http.post(url, content=b"x" * ((10 << 20) + 1), headers=headers)

    assert (fitting.status_code, larger.status_code) == (200, 413)
    assert [len(asked.body) for asked in streams.worker.of("params")] == [10 << 20]


async def test_an_update_without_a_job_header_is_400(streams: StreamNetwork):
    await streams.started()

    answer = await streams.http.post(streams.url("update"), content=b"{}")

    assert (answer.status_code, answer.text[:27]) == (400, "Unable to parse job request")


async def test_a_direct_update_of_a_worker_that_is_down_is_500(streams: StreamNetwork):
    await streams.network.register(streams.worker, url="http://127.0.0.1:9")

    answer = await streams.call_direct("update", b"{}")

    assert (answer.status_code, answer.text) == (500, "Error sending request to worker\n")


async def test_a_payment_is_taken_and_answered_with_the_balance(streams: StreamNetwork):
    answer = await streams.call_direct("payment")

    assert (answer.status_code, answer.headers["Livepeer-Balance"]) == (200, "0")


async def test_a_payment_without_a_job_header_is_400(streams: StreamNetwork):
    answer = await streams.http.post(streams.net.orchestrator_url + "/ai/stream/payment")

    assert answer.status_code == 400
    assert answer.text == "Failed to process payment, request not valid err=Could not verify job creds\n"


async def test_before_the_first_status_event_the_status_has_what_the_gateway_knows(streams: StreamNetwork):
    await streams.started()

    status = (await streams.status()).json()

    assert status.keys() == {"whep_url", "orchestrator"}
    assert status["orchestrator"] == streams.net.orchestrator_url


async def test_a_status_event_replaces_the_status_and_is_told_where_it_came_from(streams: StreamNetwork):
    told = await streams.started()

    async with publisher(told["events_url"]) as events:
        await events.publish(b'{"type": "status", "state": "LOADING", "more": 1}')
        await streams.until_status(state="LOADING", more=1)
        await events.publish(STATUS)
        status = await streams.until_status(state="ONLINE")

    assert status.keys() == {"type", "state", "stream_id", "request_id", "pipeline_id", "orchestrator_info"}
    assert status["stream_id"] == "s-1"
    assert status["orchestrator_info"] == {"address": "", "url": streams.net.orchestrator_url}
    assert streams.net.streams["s-1"].status == status


async def test_a_status_keeps_the_last_params_and_restart_logs(streams: StreamNetwork):
    told = await streams.started()
    first = {"last_params": {"a": 1}, "last_restart_logs": ["x"], "fps": 30}

    async with publisher(told["events_url"]) as events:
        await events.publish(json.dumps({"type": "status", "inference_status": first}).encode())
        await streams.until_status(inference_status=first)
        await events.publish(b'{"type": "status", "state": "two", "inference_status": {"last_params": null}}')
        status = await streams.until_status(state="two")

    assert status["inference_status"] == {"last_params": {"a": 1}, "last_restart_logs": ["x"]}


@pytest.mark.parametrize(
    "other",
    [
        b'{"type": "event", "state": "other"}',
        b'{"state": "other"}',
        b'{"type": 1, "state": "other"}',
        b'{"type": "status", "state": "other"',
        b'["type"]',
        b"",
        b'{"queue_event_type": 1, "event": {"type": "status", "state": "other"}}',
    ],
)
async def test_what_is_no_status_event_changes_no_status(streams: StreamNetwork, other: bytes):
    told = await streams.started()

    async with publisher(told["events_url"]) as events:
        await events.publish(other)
        await events.publish(STATUS)
        status = await streams.until_status(state="ONLINE")
        await events.publish(other)
        await events.publish(b'{"type": "status", "state": "LAST"}')
        await streams.until_status(state="LAST")

    assert status["type"] == "status"


async def test_a_status_event_in_a_wrapper_counts(streams: StreamNetwork):
    told = await streams.started()

    async with publisher(told["events_url"]) as events:
        event = {"queue_event_type": "ai_stream_events", "event": {"type": "status", "state": "wrapped"}}
        await events.publish(json.dumps(event).encode())

        await streams.until_status(state="wrapped")


async def test_the_status_is_wiped_once_and_is_404_until_the_next():
    async with stream_network(stream_status_seconds=0.3) as streams:
        told = await streams.started()
        async with publisher(told["events_url"]) as events:
            await events.publish(STATUS)
            await streams.until_status(state="ONLINE")
            while (gone := await streams.status()).status_code == 200:
                await anyio.lowlevel.checkpoint()
            assert (gone.status_code, gone.text) == (404, "Stream not found\n")
            await events.publish(STATUS)
            await streams.until_status(state="ONLINE")
            with anyio.move_on_after(0.5):  # Longer than the first time.
                while True:
                    assert (await streams.status()).status_code == 200


async def test_the_status_outlives_its_stream(streams: StreamNetwork):
    told = await streams.started()
    async with publisher(told["events_url"]) as events:
        await events.publish(STATUS)
        await streams.until_status(state="ONLINE")
    await streams.stop()

    assert (await streams.status()).json()["state"] == "ONLINE"


async def test_a_stream_that_never_was_has_no_status(streams: StreamNetwork):
    assert (await streams.status()).status_code == 404


async def test_a_slot_is_not_given_back_once_the_capability_was_gone():
    async with stream_network(stream_monitor_seconds=0.05) as streams:
        await streams.start_direct()
        await streams.http.post(
            streams.net.orchestrator_url + "/capability/unregister",
            content=b"model",
            headers={"Authorization": streams.net.secret},
        )
        with anyio.move_on_after(0.3):
            await anyio.sleep_forever()
        await streams.network.register(streams.worker, capacity=10)

        await streams.call_direct("stop")

        assert streams.load == 0


async def test_a_slot_of_a_capability_that_registered_again_is_given_back_twice(streams: StreamNetwork):
    await streams.start_direct()
    await streams.network.register(streams.worker, capacity=10)

    await streams.call_direct("stop")

    assert streams.load == -1


async def test_the_view_of_streams_shows_channels_and_how_each_ended(streams: StreamNetwork):
    told = await streams.started()
    record = streams.net.streams["s-1"]
    assert (record.stream_id, record.capability, record.ended) == ("s-1", "model", None)
    assert record.channels == {
        "control": told["control_url"],
        "events": told["events_url"],
        "input": told["subscribe_url"],
        "output": told["publish_url"],
        "data": told["data_url"],
    }

    await streams.stop()

    await until(lambda: streams.net.streams["s-1"].ended == "stopped")


def test_the_view_is_there_without_a_loop_and_without_a_network():
    with BlockingDevNet(timings=FAST) as net:
        assert net.streams == {}
    assert DevNet().streams == {}
