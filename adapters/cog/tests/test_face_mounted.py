"""Through a real server: the edge, the seam, the host's own thread for the face."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from face_harness import LATER, MODELS, SSE, Events, Faced, Gate

from livepeer.server import InlineWorker, ProcessWorker, Server, ServerOptions, bind, listening


@pytest.fixture(params=["process", "inline"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


@asynccontextmanager
async def serving(kind: str, name: str, *, wait: bool = True, drain_seconds: float = 20) -> AsyncIterator[Faced]:
    target = f"{MODELS}:{name}"
    worker = ProcessWorker(target) if kind == "process" else InlineWorker(target)
    server = Server(worker, options=ServerOptions(drain_seconds=drain_seconds))
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    async with (
        listening(server, sock),
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client,
    ):
        faced = Faced(capability=None, client=client, port=port)
        if wait:
            await until_health(faced, "IDLE")
        yield faced


async def until_health(faced: Faced, status: str) -> dict[str, Any]:
    with anyio.fail_after(30):
        while (health := (await faced.client.get("/health")).json())["status"] != status:  # noqa: ASYNC110
            await anyio.sleep(0.01)
    return health


async def test_both_faces_serve_one_model(kind: str) -> None:
    async with serving(kind, "Told") as faced:
        envelope = (await faced.predict(text="x", id="mine")).json()
        assert (envelope["id"], envelope["output"]) == ("mine", {"a": {}, "b": "x"})
        native = await faced.client.post("/predict", json={"text": "x"})
        assert native.json() == {"a": {}, "b": "x"}


async def test_both_faces_share_the_slot(kind: str, gate: Gate) -> None:
    async with serving(kind, "Told") as faced, anyio.create_task_group() as group:
        group.start_soon(lambda: faced.predict(text="x", mode="wait", gate=str(gate)))
        await gate.reached()
        assert (await faced.client.post("/predict", json={"text": "x"})).status_code == 503
        assert (await faced.health())["status"] == "BUSY"
        gate.open()


async def test_a_native_call_makes_this_one_busy(kind: str, gate: Gate) -> None:
    async with serving(kind, "Told") as faced, anyio.create_task_group() as group:
        document = {"text": "x", "mode": "wait", "gate": str(gate)}
        group.start_soon(lambda: faced.client.post("/predict", json=document))
        await gate.reached()
        assert (await faced.predict(text="x")).status_code == 409
        gate.open()


async def test_a_stream_crosses_event_by_event(kind: str, gate: Gate) -> None:
    async with serving(kind, "AsyncItems") as faced:
        body = {"input": {"gate": str(gate)}}
        async with faced.client.stream("POST", "/predictions", json=body, headers=SSE) as response:
            events = Events(response)
            assert (await events.next())[0] == "start"
            for index in range(2):
                await gate.reached(index)
                gate.open(index)
                assert await events.next() == ("output", {"chunk": f"item {index}", "index": index})
            assert [name for name, _ in await events.rest()] == ["completed"]


async def test_a_caller_that_leaves_frees_the_slot(kind: str, gate: Gate) -> None:
    async with serving(kind, "Told") as faced:
        body = json.dumps({"input": {"text": "x", "mode": "wait", "gate": str(gate)}}).encode()
        head = b"POST /predictions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        async with await faced.connect(head % len(body) + body):
            await gate.reached()
        await faced.until("READY")


async def test_work_for_later_counts_until_it_has_ended(kind: str, gate: Gate) -> None:
    async with serving(kind, "Told") as faced:
        await faced.predict(text="x", mode="wait", gate=str(gate), headers=LATER)
        await gate.reached()
        assert (await faced.client.get("/health")).json()["status"] == "OK"
        gate.open()
        await until_health(faced, "IDLE")


async def test_work_for_later_that_outlasts_the_drain_is_cancelled(kind: str, gate: Gate) -> None:
    async with serving(kind, "Told", drain_seconds=0.2) as faced:
        await faced.predict(text="x", mode="wait", gate=str(gate), headers=LATER)
        await gate.reached()
    assert not gate.path.exists()


async def test_a_setup_that_failed_is_told(kind: str) -> None:
    async with serving(kind, "Broken", wait=False) as faced:
        await until_health(faced, "ERROR")
        health = await faced.health()
        assert health["status"] == "SETUP_FAILED"
        assert "no weights" in health["setup"]["logs"]
        assert (await faced.predict()).status_code == 503


async def test_the_document_of_the_server_takes_in_these_paths(kind: str) -> None:
    async with serving(kind, "Told") as faced:
        document = (await faced.client.get("/openapi.json")).json()
        paths = {"/predict", "/predictions", "/predictions/{prediction_id}", "/health-check"}
        assert paths <= set(document["paths"])


async def test_a_caller_that_asks_in_turn_never_meets_its_own_slot(kind: str) -> None:
    async with serving(kind, "Told") as faced:
        for _ in range(100):
            assert (await faced.predict(text="x")).status_code == 200
