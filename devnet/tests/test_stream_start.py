"""BYOC contract, section 5: how a stream starts, through the gateway and straight at the orchestrator."""

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
import httpx2
import pytest

from .kit import job_header, running_network, until
from .stream_kit import StreamNetwork, publisher, sending, stream_network, subscriber

NONE: dict[str, bool] = {}
HEADERS = {"X-Publish-Url", "X-Subscribe-Url", "X-Control-Url", "X-Events-Url", "X-Data-Url"}


async def test_the_answer_has_an_id_of_name_and_id_and_https_urls(streams: StreamNetwork):
    answer = (await streams.start()).json()

    host = streams.net.gateway_url.removeprefix("http://")
    assert answer["stream_id"] == "s-1"
    for what in ("whip", "update", "status", "data", "stop"):
        assert answer[f"{what}_url"] == f"https://{host}/process/stream/s-1/{what}"
    assert answer["rtmp_url"] == "rtmp://localhost:1935/s-1"
    assert answer["whep_url"].startswith("http://localhost:8889/s-1-")
    assert len(answer["rtmp_output_url"].split(",")) == 2
    assert answer["ts_url"] == streams.url("ts")


async def test_what_is_not_enabled_has_no_url(streams: StreamNetwork):
    answer = (await streams.start(NONE)).json()

    told = await streams.worker.until_started()
    empty = {"whip_url", "whep_url", "rtmp_url", "rtmp_output_url", "data_url"}
    assert {name for name, value in answer.items() if value == ""} == empty
    assert "ts_url" not in answer
    assert told.keys() == {"gateway_request_id", "control_url", "events_url", "params"}


@pytest.mark.parametrize(
    ("fields", "pattern"),
    [({"stream_id": ""}, r"s-[0-9a-f]{8}"), ({"stream_name": ""}, "1"), ({"stream_name": None}, "1")],
)
async def test_the_id_is_made_of_what_there_is(streams: StreamNetwork, fields: dict[str, object], pattern: str):
    assert re.fullmatch(pattern, (await streams.start(**fields)).json()["stream_id"])


async def test_a_callers_rtmp_output_is_listed_first(streams: StreamNetwork):
    answer = (await streams.start(rtmp_output="rtmp://mine/1")).json()

    assert answer["rtmp_output_url"].split(",")[0] == "rtmp://mine/1"


async def test_the_worker_is_told_the_id_the_channels_and_the_params_alone(streams: StreamNetwork):
    told = await streams.started(params='{"prompt": "a cat"}', rtmp_output="rtmp://mine/1", other=1)

    base = f"{streams.net.orchestrator_url}/ai/trickle/s-1"
    assert told == {
        "gateway_request_id": "s-1",
        "control_url": f"{base}-control",
        "events_url": f"{base}-events",
        "subscribe_url": base,
        "publish_url": f"{base}-out",
        "data_url": f"{base}-data",
        "params": {"prompt": "a cat"},
    }
    headers = streams.worker.asked[0].headers
    assert (headers["X-Stream-Id"], headers["Authorization"]) == ("s-1", "Bearer hush")
    assert headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("params", ["", "null", None])
async def test_params_may_be_null(streams: StreamNetwork, params: str | None):
    assert (await streams.started(params=params))["params"] is None


async def test_the_channels_have_their_media_types(streams: StreamNetwork):
    told = await streams.started()

    for name in ("control", "events", "subscribe", "publish", "data"):
        async with publisher(told[f"{name}_url"]) as channel:
            await channel.publish(b"{}\n")
    types = {
        name: (await streams.http.get(told[f"{name}_url"] + "/0")).headers["Content-Type"]
        for name in ("control", "events", "subscribe", "publish", "data")
    }
    assert types == {
        "control": "application/json",
        "events": "application/json",
        "subscribe": "video/MP2T",
        "publish": "video/MP2T",
        "data": "application/jsonl",
    }


async def test_a_start_answers_before_the_worker_does(streams: StreamNetwork):
    streams.worker.gate = anyio.Event()

    assert (await streams.start()).status_code == 200

    await streams.worker.until("start")
    streams.worker.gate.set()


