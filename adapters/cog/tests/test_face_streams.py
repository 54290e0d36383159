import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from face_harness import LATER, SSE, Events, Faced, Gate, serving_face

NO_STREAM = {"error": "This model does not support streaming responses. Add @cog.streaming to predict() to enable SSE."}


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


@asynccontextmanager
async def streaming(faced: Faced, *, id: str = "s", method: str = "POST", **inputs: Any) -> AsyncIterator[Events]:
    path = "/predictions" if method == "POST" else f"/predictions/{id}"
    document = {"id": id, "input": inputs}
    async with faced.client.stream(method, path, json=document, headers=SSE) as response:
        assert response.status_code == 200
        yield Events(response)


def without_time(event: tuple[str, Any]) -> tuple[str, Any]:
    name, data = event
    if "metrics" in data:
        assert data["metrics"].pop("predict_time") > 0
    return name, data


async def test_a_stream_tells_everything_in_its_order() -> None:
    async with serving_face("Items") as faced, streaming(faced) as events:
        assert events.response.headers["content-type"] == "text/event-stream"
        assert events.response.headers["cache-control"] == "no-cache"
        assert [without_time(event) for event in await events.rest()] == [
            ("start", {"id": "s", "status": "processing"}),
            ("log", {"data": "item 0\n", "source": "stdout"}),
            ("metric", {"mode": "increment", "name": "items", "value": 1}),
            ("output", {"chunk": "item 0", "index": 0}),
            ("log", {"data": "item 1\n", "source": "stdout"}),
            ("metric", {"mode": "increment", "name": "items", "value": 1}),
            ("output", {"chunk": "item 1", "index": 1}),
            (
                "completed",
                {
                    "id": "s",
                    "logs": "item 0\nitem 1\n",
                    "metrics": {"items": 2},
                    "output": ["item 0", "item 1"],
                    "status": "succeeded",
                },
            ),
        ]


@pytest.mark.parametrize("model", ["Items", "AsyncItems"])
async def test_each_item_arrives_before_the_next_is_made(gate: Gate, model: str) -> None:
    async with serving_face(model) as faced, streaming(faced, gate=str(gate)) as events:
        with anyio.fail_after(20):
            assert await events.next() == ("start", {"id": "s", "status": "processing"})
            for index in range(2):
                await gate.reached(index)
                gate.open(index)
                while (event := await events.next())[0] != "output":
                    pass
                assert event == ("output", {"chunk": f"item {index}", "index": index})


@pytest.mark.parametrize(
    ("model", "step"), [("Items", "Generator iteration error"), ("AsyncItems", "Async prediction failed")]
)
async def test_a_failure_ends_the_stream_with_what_there_was(model: str, step: str) -> None:
    async with serving_face(model) as faced, streaming(faced, fail=True) as events:
        name, data = (await events.rest())[-1]
        assert (name, data["status"], data["output"]) == ("completed", "failed", ["item 0", "item 1"])
        assert data["error"] == f"Prediction failed: {step}: ValueError: boom"


@pytest.mark.parametrize("model", ["Items", "AsyncItems"])
async def test_a_cancelled_stream_says_so(gate: Gate, model: str) -> None:
    async with serving_face(model) as faced, streaming(faced, gate=str(gate)) as events:
        gate.open(0)
        await gate.reached(1)
        assert (await faced.cancel("s")).status_code == 200
        name, data = (await events.rest())[-1]
        assert (name, data["status"], data["output"]) == ("completed", "canceled", ["item 0"])
        assert "error" not in data


@pytest.mark.parametrize("model", ["Items", "AsyncItems"])
async def test_a_reader_that_leaves_cancels_what_it_started(gate: Gate, model: str) -> None:
    async with serving_face(model) as faced:
        async with streaming(faced, gate=str(gate)):
            await gate.reached(0)
        await faced.until("READY")
        assert (await faced.predict(count=1)).json()["status"] == "succeeded"


