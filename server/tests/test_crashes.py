"""A model that dies, in every way that one can: the edge serves on, the host comes back, nothing is left behind."""

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import anyio
import httpx2
import psutil
import pytest
from edge_harness import PIPELINES, Marks, Served, eventually, make_worker, serve_with

from livepeer.server import ProcessWorker, ServerOptions

pytestmark = pytest.mark.anyio


async def comes_back(served: Served) -> None:
    """Call until the host is there again."""
    with anyio.fail_after(20):
        while (await served.predict(how="live")).status_code != 200:  # noqa: ASYNC110
            await anyio.sleep(0.02)


def is_gone(pid: int) -> bool:
    with suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def descendants() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> object:
    before = descendants()
    yield
    left = {pid for pid in descendants() - before if not is_gone(pid)}
    assert not left, [psutil.Process(pid).cmdline() for pid in left]


@pytest.mark.parametrize(("how", "words"), [("segfault", "SIGSEGV"), ("killed", "SIGKILL"), ("exit", "exit code 7")])
async def test_a_dying_host_fails_its_calls_typed_and_comes_back(how: str, words: str, marks: Marks) -> None:
    async with serve_with(make_worker("process", "Dying")) as served, anyio.create_task_group() as tasks:
        others: list[httpx2.Response] = []

        async def other() -> None:
            others.append(await served.predict(how="wait", gate="other"))

        first = (await served.predict(how="live")).json()
        tasks.start_soon(other)
        await marks.wait("other", "entered")
        answer = await served.predict(how=how)
        assert (answer.status_code, answer.json()["code"]) == (500, "host_crashed")
        assert words in answer.json()["detail"]
        assert (await served.client.get("/health")).status_code == 200
        await comes_back(served)
        assert (await served.predict(how="live")).json() != first
        await eventually(lambda: bool(others))
        assert others[0].json()["code"] == "host_crashed"
        await served.until("IDLE")


async def test_children_of_a_dead_host_are_gone_also_those_that_left_its_session() -> None:
    async with serve_with(make_worker("process", "Dying")) as served:
        pids = (await served.predict(how="children")).json()
        assert not any(map(is_gone, pids))
        await served.predict(how="segfault")
        await eventually(lambda: all(map(is_gone, pids)), "children of a dead host")
        await comes_back(served)
        pids = (await served.predict(how="children")).json()
    assert all(map(is_gone, pids))


async def test_a_host_out_of_memory_answers_500_and_serves_on() -> None:
    async with serve_with(make_worker("process", "Dying")) as served:
        assert (await served.predict(how="memory")).status_code == 500
        await comes_back(served)


async def test_a_gigabyte_of_output_delays_nobody_and_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with serve_with(make_worker("process", "Dying")) as served, anyio.create_task_group() as tasks:
        done = anyio.Event()
        slowest = 0.0

        async def print_much() -> None:
            assert (await served.predict(how="print")).status_code == 200
            done.set()

        tasks.start_soon(print_much)
        while not done.is_set():
            started = time.monotonic()
            assert (await served.client.get("/health")).status_code == 200
            slowest = max(slowest, time.monotonic() - started)
            await anyio.sleep(0.01)
        assert slowest < 1
    assert "lines of output were not logged" in caplog.text
    assert len(caplog.text) < 100 * 1024 * 1024


async def test_a_host_that_keeps_dying_is_error_with_its_last_words() -> None:
    async with serve_with(make_worker("process", "DyingSetup"), wait=False) as served:
        health = await served.until("ERROR")
        assert "exit code 9" in health["reason"]
        assert "dying now" in health["log"]
        refused = await served.predict()
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")


async def test_a_host_that_kept_dying_is_tried_on(marks: Marks) -> None:
    async with serve_with(make_worker("process", "DyingForAWhile"), wait=False) as served:
        await served.until("ERROR")
        marks.go("heal")
        await served.until("IDLE")
        assert (await served.predict()).json() == "healed"


async def test_a_call_that_cannot_be_stopped_ends_its_host_if_told_to(marks: Marks) -> None:
    options = ServerOptions(deadline_seconds=0.2, on_stuck="kill", stuck_seconds=0.1)
    async with serve_with(make_worker("process", "Dying"), options=options) as served:
        before = (await served.predict(how="live")).json()
        answer = await served.predict(how="wait", gate="stuck")
        assert answer.status_code == 504
        await eventually(lambda: is_gone(before), "the stuck host")
        await comes_back(served)
        assert (await served.predict(how="live")).json() != before


async def test_a_host_that_is_killed_while_idle_comes_back() -> None:
    async with serve_with(make_worker("process", "Dying")) as served:
        os.kill(served.worker.pid, signal.SIGKILL)
        await comes_back(served)


async def test_a_server_stops_while_its_host_loads(marks: Marks) -> None:
    with anyio.fail_after(15):
        async with serve_with(make_worker("process", "SlowSetup"), wait=False) as served:
            assert (await served.health())["status"] == "LOADING"


async def test_nothing_outlives_a_killed_edge(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "livepeer.server", f"{PIPELINES}:Dying", "--host", "127.0.0.1", "--port", "0"]
    with (tmp_path / "log").open("wb") as log:
        edge = subprocess.Popen(command, stderr=log)  # noqa: ASYNC220
    try:
        process = psutil.Process(edge.pid)
        await eventually(lambda: any(c.net_connections() for c in [process]), "the edge listens")
        port = next(c.laddr.port for c in process.net_connections() if c.status == psutil.CONN_LISTEN)
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            with anyio.fail_after(20):
                while (await client.post("/predict", json={"how": "live"})).status_code != 200:  # noqa: ASYNC110
                    await anyio.sleep(0.02)
            pids = (await client.post("/predict", json={"how": "children"})).json()
        family = [child.pid for child in process.children(recursive=True)] + pids
        assert len(set(family)) >= 4  # guardian, host, two children
    finally:
        edge.kill()
        edge.wait()
    await eventually(lambda: all(map(is_gone, family)), "what a killed edge leaves")


async def test_health_is_quick_while_a_c_call_holds_the_gil() -> None:
    bench = Path(__file__).parents[2] / "tests" / "bench" / "models.py"
    async with serve_with(ProcessWorker(f"{bench}:Burner")) as served, anyio.create_task_group() as tasks:
        times: list[float] = []
        done = anyio.Event()

        async def burn() -> None:
            for how in ("gil", "loop", "python"):
                assert (await served.predict(how=how)).status_code == 200
            done.set()

        tasks.start_soon(burn)
        while not done.is_set():
            started = time.monotonic()
            assert (await served.client.get("/health")).status_code == 200
            times.append(time.monotonic() - started)
            await anyio.sleep(0.005)
        assert sorted(times)[len(times) // 2] < 0.05
        assert max(times) < 0.5