async def test_a_start_is_200_even_if_the_worker_refuses_and_one_stop_follows(streams: StreamNetwork):
    streams.worker.answers["start"] = 503, b"full"

    assert (await streams.start()).status_code == 200

    assert await streams.until_ended() == "trickle subscribe stopping, stream not found, err=End of stream"
    assert len(streams.worker.of("stop")) == 1
    assert streams.load == 0


async def test_a_start_that_is_refused_without_media_ends_at_the_next_keepalive():
    async with stream_network(stream_keepalive_seconds=0.2) as streams:
        streams.worker.answers["start"] = 400, b"no"

        await streams.start(NONE)

        assert await streams.until_ended() == "control channel does not exist"
        assert len(streams.worker.of("stop")) == 1


async def test_a_refused_stream_is_brought_to_the_next_orchestrator():
    async with stream_network(workers=2) as streams:
        streams.worker.answers["start"] = 500, b"broken"

        await streams.start()

        await streams.until_ended()
        assert len(streams.worker.of("start")) == 2
        assert len(streams.worker.of("stop")) == 2


async def test_a_second_start_is_refused_and_wipes_the_status(streams: StreamNetwork):
    told = await streams.started()
    async with publisher(told["events_url"]) as events:
        await events.publish(b'{"type": "status", "state": "ONLINE"}')
        await streams.until_status(state="ONLINE")

        again = await streams.start()

        assert (again.status_code, again.text) == (400, "stream already exists: s-1\n")
        assert (await streams.status()).json().keys() == {"whep_url"}
        await events.publish(b'{"type": "status", "state": "DEGRADED"}')
        await streams.until_status(state="DEGRADED")
    assert len(streams.worker.of("start")) == 1


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "invalid JSON request body"),
        (b"[]", "invalid JSON request body"),
        (b'{"stream_name": 1}', "invalid JSON request body"),
        (b'{"params": {}}', "invalid JSON request body"),
        (b'{"params": "{"}', "invalid model params"),
        (b'{"params": "[1]"}', "invalid model params"),
    ],
)
async def test_a_body_that_is_no_start_is_400(streams: StreamNetwork, content: bytes, text: str):
    url = streams.net.gateway_url + "/process/stream/start"
    answer = await streams.http.post(url, content=content, headers=streams.header())

    assert answer.status_code == 400
    assert answer.text.startswith(text)
    assert streams.worker.asked == []


async def test_a_body_of_more_than_10_mib_is_413(streams: StreamNetwork):
    answer = await streams.start(params=json.dumps({"a": "x" * (10 << 20)}))

    assert (answer.status_code, answer.text) == (413, "request body too large (max 10485760 bytes)\n")


async def test_a_start_without_a_job_header_is_400(streams: StreamNetwork):
    answer = await streams.http.post(streams.net.gateway_url + "/process/stream/start", json={})

    assert (answer.status_code, answer.text[:27]) == (400, "Unable to parse job request")


async def test_a_start_of_a_capability_that_nobody_has_is_400(streams: StreamNetwork):
    url = streams.net.gateway_url + "/process/stream/start"
    answer = await streams.http.post(url, json={}, headers={"Livepeer": job_header(capability="other")})

    assert (answer.status_code, answer.text) == (400, "No orchestrators found for capability other\n")


async def test_a_stream_whose_name_ends_with_out_gets_no_answer(streams: StreamNetwork):
    with pytest.raises(httpx2.TransportError):
        await streams.start(stream_name="s-out")


async def test_whip_and_rtmp_are_refused_and_name_where_media_goes(streams: StreamNetwork):
    await streams.started()

    for what in ("whip", "rtmp"):
        answer = await streams.http.post(streams.url(what))
        assert (answer.status_code, streams.url("ts") in answer.text) == (501, True)


async def test_a_preflight_is_answered(streams: StreamNetwork):
    assert (await streams.http.options(streams.net.gateway_url + "/process/stream/start")).status_code == 204


