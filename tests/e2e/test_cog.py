"""A Cog model on every network: as a capability, and by Cog's own HTTP, as a caller written for Replicate speaks it."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livepeer.client import Gateway, RefusedError
from livepeer.devnet import BlockingDevNet

from .network import ROOT, Edge, listening, serving

pytestmark = pytest.mark.anyio

CHART = ROOT / "examples" / "cog_chart"
TICKER = Path(__file__).with_name("cog_ticker")
SERVES: dict[str, dict[str, str]] = {str(CHART): {}, str(TICKER): {}}

TABLE = {"table": "data:text/csv;base64," + base64.b64encode(b"Monday,12\nTuesday,30\n").decode()}
LIVE_RUNNER = {"LIVEPEER_NETWORK": "live-runner", "LIVEPEER_FETCH_ALLOW_PRIVATE": "1"}


async def test_a_cog_model_takes_its_inputs_and_answers_with_its_output(caller: Gateway) -> None:
    chart = await caller.run_async("cog-chart", {**TABLE, "title": "Visitors"})
    head, _, content = chart.partition(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(content).startswith(b"<svg")
    assert b"Visitors" in base64.b64decode(content)


async def test_an_input_that_cogs_own_declaration_refuses_is_refused_by_name(caller: Gateway) -> None:
    with pytest.raises(RefusedError) as caught:
        await caller.run_async("cog-chart", {"table": "/etc/passwd", "width": 1})
    assert {error.field for error in caught.value.fields} == {"table", "width"}


async def test_a_predict_that_yields_is_streamed(caller: Gateway) -> None:
    told = [event.json() async for event in caller.stream_async("cog-ticker", {"count": 4})]
    assert told == ["tick 0", "tick 1", "tick 2", "tick 3"]


async def test_cogs_own_envelope_comes_through(caller: Gateway) -> None:
    found = await caller.run_async("cog-ticker", {"id": "mine", "input": {"count": 2}}, route="predictions")
    assert (found["id"], found["status"], found["output"]) == ("mine", "succeeded", ["tick 0", "tick 1"])
    assert found["logs"] == "tick 0\ntick 1\n"
    assert found["metrics"]["predict_time"] >= 0


async def test_a_caller_written_for_replicate_works_through_a_live_runner(net: BlockingDevNet) -> None:
    async with serving(net, TICKER, **LIVE_RUNNER) as edge, calling_runner(net, edge) as http:
        assert (await http.get("health-check")).json()["status"] == "READY"
        once = await http.put("predictions/one", json={"input": {}})
        assert (once.status_code, once.json()["output"]) == (200, ["tick 0", "tick 1", "tick 2"])
        wrong = await http.post("predictions", json={"input": {"count": "many"}})
        assert (wrong.status_code, wrong.json()["detail"][0]["loc"]) == (422, ["body", "input", "count"])
        stream = await http.post("predictions", json={"input": {"count": 2}}, headers={"accept": "text/event-stream"})
        names = [line.removeprefix("event: ") for line in stream.text.splitlines() if line.startswith("event: ")]
        assert (names[0], names.count("output"), names[-1]) == ("start", 2, "completed")


async def test_a_prediction_that_was_begun_is_cancelled_and_its_webhook_says_so(net: BlockingDevNet) -> None:
    begin = {"prefer": "respond-async"}
    async with serving(net, TICKER, **LIVE_RUNNER) as edge, calling_runner(net, edge) as http, webhook() as (url, told):
        given = {"input": {"hold": True}, "webhook": url, "webhook_events_filter": ["start", "completed"]}
        answer = await http.put("predictions/held", json=given, headers=begin)
        assert (answer.status_code, answer.json()["status"]) == (202, "starting")
        assert (await told.receive())["status"] in ("starting", "processing")
        assert (await http.post("predictions/held/cancel")).status_code == 200
        assert (await told.receive())["status"] == "canceled"
        assert (await http.post("predictions", json={"input": {"count": 1}})).json()["output"] == ["tick 0"]


@asynccontextmanager
async def calling_runner(net: BlockingDevNet, edge: Edge) -> AsyncIterator[httpx2.AsyncClient]:
    """A plain HTTP client whose base is what the orchestrator offers as the runner's URL."""
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as http:
        (found,) = (await http.get(f"{net.orchestrator_url}/discovery")).json()
        (runner_id,) = [id for id, runner in net.runners.items() if runner.runner_url == edge.url]
        (http.base_url,) = [runner["url"] for runner in found["runners"] if runner_id in runner["url"]]
        yield http


@asynccontextmanager
async def webhook() -> AsyncIterator[tuple[str, Any]]:
    """A receiver of webhooks: its URL, and the documents as they come."""
    came, told = anyio.create_memory_object_stream[dict[str, Any]](10)

    async def take(request: Request) -> Response:
        came.send_nowait(json.loads(await request.body()))
        return Response()

    async with listening(Starlette(routes=[Route("/", take, methods=["POST"])])) as url:
        with came, told:
            yield f"{url}/", told
