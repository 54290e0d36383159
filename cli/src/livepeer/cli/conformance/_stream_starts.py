"""Section 5: how a live stream starts, is updated, and stops."""

import json
from typing import Any

from livepeer.conformance import Checks, expect, expect_that

from ._network import Part
from ._stream import URLS, Stream, started
from ._trial import Trial, eventually

check = Checks[Trial]()

_STREAMS = (Part.BYOC, Part.STREAMS)
_STRAIGHT = (Part.BYOC, Part.STREAMS, Part.OFFCHAIN)
"""An orchestrator takes an unsigned job offchain only."""

_TYPES = {
    "control_url": "application/json",
    "events_url": "application/json",
    "subscribe_url": "video/MP2T",
    "publish_url": "video/MP2T",
    "data_url": "application/jsonl",
}


@check("stream.start.answer", needs=_STREAMS)
async def the_answer_to_a_start(trial: Trial) -> None:
    await trial.byoc.register()
    stream = Stream(trial)
    answer = (await stream.start(stream_name="name")).json()
    stream.id = f"name-{trial.name}"
    expect("the id", answer["stream_id"], stream.id)
    await stream.stop()


@check("stream.start.https", needs=_STREAMS)
async def the_urls_of_a_start(trial: Trial) -> None:
    await trial.byoc.register()
    stream = Stream(trial)
    answer = (await stream.start()).json()
    await stream.stop()
    urls = {name: answer[f"{name}_url"] for name in ("whip", "update", "status", "data", "stop")}
    ends = {name: f"/process/stream/{stream.id}/{name}" for name in urls}
    wrong = [url for name, url in urls.items() if not (url.startswith("https://") and url.endswith(ends[name]))]
    expect("the URLs that are not", wrong, [])


@check("stream.start.late", needs=_STREAMS)
async def a_start_that_the_worker_refuses(trial: Trial) -> None:
    await trial.byoc.register()
    trial.worker.answers(503)
    stream = Stream(trial)
    expect("the status", (await stream.start()).status_code, 200)
    await stream.asked("stop")
    await eventually(trial.byoc.is_found, "the slot to be given back")
    stops = [asked.path for asked in trial.worker.asked if asked.path == "/stream/stop"]
    expect("the stops", stops, ["/stream/stop"])


@check("stream.start.told", needs=_STREAMS)
async def what_the_worker_is_told(trial: Trial) -> None:
    async with started(trial) as stream:
        asked = await stream.asked("start")
        told = json.loads(asked.body)
    expect("gateway_request_id", told.get("gateway_request_id"), stream.id)
    expect("the channels", {name for name in told if name.endswith("_url")}, set(URLS))
    seen = (asked.method, asked.headers.get("x-stream-id"), asked.headers.get("authorization"))
    expect("method, stream id and token", seen, ("POST", stream.id, "Bearer hush"))


@check("stream.start.optional", needs=_STREAMS)
async def channels_that_are_not_enabled(trial: Trial) -> None:
    async with started(trial, {}) as stream:
        told = await stream.told()
    expect("the channels", {name for name in told if name.endswith("_url")}, {"control_url", "events_url"})


@check("stream.start.params", needs=_STREAMS)
async def params_of_a_start(trial: Trial) -> None:
    async with started(trial, params='{"prompt": "a cat"}', more=1) as stream:
        told = await stream.told()
    expect("params", told.get("params"), {"prompt": "a cat"})
    expect("the rest of the caller's body", "more" in told, False)


@check("stream.start.no-params", needs=_STREAMS)
async def a_start_without_params(trial: Trial) -> None:
    async with started(trial) as stream:
        told: dict[str, Any] = await stream.told()
    expect("params", told.get("params", "absent"), None)