async def test_the_orchestrator_answers_with_the_urls_in_headers(streams: StreamNetwork):
    answer = await streams.start_direct()

    base = f"{streams.net.orchestrator_url}/ai/trickle/s-1"
    assert (answer.status_code, answer.content) == (200, b"")
    assert {name: answer.headers[name] for name in HEADERS} == {
        "X-Publish-Url": base,
        "X-Subscribe-Url": f"{base}-out",
        "X-Control-Url": f"{base}-control",
        "X-Events-Url": f"{base}-events",
        "X-Data-Url": f"{base}-data",
    }
    assert answer.headers["Livepeer-Balance"] == "0"


async def test_the_orchestrator_opens_what_is_enabled_alone(streams: StreamNetwork):
    answer = await streams.start_direct({"enable_data_output": True})

    assert {name for name in HEADERS if name in answer.headers} == {"X-Control-Url", "X-Events-Url", "X-Data-Url"}


async def test_a_callers_body_is_merged_over_the_orchestrators(streams: StreamNetwork):
    body = {"params": {"a": 1}, "control_url": "http://elsewhere/x", "more": True}

    await streams.start_direct(NONE, body=json.dumps(body).encode())

    told = await streams.worker.until_started()
    assert (told["control_url"], told["params"], told["more"]) == ("http://elsewhere/x", {"a": 1}, True)
    assert told["gateway_request_id"] == "s-1"


async def test_a_workers_refusal_is_passed_on_and_closes_the_channels(streams: StreamNetwork):
    streams.worker.answers["start"] = 409, b'{"code": "busy"}'

    answer = await streams.start_direct()

    assert (answer.status_code, answer.content) == (409, b'{"code": "busy"}')
    assert (await streams.http.get(answer.headers["X-Events-Url"] + "/next")).status_code == 404
    assert streams.load == 0
    assert streams.net.streams["s-1"].ended == "the worker answered 409"


async def test_a_status_below_400_starts_the_stream(streams: StreamNetwork):
    streams.worker.answers["start"] = 302, b""

    assert (await streams.start_direct()).status_code == 200
    assert streams.net.streams["s-1"].ended is None


async def test_a_worker_that_answers_401_is_forgotten(streams: StreamNetwork):
    streams.worker.answers["start"] = 401, b"who"

    answer = await streams.start_direct()

    assert (answer.status_code, answer.text) == (500, "Orchestrator worker failure")
    assert "model" not in streams.net.capabilities


async def test_a_worker_that_is_down_is_500_and_stays_registered(streams: StreamNetwork):
    await streams.network.register(streams.worker, url="http://127.0.0.1:9")

    answer = await streams.start_direct()

    assert (answer.status_code, answer.text) == (500, "Error sending request to worker\n")
    assert streams.load == 0


async def test_a_worker_that_does_not_answer_in_time_is_500(streams: StreamNetwork):
    streams.worker.gate = anyio.Event()

    answer = await streams.start_direct(timeout_seconds=1)

    assert answer.status_code == 500
    assert streams.load == 0
    streams.worker.gate.set()


async def test_a_body_that_is_no_object_is_400_and_gives_the_slot_back(streams: StreamNetwork):
    answer = await streams.start_direct(body=b"[1]")

    assert (answer.status_code, answer.text, streams.load) == (400, "Invalid JSON body\n", 0)


@pytest.mark.parametrize("job", [{"parameters": "["}, {"request": "["}], ids=["parameters", "request"])
async def test_a_header_that_does_not_parse_keeps_its_slot(streams: StreamNetwork, job: dict[str, str]):
    headers = {"Livepeer": job_header(id="s-1", **job)}
    answer = await streams.http.post(streams.net.orchestrator_url + "/ai/stream/start", json={}, headers=headers)

    assert (answer.status_code, streams.load) == (400, 1)


async def test_a_capability_that_is_not_registered_is_400(streams: StreamNetwork):
    answer = await streams.start_direct(capability="other")

    assert (answer.status_code, answer.text) == (400, "No capacity available for capability\n")


