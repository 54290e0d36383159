"""The same model in several processes behind one edge."""

import os
import signal
import socket
import sys
from collections import Counter

import anyio
import httpx2
import psutil
import pytest
from edge_harness import PIPELINES, Marks, Served, eventually, serve_with

from livepeer.server import (
    ProcessWorker,
    ReplicatedWorker,
    ServerOptions,
    Settings,
    SettingsError,
    WorkerState,
    serve_target,
)
from livepeer.server._replicas import replicate

pytestmark = pytest.mark.anyio


def replicas(name: str, count: int = 2) -> ReplicatedWorker:
    return ReplicatedWorker([ProcessWorker(f"{PIPELINES}:{name}") for _ in range(count)])


async def test_calls_are_spread_over_the_replicas_and_their_capacity_adds_up(marks: Marks) -> None:
    async with serve_with(replicas("Dying", 3)) as served:
        await eventually(lambda: all(pid is not None for pid in host_pids(served)))
        assert (await served.health())["slots"]["capacity"] == 12
        await all_ready(served)
        found = Counter([(await ask(served, "tell")).json() for _ in range(9)])
        assert sorted(found) == sorted(host_pids(served))
        assert set(found.values()) == {3}


async def test_a_call_goes_to_the_replica_that_has_the_least_to_do(marks: Marks) -> None:
    async with serve_with(replicas("HeldOne")) as served, anyio.create_task_group() as tasks:
        await all_ready(served)
        answers: list[int] = []

        async def hold(gate: str) -> None:
            answers.append((await served.client.post("/predict", json={"gate": gate, "looks": False})).status_code)

        for gate in ("one", "two"):
            tasks.start_soon(hold, gate)
            await marks.wait(gate, "entered")
        full = await served.client.post("/predict", json={"gate": "three", "looks": False})
        assert (full.status_code, full.json()["code"]) == (503, "busy")
        marks.go("one")
        marks.go("two")
        await eventually(lambda: answers == [200, 200])


async def test_a_replica_that_dies_leaves_its_calls_to_the_others_and_comes_back(marks: Marks) -> None:
    async with serve_with(replicas("Dying")) as served:
        await all_ready(served)
        before = host_pids(served)
        assert (await ask(served, "killed")).json()["code"] == "host_crashed"
        found = {(await ask(served, "tell")).json() for _ in range(6)}
        assert found & set(before)
        assert (await served.health())["status"] == "IDLE"
        await all_ready(served)
        after = host_pids(served)
        assert len(set(before) & set(after)) == 1
        assert {(await ask(served, "tell")).json() for _ in range(6)} == set(after)


async def test_while_one_is_away_the_other_takes_no_more_than_it_can(marks: Marks) -> None:
    async with serve_with(replicas("HeldOne")) as served:
        await all_ready(served)
        away = served.worker._replicas[0]
        os.kill(away.pid, signal.SIGSTOP)
        away._change(WorkerState.LOADING)
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: served.client.post("/predict", json={"gate": "one", "looks": False}))
                await marks.wait("one", "entered")
                refused = await served.client.post("/predict", json={"gate": "two", "looks": False})
                assert (refused.status_code, refused.json()["code"]) == (503, "busy")
                assert refused.headers["retry-after"] == "1"
                marks.go("one")
        finally:
            os.kill(away.pid, signal.SIGCONT)


async def test_a_stuck_call_ends_its_own_replica_alone(marks: Marks) -> None:
    options = ServerOptions(deadline_seconds=0.2, on_stuck="kill", stuck_seconds=0.1)
    async with serve_with(replicas("Dying"), options=options) as served:
        await all_ready(served)
        before = host_pids(served)
        stuck = await served.client.post("/predict", json={"how": "wait", "gate": "never"})
        assert stuck.status_code == 504
        await eventually(lambda: host_pids(served) != before)
        await all_ready(served)
        assert len(set(before) & set(host_pids(served))) == 1


async def test_a_model_that_cannot_be_served_is_an_error_once_every_replica_says_so(marks: Marks) -> None:
    async with serve_with(replicas("BrokenSetup"), wait=False) as served:
        health = await served.until("ERROR")
        assert "setup() failed" in health["reason"]


async def test_every_replica_is_torn_down(marks: Marks) -> None:
    async with serve_with(replicas("Dying", 3)) as served:
        await all_ready(served)
        found = host_pids(served)
    assert [pid for pid in found if pid is not None and psutil.pid_exists(pid)] == []


@pytest.mark.parametrize(
    ("devices", "shares"),
    [("0,1,2,3", ["0,2", "1,3"]), ("5,7", ["5", "7"]), ("0", ["0", "0"]), ("", ["", ""])],
)
async def test_each_replica_has_its_number_and_its_share_of_the_devices(devices: str, shares: list[str]) -> None:
    made: list[dict[str, str]] = []

    def make(variables: dict[str, str]) -> ProcessWorker:
        made.append(variables)
        return ProcessWorker("nothing:nothing", environment=variables)

    replicate(2, make, {"CUDA_VISIBLE_DEVICES": devices, "OWN": "1"})
    assert [each["LIVEPEER_REPLICA"] for each in made] == ["0", "1"]
    assert [each["CUDA_VISIBLE_DEVICES"] for each in made] == shares
    assert all(each["OWN"] == "1" for each in made)


def test_one_process_holds_the_model_once() -> None:
    with pytest.raises(SettingsError, match="leave replicas unset"):
        serve_target(f"{PIPELINES}:Dying", host="127.0.0.1", port=0, worker="inline", replicas=2)
    with pytest.raises(SettingsError, match="replicas"):
        Settings.read(replicas=0)


async def test_the_program_takes_replicas() -> None:
    port = free_port()
    command = [sys.executable, "-m", "livepeer.server", f"{PIPELINES}:Dying", "--host", "127.0.0.1"]
    process = await anyio.open_process([*command, "--port", str(port), "--replicas", "2"], stdout=None, stderr=None)
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            found: set[int] = set()
            with anyio.fail_after(30):
                while len(found) < 2:
                    try:
                        found.add((await client.post("/predict", json={"how": "tell"})).json())
                    except (httpx2.TransportError, TypeError):
                        await anyio.sleep(0.05)
    finally:
        process.terminate()
        with anyio.fail_after(20):
            assert await process.wait() == 0


async def ask(served: Served, how: str) -> httpx2.Response:
    return await served.client.post("/predict", json={"how": how})


def host_pids(served: Served) -> list[int | None]:
    return [replica.pid for replica in served.worker._replicas]


async def all_ready(served: Served) -> None:
    await eventually(lambda: all(replica.state is WorkerState.READY for replica in served.worker._replicas))


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]
