"""A service under a real server, in a process of its own: its calls, its callers, its end."""

import logging
from pathlib import Path

import anyio
import httpx2
import pytest
from bento_serving import Gate, serving
from edge_harness import eventually

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio

KEPT = "bento_served.py:Kept"


@pytest.fixture(params=["process", "inline"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


async def test_every_face_is_in_the_documents(kind: str) -> None:
    async with serving(KEPT, kind=kind) as served:
        discovery = (await served.client.get("/")).json()
        assert {"/readyz", "/schema.json", "/later"} <= set(discovery["mounts"])
        paths = (await served.client.get("/openapi.json")).json()["paths"]
        assert {"/note", "/later", "/looking", "/waiting", "/readyz", "/schema.json"} <= set(paths)
        assert {"/later/submit", "/later/status", "/later/get", "/later/retry", "/later/cancel"} <= set(paths)


async def test_what_a_service_prints_carries_the_requests_id(caplog: pytest.LogCaptureFixture, gate: Gate) -> None:
    caplog.set_level(logging.INFO)
    async with serving(KEPT, kind="process") as served:
        answer = await served.client.post("/note", json={"gate": str(gate)}, headers={"x-request-id": "printing"})
        assert answer.text == "noted"
        await eventually(lambda: "[printing] noted" in caplog.text)


@pytest.mark.parametrize("api", ["looking", "waiting"])
async def test_a_caller_that_leaves_is_noticed(kind: str, api: str, gate: Gate) -> None:
    async with serving(KEPT, kind=kind) as served:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: served.client.post(f"/{api}", json={"gate": str(gate)}))
            await gate.until("began")
            tasks.cancel_scope.cancel()
        await gate.until("cancelled")
        await served.until("IDLE")


async def test_the_end_comes_after_the_tasks_that_run(kind: str, gate: Gate) -> None:
    async with serving(KEPT, kind=kind) as served:
        assert (await served.client.post("/later/submit", json={"gate": str(gate)})).status_code == 200
        await gate.until("began")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(served.server.stop)
            await eventually(lambda: served.server.lifecycle.draining)
            refused: httpx2.Response = await served.client.post("/later/submit", json={"gate": str(gate)})
            assert refused.status_code == 503
            assert not gate.said("closed")
            gate.open()
        assert gate.said("ended")
        assert gate.said("closed")


async def test_a_task_that_outlasts_the_drain_is_cancelled(kind: str, gate: Gate) -> None:
    options = ServerOptions(drain_seconds=0.1, stuck_seconds=10)
    async with serving(KEPT, kind=kind, options=options) as served:
        await served.client.post("/later/submit", json={"gate": str(gate)})
        await gate.until("began")
        with anyio.fail_after(9):
            await served.server.stop()
        assert gate.said("cancelled")
        assert gate.said("closed")
        assert not gate.said("ended")