async def test_a_caller_that_leaves_during_the_start_leaves_nothing_behind(streams: StreamNetwork):
    streams.worker.gate = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(streams.start_direct)
        await streams.worker.until("start")
        tasks.cancel_scope.cancel()
    streams.worker.gate.set()

    await until(lambda: streams.net.streams["s-1"].ended is not None)

    assert streams.net.streams["s-1"].ended == "the caller left"
    assert streams.load == 0


async def test_a_second_start_at_the_orchestrator_closes_the_channels_of_the_first(streams: StreamNetwork):
    first = await streams.start_direct()
    url = first.headers["X-Events-Url"]
    assert (await streams.http.get(url + "/next")).status_code == 200

    second = await streams.start_direct()

    assert (second.status_code, second.text) == (500, "Error adding stream to external capabilities\n")
    assert (await streams.http.get(url + "/next")).status_code == 404
    assert streams.load == 1


async def test_several_streams_run_at_once_on_channels_of_their_own(streams: StreamNetwork):
    urls = [(await streams.start_direct(id=f"s-{number}")).headers["X-Control-Url"] for number in range(3)]

    assert streams.load == 3
    assert len(set(urls)) == 3
    assert [asked.headers["X-Stream-Id"] for asked in streams.worker.of("start")] == ["s-0", "s-1", "s-2"]
    assert list(streams.net.streams) == ["s-0", "s-1", "s-2"]


async def test_a_restarted_orchestrator_has_forgotten_its_streams(streams: StreamNetwork):
    url = (await streams.start_direct()).headers["X-Control-Url"]

    await streams.net.restart_orchestrator()

    assert (await streams.http.get(url + "/next")).status_code == 404
    assert streams.net.streams == {}


async def test_a_network_stops_at_once_amid_streams():
    async with sending() as body, anyio.create_task_group() as tasks:
        with anyio.fail_after(5):
            async with stream_network() as streams:
                told = await streams.started()
                await streams.start_direct(id="direct")
                tasks.start_soon(body.flow)
                tasks.start_soon(lose, lambda: streams.http.post(streams.url("ts"), content=body.body()))
                tasks.start_soon(lose, lambda: streams.http.get(streams.url("data")))
                tasks.start_soon(lose, lambda: streams.http.get(streams.url("ts")))
                async with subscriber(told["subscribe_url"]) as incoming:
                    await anext(incoming)
        tasks.cancel_scope.cancel()


async def lose(ask: Callable[[], Awaitable[object]]) -> None:
    """Ask, and be cut off."""
    with suppress(httpx2.TransportError, RuntimeError):
        await ask()


async def test_without_byoc_there_are_no_streams():
    async with running_network(networks=("live-runner",)) as network:
        answer = await network.http.post(network.net.orchestrator_url + "/ai/stream/start", content=b"{}")

    assert answer.status_code == 404


@pytest.mark.parametrize("stream_id", ["ä", "日本 語", "b?c#d", "\ud800", "%00", "-out"])
async def test_any_id_is_a_streams(streams: StreamNetwork, stream_id: str):
    body = json.dumps({"stream_name": "s", "stream_id": stream_id})
    url = streams.net.gateway_url + "/process/stream/start"

    answer = (await streams.http.post(url, content=body.encode(), headers=streams.header())).json()

    asked = await streams.worker.until("start")
    assert asked.json["gateway_request_id"] == answer["stream_id"]
    assert asked.headers["X-Stream-Id"].encode("latin-1").decode() == answer["stream_id"]
    async with publisher(asked.json["events_url"]) as events:
        await events.publish(b'{"type": "event"}')
    assert streams.net.streams[answer["stream_id"]].ended is None


async def test_an_id_that_no_header_may_hold_does_not_reach_the_worker(streams: StreamNetwork):
    answer = await streams.start_direct(id="a\nb")

    assert (answer.status_code, answer.text) == (500, "Error sending request to worker\n")
    assert streams.worker.asked == []