@check("stream.start.again", needs=_STREAMS)
async def a_second_start(trial: Trial) -> None:
    async with started(trial) as stream:
        await stream.tell_until({"type": "status", "state": "first"}, {"state": "first"})
        again = await stream.start()
        expect("the status of the second start", again.status_code, 400)
        expect_that("state" not in (await stream.status() or {}), "the status to be wiped")


@check("stream.start.headers", needs=_STRAIGHT)
async def the_urls_at_an_orchestrator(trial: Trial) -> None:
    await trial.byoc.register()
    stream = Stream(trial)
    answer = await stream.start_straight()
    told = await stream.told()
    await stream.ask_straight("stop", request=json.dumps({"stream_id": stream.id}))
    found = {name: answer.headers.get(header) for name, header in URLS.items()}
    expect("the URLs in the headers", found, {name: told.get(name) for name in URLS})


@check("stream.start.refused", needs=_STRAIGHT)
async def a_refusal_at_an_orchestrator(trial: Trial) -> None:
    await trial.byoc.register()
    trial.worker.answers(422, b"no such prompt")
    stream = Stream(trial)
    answer = await stream.start_straight()
    expect("the answer", (answer.status_code, answer.content), (422, b"no such prompt"))
    still_open = [name for name, header in URLS.items() if await stream.is_open(answer.headers[header])]
    expect("the channels that are open", still_open, [])


@check("stream.channels.types", needs=_STREAMS)
async def the_types_of_channels(trial: Trial) -> None:
    async with started(trial) as stream:
        told = await stream.told()
        types: dict[str, str | None] = {}
        for name in URLS:
            await stream.write(told[name], 0, b"{}\n")
            types[name] = (await trial.http.get(f"{told[name]}/0")).headers.get("Content-Type")
    expect("the content types", types, _TYPES)


@check("stream.params", needs=_STREAMS)
async def an_update(trial: Trial) -> None:
    async with started(trial) as stream:
        trial.worker.answers(202, b'{"in": "force"}')
        answer = await stream.update({"prompt": "a dog"}, request=json.dumps({"stream_id": stream.id}))
        asked = await stream.asked("params")
        trial.worker.answers()
    expect("the answer", (answer.status_code, answer.content), (202, b'{"in": "force"}'))
    expect("the body at the worker", json.loads(asked.body), {"prompt": "a dog"})
    expect("the stream id", asked.headers.get("x-stream-id"), stream.id)


@check("stream.params.no-id", needs=_STREAMS)
async def an_update_without_an_id(trial: Trial) -> None:
    async with started(trial) as stream:
        await stream.update({})
        asked = await stream.asked("params")
    expect("the stream id", asked.headers.get("x-stream-id"), None)


@check("stream.stop.thrice", needs=_STREAMS)
async def an_explicit_stop(trial: Trial) -> None:
    async with started(trial) as stream:
        await stream.stop()
        stops = [await stream.asked("stop", times) for times in (1, 2, 3)]
    expect("the stream ids", {asked.headers.get("x-stream-id") for asked in stops}, {stream.id})


@check("stream.stop.body", needs=_STREAMS)
async def the_body_of_a_stop(trial: Trial) -> None:
    async with started(trial) as stream:
        await stream.stop(b"enough of it")
        asked = await stream.asked("stop")
    expect("the body at the worker", asked.body, b"enough of it")


@check("stream.stop.closes", needs=_STREAMS)
async def channels_of_a_stopped_stream(trial: Trial) -> None:
    async with started(trial) as stream:
        told = await stream.told()
        await stream.stop()

        async def are_closed() -> bool:
            return not any([await stream.is_open(told[name]) for name in URLS])

        await eventually(are_closed, "every channel to be closed")


@check("stream.stop.slot", needs=_STREAMS)
async def the_slot_of_a_stream(trial: Trial) -> None:
    async with started(trial, capacity=1) as stream:
        expect_that(not await trial.byoc.is_found(), "the only slot to be taken")
        await stream.stop()
        await eventually(trial.byoc.is_found, "the slot to be given back")
