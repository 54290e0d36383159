"""Tasks: submitted, asked for, retried and cancelled over BentoML's own routes."""

import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from bento_serving import Gate, serving
from edge_harness import Served, eventually

pytestmark = pytest.mark.anyio


class Client:
    """What a caller asks of the tasks."""

    def __init__(self, served: Served) -> None:
        self.served = served
        self.http = served.client

    async def submit(self, name: str, **inputs: Any) -> str:
        answer = await self.http.post(f"/{name}/submit", json=inputs)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        assert found == {"task_id": found["task_id"], "status": "in_progress"}
        return found["task_id"]

    async def status(self, task_id: str, name: str = "later") -> str:
        answer = await self.http.get(f"/{name}/status", params={"task_id": task_id})
        assert answer.status_code == 200, answer.text
        return answer.json()["status"]

    async def until(self, task_id: str, status: str) -> None:
        with anyio.fail_after(20):
            while (found := await self.status(task_id)) == "in_progress":  # noqa: ASYNC110 - asked over HTTP
                await anyio.sleep(0.005)
        assert found == status

    async def get(self, task_id: str, name: str = "later") -> httpx2.Response:
        return await self.http.get(f"/{name}/get", params={"task_id": task_id})

    async def cancel(self, task_id: str, name: str = "later") -> httpx2.Response:
        return await self.http.put(f"/{name}/cancel", params={"task_id": task_id})

    async def retry(self, task_id: str, name: str = "later") -> httpx2.Response:
        return await self.http.post(f"/{name}/retry", params={"task_id": task_id})


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    return Gate(tmp_path / "gate")


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def client(anyio_backend: str) -> AsyncIterator[Client]:
    async with serving("bento_tasks.py:Tasks") as served:
        yield Client(served)


# As BentoML answers.


async def test_a_task_runs_behind_its_answer(client: Client, gate: Gate) -> None:
    task_id = await client.submit("later", gate=str(gate))
    await gate.until("began")
    assert await client.status(task_id) == "in_progress"
    early = await client.get(task_id)
    assert (early.status_code, early.json()) == (400, {"error": f"task {task_id} is not completed yet"})
    gate.open()
    await client.until(task_id, "completed")
    found = await client.get(task_id)
    assert (found.status_code, found.text) == (200, "done")


async def test_the_status_says_when(client: Client) -> None:
    task_id = await client.submit("counted", numbers=[1, 2])
    await client.until(task_id, "completed")
    answer = await client.http.get("/counted/status", params={"task_id": task_id})
    assert set(answer.json()) == {"task_id", "status", "created_at", "executed_at"}
    assert answer.headers["server"] == "BentoML Service/Tasks"


async def test_a_task_can_be_called_like_any_api(client: Client) -> None:
    answer = await client.http.post("/counted", json={"numbers": [1, 2, 3]})
    assert (answer.status_code, answer.json()) == (200, 6)


async def test_a_failed_task_has_the_error_for_its_result(client: Client) -> None:
    refused = await client.submit("failing", how="refuse")
    failed = await client.submit("failing", how="raise")
    await client.until(refused, "failed")
    await client.until(failed, "failed")
    answer = await client.get(refused)
    assert (answer.status_code, answer.json()) == (400, {"error": "not like this"})
    answer = await client.get(failed)
    assert answer.status_code == 500
    assert "sesame" not in answer.text


async def test_an_input_that_does_not_fit_is_the_tasks_failure(client: Client) -> None:
    task_id = await client.submit("counted", numbers="many")
    await client.until(task_id, "failed")
    answer = await client.get(task_id)
    assert answer.status_code == 400
    assert answer.json()["detail"][0]["loc"] == ["numbers"]


async def test_pickle_is_not_even_looked_at(client: Client) -> None:
    headers = {"content-type": "application/vnd.bentoml+pickle"}
    answer = await client.http.post("/counted/submit", content=b"\x80\x04.", headers=headers)
    task_id = answer.json()["task_id"]
    await client.until(task_id, "failed")
    assert (await client.get(task_id)).status_code == 415


