"""Capabilities made by hand, against the contract alone: several operations, mixed kinds, a framework's own ways."""

import asyncio
import threading
import time
from collections.abc import Sequence
from typing import Any

import anyio
import httpx2
import pytest
from edge_harness import Served, eventually, serve_with

from livepeer.core import (
    Call,
    CallCancelledError,
    Encoded,
    Info,
    InvalidInputError,
    Operation,
    OperationDescription,
)
from livepeer.server import InlineWorker, ServerOptions

pytestmark = pytest.mark.anyio


class Handmade:
    """An operation that reads and writes plain text."""

    def __init__(self, name: str, *, is_async: bool, capacity: int = 1) -> None:
        self.is_async = is_async
        self.interrupted = threading.Event()
        self.entered = threading.Event()
        self.description = OperationDescription(
            name=name,
            path=f"/{name}",
            input_schema={"type": "string"},
            output_schema={"type": "string"},
            input_media_types=("text/plain",),
            output_media_type="text/plain",
            capacity=capacity,
        )

    def decode(self, body: bytes, media_type: str) -> str:
        assert media_type == "text/plain"
        if not body:
            raise InvalidInputError("there is nothing to say")
        return body.decode()

    def invoke(self, value: str, call: Call) -> Any:
        return self._later(value) if self.is_async else self._now(value, call)

    def encode(self, value: str) -> Encoded:
        return Encoded(value.encode(), "text/plain")

    def interrupt(self, call: Call) -> None:
        self.interrupted.set()

    def _now(self, value: str, call: Call) -> str:
        self.entered.set()
        if value == "wait":
            self.interrupted.wait(20)
            raise CallCancelledError("the framework stopped it")
        return f"{value} by thread"

    async def _later(self, value: str) -> str:
        await asyncio.sleep(0)
        return f"{value} on loop"


class HandmadeCapability:
    info = Info(name="handmade", adapter="none")

    def __init__(self, operations: Sequence[Operation]) -> None:
        self.operations = operations

    def setup(self) -> None: ...

    def teardown(self) -> None: ...


async def say(served: Served, path: str, text: str) -> httpx2.Response:
    return await served.client.post(path, content=text, headers={"content-type": "text/plain"})


async def test_sync_and_async_operations_live_in_one_capability() -> None:
    operations = [Handmade("now", is_async=False, capacity=2), Handmade("later", is_async=True)]
    async with serve_with(InlineWorker(lambda: HandmadeCapability(operations))) as served:
        assert (await say(served, "/now", "hi")).text == "hi by thread"
        assert (await say(served, "/later", "hi")).text == "hi on loop"
        assert (await say(served, "/handmade", "hi")).text == "hi by thread"
        paths = [item["path"] for item in (await served.client.get("/")).json()["operations"]]
        assert paths == ["/now", "/later"]
        assert (await say(served, "/later", "")).status_code == 422
        refused = await served.client.post("/now", json={})
        assert refused.status_code == 415
        assert "text/plain" in refused.json()["detail"]


@pytest.mark.parametrize("mixed", [False, True])
async def test_a_frameworks_own_way_to_stop_sync_work_is_used(mixed: bool) -> None:
    operation = Handmade("now", is_async=False)
    operations = [operation, *([Handmade("later", is_async=True)] if mixed else [])]
    async with serve_with(InlineWorker(lambda: HandmadeCapability(operations))) as served:
        async with (
            httpx2.AsyncClient(base_url=served.url, trust_env=False) as client,
            anyio.create_task_group() as tasks,
        ):
            headers = {"content-type": "text/plain"}
            tasks.start_soon(lambda: client.post("/now", content="wait", headers=headers))
            await eventually(operation.entered.is_set)
            tasks.cancel_scope.cancel()
        await eventually(operation.interrupted.is_set)
        await served.until("IDLE")


async def test_each_operation_has_slots_of_its_own() -> None:
    now, other = Handmade("now", is_async=False), Handmade("other", is_async=False)
    async with (
        serve_with(InlineWorker(lambda: HandmadeCapability([now, other]))) as served,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(say, served, "/now", "wait")
        await eventually(now.entered.is_set)
        assert (await say(served, "/now", "hi")).status_code == 503
        assert (await say(served, "/other", "hi")).text == "hi by thread"
        now.interrupted.set()


async def test_small_calls_pass_a_large_body_that_is_on_its_way() -> None:
    operations = [Handmade("now", is_async=False, capacity=2)]
    size = 16 * 1024 * 1024
    async with serve_with(
        InlineWorker(lambda: HandmadeCapability(operations)), options=ServerOptions(body_timeout_seconds=20)
    ) as served:
        host, port = served.url.removeprefix("http://").split(":")
        async with await anyio.connect_tcp(host, int(port)) as stream:
            head = f"POST /now HTTP/1.1\r\nhost: x\r\ncontent-type: text/plain\r\ncontent-length: {size}\r\n\r\n"
            await stream.send(head.encode() + b"x" * (size // 2))
            for _ in range(20):
                assert (await say(served, "/now", "hi")).text == "hi by thread"
            await stream.send(b"x" * (size // 2))
            # The answer is as large, and stays unread while others are answered.
            answer = await stream.receive()
            started = time.monotonic()
            for _ in range(20):
                assert (await say(served, "/now", "hi")).text == "hi by thread"
            assert time.monotonic() - started < 5
            with anyio.fail_after(20):
                while len(answer) < size:
                    answer += await stream.receive()
            assert answer.endswith(b"x by thread")