async def test_one_of_two_readers_may_leave(gate: Gate) -> None:
    async with serving_face("Items") as faced, streaming(faced, gate=str(gate)) as events:
        async with streaming(faced, method="PUT") as others:
            assert await others.next() == ("start", {"id": "s", "status": "processing"})
        gate.open(0)
        gate.open(1)
        assert (await events.rest())[-1][1]["status"] == "succeeded"


async def test_a_reader_that_leaves_does_not_cancel_what_was_for_later(gate: Gate) -> None:
    async with serving_face("Items") as faced:
        await faced.predict(gate=str(gate), id="s", headers=LATER)
        await gate.reached(0)
        async with streaming(faced, method="PUT") as events:
            assert await events.next() == ("start", {"id": "s", "status": "processing"})
        gate.open(0)
        await gate.reached(1)
        async with streaming(faced, method="PUT") as events:
            gate.open(1)
            assert [name for name, _ in await events.rest()].count("output") == 2


async def test_who_comes_late_gets_what_is_kept_or_is_told_what_is_not(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COG_STREAM_HISTORY_CAPACITY", "2")
    async with serving_face("Items") as faced, streaming(faced, gate=str(gate)) as events:
        gate.open(0)
        await gate.reached(1)
        async with streaming(faced, method="PUT") as late:
            lost = {"error": "SSE stream replay truncated; events were dropped", "skipped": 2}
            assert await late.rest() == [("error", lost)]
        gate.open(1)
        assert len(await events.rest()) == 8


async def test_without_a_history_who_comes_late_gets_the_rest(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COG_STREAM_HISTORY_CAPACITY", "0")
    async with serving_face("Items") as faced, streaming(faced, gate=str(gate)):
        gate.open(0)
        await gate.reached(1)
        async with streaming(faced, method="PUT") as late:
            gate.open(1)
            assert [name for name, _ in await late.rest()] == ["log", "metric", "output", "completed"]


async def test_a_reader_that_is_slower_than_the_model_loses_nothing() -> None:
    async with serving_face("Many") as faced, streaming(faced, count=20_000) as events:
        chunks = [data["chunk"] for name, data in await events.rest() if name == "output"]
        assert chunks == list(range(20_000))


async def test_a_stream_is_asked_for_by_its_media_type_alone() -> None:
    async with serving_face("Items") as faced:
        listed = await faced.predict(count=0, headers={"accept": "application/json, text/event-stream;q=0.5"})
        assert listed.headers["content-type"] == "text/event-stream"
        for accept in ("*/*", "text/*", "text/event-streams"):
            response = await faced.predict(count=0, headers={"accept": accept})
            assert response.headers["content-type"] == "application/json"


async def test_a_stream_is_refused_as_any_other_request() -> None:
    async with serving_face("Items") as faced:
        assert (await faced.predict(count="x", headers=SSE)).status_code == 422
        assert faced.permits.take()
        busy = await faced.predict(headers=SSE)
        faced.permits.give_back()
        assert (busy.status_code, busy.headers["content-type"]) == (409, "application/json")


async def test_a_model_that_does_not_yield_has_no_stream(gate: Gate) -> None:
    async with serving_face("Told") as faced, anyio.create_task_group() as group:
        response = await faced.predict(text="x", headers=SSE)
        assert (response.status_code, response.json()) == (406, NO_STREAM)
        group.start_soon(lambda: faced.put("p", text="x", mode="wait", gate=str(gate)))
        await gate.reached()
        assert (await faced.put("p", text="x", headers=SSE)).status_code == 406
        gate.open()


async def test_the_id_is_free_again_when_the_stream_has_ended() -> None:
    async with serving_face("Items") as faced:
        for _ in range(50):
            async with streaming(faced, method="PUT", count=1) as events:
                assert (await events.next())[0] == "start"
                await events.rest()


async def test_an_event_is_written_as_cog_writes_it() -> None:
    async with serving_face("Items") as faced:
        response = await faced.predict(count=0, id="é", headers=SSE)
        start, completed, rest = response.text.split("\n\n")
        assert start == 'event: start\ndata: {"id":"é","status":"processing"}'
        assert json.loads(completed.removeprefix("event: completed\ndata: "))["output"] == []
        assert rest == ""