async def test_files_come_in_and_out(client: Client) -> None:
    files = {"file": ("words.txt", b"some words", "text/plain")}
    task_id = (await client.http.post("/copied/submit", files=files)).json()["task_id"]
    await client.until(task_id, "completed")
    answer = await client.get(task_id)
    assert answer.content == b"some words"
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"] == 'attachment; filename="copy.txt"'


async def test_what_the_code_sets_for_its_answer_is_in_the_result(client: Client) -> None:
    task_id = await client.submit("deep/named")
    await client.until(task_id, "completed")
    answer = await client.get(task_id, "deep/named")
    assert (answer.status_code, answer.text, answer.headers["x-own"]) == (201, task_id, "1")
    assert answer.headers["set-cookie"].startswith("crumb=2")


async def test_what_the_code_leaves_for_later_belongs_to_the_task(client: Client, gate: Gate) -> None:
    task_id = await client.submit("trailing", gate=str(gate))
    await gate.until("began")
    assert await client.status(task_id) == "in_progress"
    gate.open()
    await client.until(task_id, "completed")


@pytest.mark.parametrize("how", ["fail", "exit"])
async def test_what_fails_later_fails_the_task(client: Client, gate: Gate, how: str) -> None:
    gate.say(how)
    task_id = await client.submit("trailing", gate=str(gate))
    await gate.until("began")
    gate.open()
    await client.until(task_id, "failed")
    assert (await client.get(task_id)).status_code == 500


async def test_a_batchable_task_is_a_task(client: Client) -> None:
    task_id = await client.submit("doubled", numbers=[1, 2])
    await client.until(task_id, "completed")
    assert (await client.get(task_id)).json() == [2, 4]


async def test_many_tasks_wait_for_the_one_thread(client: Client) -> None:
    ids = [await client.submit("counted", numbers=[number]) for number in range(20)]
    for number, task_id in enumerate(ids):
        await client.until(task_id, "completed")
        assert (await client.get(task_id)).json() == number


async def test_a_task_runs_again_with_what_it_was_sent(client: Client) -> None:
    first = await client.submit("counted", numbers=[4, 5])
    await client.until(first, "completed")
    second = (await client.retry(first, "counted")).json()["task_id"]
    assert second != first
    await client.until(second, "completed")
    assert (await client.get(second)).json() == 9


async def test_a_task_that_runs_is_not_run_again(client: Client, gate: Gate) -> None:
    task_id = await client.submit("later", gate=str(gate))
    answer = await client.retry(task_id)
    assert (answer.status_code, answer.json()) == (400, {"error": f"task {task_id} is not completed yet"})
    gate.open()
    await client.until(task_id, "completed")


@pytest.mark.parametrize("route", ["GET status", "GET get", "POST retry", "PUT cancel"])
async def test_an_id_is_needed_and_must_be_known(client: Client, route: str) -> None:
    method, action = route.split()
    answer = await client.http.request(method, f"/later/{action}")
    assert (answer.status_code, answer.json()) == (400, {"error": "task_id is required"})
    answer = await client.http.request(method, f"/later/{action}", params={"task_id": "nobody's"})
    assert (answer.status_code, answer.json()) == (404, {"error": "task_id not found"})


@pytest.mark.parametrize("route", ["GET submit", "POST status", "PUT get", "POST cancel"])
async def test_each_route_has_its_method(client: Client, route: str) -> None:
    method, action = route.split()
    assert (await client.http.request(method, f"/later/{action}")).status_code == 405


# Cancelled for real.


async def test_a_cancelled_async_task_is_stopped(client: Client, gate: Gate) -> None:
    task_id = await client.submit("later", gate=str(gate))
    await gate.until("began")
    answer = await client.cancel(task_id)
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert gate.said("cancelled")
    gate.open()
    assert await client.status(task_id) == "canceled"
    answer = await client.get(task_id)
    assert (answer.status_code, answer.json()) == (409, {"error": f"task {task_id} was canceled"})


async def test_a_cancelled_task_can_be_run_again(client: Client, gate: Gate) -> None:
    task_id = await client.submit("later", gate=str(gate))
    await gate.until("began")
    await client.cancel(task_id)
    gate.open()
    second = (await client.retry(task_id)).json()["task_id"]
    await client.until(second, "completed")
    assert await client.status(task_id) == "canceled"


