"""What runs at once, what waits, and what ends a call before its time."""

import json

import anyio
import httpx2
import pytest
from edge_harness import Marks, Serve, Served, eventually

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio


async def leave_soon(served: Served, marks: Marks, gate: str, **fields: object) -> None:
    """Call, and close the connection once the model is at work."""
    async with httpx2.AsyncClient(base_url=served.url, trust_env=False) as client, anyio.create_task_group() as tasks:

        async def call() -> None:
            await client.post("/predict", json={"gate": gate, **fields})

        tasks.start_soon(call)
        await marks.wait(gate, "entered")
        tasks.cancel_scope.cancel()


async def test_a_sequential_caller_never_meets_its_own_slot(serve: Serve) -> None:
    async with serve("SyncReturn") as served:
        statuses = {(await served.predict(text=str(number))).status_code for number in range(500)}
        assert statuses == {200}


async def test_a_sequential_streaming_caller_never_meets_its_own_slot(serve: Serve) -> None:
    async with serve("Items") as served:
        statuses = {(await served.predict(items=[1])).status_code for _ in range(200)}
        assert statuses == {200}


async def test_a_full_server_answers_503_with_retry_after_and_says_so_in_health(serve: Serve, marks: Marks) -> None:
    async with serve("Held") as served, anyio.create_task_group() as tasks:
        for number in range(2):
            tasks.start_soon(lambda gate: served.predict(gate=gate, looks=True), f"full{number}")
            await marks.wait(f"full{number}", "entered")
        refused = await served.predict(gate="third", looks=True)
        assert (refused.status_code, refused.json()["code"]) == (503, "busy")
        assert int(refused.headers["retry-after"]) >= 1
        health = await served.health()
        assert (health["status"], health["slots"]["in_use"]) == ("OK", 2)
        assert not marks.has("third", "entered")
        marks.go("full0")
        marks.go("full1")


async def test_a_full_server_refuses_before_it_reads_a_body(serve: Serve, marks: Marks) -> None:
    async with serve("HeldOne") as served, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: served.predict(gate="a", looks=True))
        await marks.wait("a", "entered")
        host, port = served.url.removeprefix("http://").split(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(b"POST /predict HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n")
            with anyio.fail_after(5):
                assert b" 503 " in (await stream.receive()).split(b"\r\n")[0]
        marks.go("a")


async def test_a_queue_is_served_in_order_and_bounded(serve: Serve, marks: Marks) -> None:
    async with serve("HeldOne", options=ServerOptions(queue_size=2)) as served:
        order: list[str] = []

        async def call(gate: str) -> None:
            assert (await served.predict(gate=gate, looks=True)).status_code == 200
            order.append(gate)

        async with anyio.create_task_group() as tasks:
            for count, gate in enumerate("abc"):
                tasks.start_soon(call, gate)
                await eventually(lambda count=count: served.server.lifecycle.slots[0].waiting == count)
                if not count:
                    await marks.wait("a", "entered")
            assert (await served.predict(gate="d", looks=True)).status_code == 503
            for gate in "abc":
                marks.go(gate)
        assert order == ["a", "b", "c"]


async def test_a_caller_that_leaves_the_queue_is_forgotten(serve: Serve, marks: Marks) -> None:
    async with serve("HeldOne", options=ServerOptions(queue_size=1)) as served, anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: served.predict(gate="a", looks=True))
        await marks.wait("a", "entered")
        waiting = served.server.lifecycle.slots[0]
        async with (
            httpx2.AsyncClient(base_url=served.url, trust_env=False) as client,
            anyio.create_task_group() as leaving,
        ):
            leaving.start_soon(lambda: client.post("/predict", json={"gate": "b", "looks": True}))
            await eventually(lambda: waiting.waiting == 1)
            leaving.cancel_scope.cancel()
        await eventually(lambda: waiting.waiting == 0)
        marks.go("a")
        await eventually(lambda: waiting.in_use == 0)
        assert not marks.has("b", "entered")


async def test_async_work_is_cancelled_when_its_caller_leaves(serve: Serve, marks: Marks) -> None:
    async with serve("AsyncHeld") as served:
        await leave_soon(served, marks, "left")
        await marks.wait("left", "cancelled")
        await served.until("IDLE")


async def test_sync_work_is_told_when_its_caller_leaves(serve: Serve, marks: Marks) -> None:
    async with serve("HeldOne") as served:
        await leave_soon(served, marks, "told", looks=True)
        await marks.wait("told", "cancelled")
        await served.until("IDLE")


async def test_sync_work_that_does_not_look_keeps_its_slot_until_it_ends(serve: Serve, marks: Marks) -> None:
    async with serve("HeldOne") as served:
        await leave_soon(served, marks, "deaf", looks=False)
        for _ in range(5):
            assert (await served.predict(gate="next", looks=True)).status_code == 503
        marks.go("deaf")
        await served.until("IDLE")
        assert marks.has("deaf", "left")


async def test_a_call_past_its_deadline_is_504_and_async_work_is_cancelled(serve: Serve, marks: Marks) -> None:
    async with serve("AsyncHeld", options=ServerOptions(deadline_seconds=0.3)) as served:
        answer = await served.predict(gate="late")
        assert (answer.status_code, answer.json()["code"]) == (504, "deadline_exceeded")
        await marks.wait("late", "cancelled")
        await served.until("IDLE")


async def test_a_stream_past_its_deadline_ends_with_an_error_event(serve: Serve, marks: Marks) -> None:
    async with serve("AsyncEndless", options=ServerOptions(deadline_seconds=0.3)) as served:
        body = (await served.predict(gate="late")).content
        error, done, rest = body.split(b"\n\n")[-3:]
        assert (done, rest) == (b"data: [DONE]", b"")
        assert json.loads(error.split(b"\ndata: ")[1])["error"]["code"] == "deadline_exceeded"
        await marks.wait("late", "closed")
