"""How a service is, in its own words and in the server's: unready is LOADING, dead is ERROR."""

import time
from pathlib import Path

import anyio
import pytest
from bento_serving import serving
from edge_harness import Served, eventually

from livepeer.host import _checks

pytestmark = pytest.mark.anyio

KINDS = pytest.mark.parametrize("name", ["Sync", "Async"])


class State:
    """What the services look into."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.become("well")

    def become(self, text: str) -> None:
        draft = self._path.with_suffix(".draft")
        draft.write_text(text)
        draft.rename(self._path)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> State:
    path = tmp_path / "state"
    monkeypatch.setenv("BENTO_STATE", str(path))
    monkeypatch.setattr(_checks, "CHECK_EVERY_SECONDS", 0.02)
    return State(path)


async def call(served: Served) -> tuple[int, str]:
    answer = await served.client.post("/say")
    return answer.status_code, answer.text if answer.status_code == 200 else answer.json()["code"]


@KINDS
async def test_a_service_is_loading_until_it_says_that_it_is_ready(name: str, state: State) -> None:
    state.become("not ready")
    async with serving(f"bento_health.py:{name}", wait=False) as served:
        await served.until("LOADING")
        assert await call(served) == (503, "not_ready")
        state.become("well")
        await served.until("IDLE")
        assert await call(served) == (200, "here")


@KINDS
async def test_a_service_that_is_not_ready_any_more_is_loading_until_it_is(name: str, state: State) -> None:
    async with serving(f"bento_health.py:{name}") as served:
        state.become("not ready")
        health = await served.until("LOADING")
        assert health["reason"] == f"{name} is not ready"
        assert await call(served) == (503, "not_ready")
        state.become("well")
        await served.until("IDLE")
        assert await call(served) == (200, "here")


@KINDS
async def test_a_service_that_is_not_alive_is_an_error_until_it_is(name: str, state: State) -> None:
    async with serving(f"bento_health.py:{name}") as served:
        state.become("not alive")
        health = await served.until("ERROR")
        assert "__is_alive__" in health["reason"]
        assert await call(served) == (503, "not_ready")
        state.become("well")
        assert "reason" not in await served.until("IDLE")


@KINDS
@pytest.mark.parametrize(("word", "status"), [("alive", "ERROR"), ("ready", "LOADING")])
async def test_a_probe_that_fails_says_no_and_why(name: str, word: str, status: str, state: State) -> None:
    async with serving(f"bento_health.py:{name}") as served:
        state.become(f"broken {word}")
        health = await served.until(status)
        assert "RuntimeError: the probe broke" in health["reason"]
        state.become("well")
        await served.until("IDLE")


async def test_a_service_without_probes_is_well(state: State) -> None:
    async with serving("bento_health.py:Silent") as served:
        assert (await served.client.get("/readyz")).status_code == 200
        assert (await served.client.get("/livez")).status_code == 200
        assert (await served.health())["status"] == "IDLE"


async def test_the_services_own_probes_say_what_bentoml_says(state: State, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_checks, "CHECK_EVERY_SECONDS", 60)
    async with serving("bento_health.py:Sync") as served:
        # The first check has been made; the next one is a minute away.
        await served.client.get("/readyz")
        state.become("not ready")
        answer = await served.client.get("/readyz")
        assert (answer.status_code, answer.text) == (
            503, "Service is not ready because .__is_ready__() returns False.",
        )  # fmt: skip
        assert (await served.client.get("/livez")).status_code == 200
        state.become("not alive")
        answer = await served.client.get("/livez")
        assert (answer.status_code, answer.text) == (503, "Service is dead because .__is_alive__() returns False.")


async def test_a_blocking_start_or_api_never_delays_health(state: State) -> None:
    state.become("wait")
    slowest = 0.0
    async with (
        serving("bento_health.py:Slow", kind="process", wait=False) as served,
        anyio.create_task_group() as tasks,
    ):

        async def ask(status: str) -> None:
            nonlocal slowest
            began = time.monotonic()
            found = await served.health()
            slowest = max(slowest, time.monotonic() - began)
            assert found["status"] == status

        with anyio.fail_after(60):
            while served.server.lifecycle.description is None:
                await ask("LOADING")
                await anyio.sleep(0.01)
        for _ in range(50):
            await ask("LOADING")
        state.become("go")
        await served.until("IDLE")
        tasks.start_soon(served.client.post, "/say")
        await eventually(lambda: served.server.lifecycle.running > 0)
        for _ in range(20):
            await ask("OK")
    assert slowest < 0.4