async def test_a_task_that_swallows_its_cancellation_is_canceled_all_the_same(client: Client, gate: Gate) -> None:
    task_id = await client.submit("stubborn", gate=str(gate))
    await gate.until("began")
    answer = await client.cancel(task_id)
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert (await client.get(task_id)).status_code == 409


async def test_a_sync_task_that_goes_on_is_canceled_when_it_ends(client: Client, gate: Gate) -> None:
    task_id = await client.submit("blocking", gate=str(gate))
    await gate.until("began")
    answer = await client.cancel(task_id)
    assert answer.status_code == 202
    assert answer.json()["status"] == "in_progress"
    assert "when its code has ended" in answer.json()["message"]
    assert await client.status(task_id) == "in_progress"
    gate.open()
    await client.until(task_id, "canceled")
    assert gate.said("cancelled")


async def test_a_sync_task_that_looks_ends_at_once(client: Client, gate: Gate) -> None:
    task_id = await client.submit("polite", gate=str(gate))
    await gate.until("began")
    answer = await client.cancel(task_id)
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert gate.said("cancelled")


async def test_a_sync_task_that_waits_for_a_thread_never_begins(client: Client, gate: Gate, tmp_path: Path) -> None:
    before = await client.submit("blocking", gate=str(gate))
    await gate.until("began")
    second = Gate(tmp_path / "second")
    waiting = await client.submit("blocking", gate=str(second))
    answer = await client.cancel(waiting)
    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    gate.open()
    await client.until(before, "completed")
    assert (await client.http.post("/counted", json={"numbers": []})).status_code == 200
    assert not second.said("began")


async def test_a_cancellation_while_the_last_of_it_runs_counts(client: Client, gate: Gate) -> None:
    task_id = await client.submit("trailing", gate=str(gate))
    await gate.until("began")
    assert (await client.cancel(task_id)).json()["status"] == "canceled"


async def test_cancelling_twice_is_the_same_as_once(client: Client, gate: Gate) -> None:
    task_id = await client.submit("later", gate=str(gate))
    await gate.until("began")
    answers: list[httpx2.Response] = []

    async def cancel() -> None:
        answers.append(await client.cancel(task_id))

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(cancel)
    answers.append(await client.cancel(task_id))
    assert [(answer.status_code, answer.json()["status"]) for answer in answers] == [(200, "canceled")] * 4


async def test_a_task_that_has_ended_is_not_cancelled(client: Client) -> None:
    task_id = await client.submit("counted", numbers=[1])
    await client.until(task_id, "completed")
    answer = await client.cancel(task_id)
    assert (answer.status_code, answer.json()) == (409, {"error": f"task {task_id} is completed already"})
    assert (await client.get(task_id)).json() == 1
    failed = await client.submit("failing", how="raise")
    await client.until(failed, "failed")
    assert (await client.cancel(failed)).status_code == 409


async def test_a_task_whose_code_was_cancelled_by_itself_has_failed(client: Client) -> None:
    task_id = await client.submit("giving_up")
    await client.until(task_id, "failed")
    assert (await client.get(task_id)).status_code == 500


# Callers and the server.


async def test_a_task_outlives_its_caller(client: Client, gate: Gate) -> None:
    port = int(client.served.url.rpartition(":")[2])
    body = json.dumps({"gate": str(gate)}).encode()
    head = b"POST /later/submit HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(head + body)
        answer = await stream.receive()
    task_id = json.loads(answer.partition(b"\r\n\r\n")[2])["task_id"]
    await gate.until("began")
    assert await client.status(task_id) == "in_progress"
    gate.open()
    await client.until(task_id, "completed")


async def test_half_a_submission_is_none(client: Client, caplog: pytest.LogCaptureFixture) -> None:
    port = int(client.served.url.rpartition(":")[2])
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        await stream.send(b"POST /later/submit HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        await eventually(lambda: client.served.server.lifecycle.running == 1)
    await eventually(lambda: client.served.server.lifecycle.running == 0)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_task_is_work_under_way(client: Client, gate: Gate) -> None:
    task_id = await client.submit("later", gate=str(gate))
    await gate.until("began")
    assert (await client.served.health())["status"] == "OK"
    gate.open()
    await client.until(task_id, "completed")
    await client.served.until("IDLE")
