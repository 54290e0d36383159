"""One mount request between its two ends: nothing is lost, and nobody gets more than there is room for."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from livepeer.host._mount_stream import MountStream
from livepeer.host._mount_wire import MOUNT_PIECE_BYTES, MOUNT_WINDOW_BYTES
from livepeer.host._outbox import Outbox
from livepeer.host._wire import Frame, FrameReader

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Ends:
    """A stream's two ends; what the second gets is counted."""

    def __init__(self, first: MountStream, second: MountStream) -> None:
        self.first = first
        self.second = second
        self.frames: list[Frame] = []


@asynccontextmanager
async def connected() -> AsyncIterator[Ends]:
    loop = asyncio.get_running_loop()
    pair = socket.socketpair()
    ends = Ends(*(MountStream(1, Outbox(sock, loop)) for sock in pair))

    def listen(sock: socket.socket, end: MountStream) -> None:
        reader = FrameReader(sock)

        def on_readable() -> None:
            for frame in reader.receive(wait=False) or []:
                if end is ends.second:
                    ends.frames.append(frame)
                end.deliver(frame)

        loop.add_reader(sock, on_readable)

    for sock, end in zip(pair, (ends.first, ends.second), strict=True):
        listen(sock, end)
    with anyio.fail_after(10):
        yield ends
    for sock in pair:
        loop.remove_reader(sock)
        sock.close()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the loop still has to bring; `connected` is the limit."""
    while not condition():
        await anyio.lowlevel.checkpoint()


def piece(size: int, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.request", "body": b"x" * size, "more_body": more}


async def test_a_large_body_is_several_messages_and_ends_once() -> None:
    async with connected() as ends, anyio.create_task_group() as tasks:
        tasks.start_soon(ends.first.send, [piece(10 * MOUNT_PIECE_BYTES + 1, more=False)])
        size, more = 0, True
        while more:
            message = await ends.second.receive()
            assert message is not None
            size, more = size + len(message["body"]), message["more_body"]
        assert size == 10 * MOUNT_PIECE_BYTES + 1
    assert max(len(frame.payload) for frame in ends.frames) < MOUNT_PIECE_BYTES + 200


@pytest.mark.parametrize("key", ["text", "bytes"])
async def test_a_large_websocket_message_stays_one(key: str) -> None:
    value: Any = "é" * MOUNT_WINDOW_BYTES * 2 if key == "text" else b"y" * MOUNT_WINDOW_BYTES * 4
    async with connected() as ends, anyio.create_task_group() as tasks:

        async def send() -> None:
            async with anyio.create_task_group() as senders:  # they must not get into each other
                senders.start_soon(ends.first.send, [{"type": "websocket.send", key: value}])
                senders.start_soon(ends.first.send, [{"type": "websocket.send", key: value[:3]}])
                senders.start_soon(ends.first.send, [{"type": "websocket.send", key: value}])

        tasks.start_soon(send)
        for expected in (value, value[:3], value):
            message = await ends.second.receive()
            assert message == {"type": "websocket.send", key: expected}
    assert max(len(frame.payload) for frame in ends.frames) < MOUNT_PIECE_BYTES + 200


@pytest.mark.parametrize("size", [0, 1_000, MOUNT_PIECE_BYTES])
async def test_a_sender_waits_for_its_reader(size: int) -> None:
    async with connected() as ends, anyio.create_task_group() as tasks:
        sent = 0

        async def send() -> None:
            nonlocal sent
            while True:
                await ends.first.send([piece(size)])
                sent += 1

        tasks.start_soon(send)
        await until(lambda: not ends.first.has_room)
        await anyio.wait_all_tasks_blocked()
        assert sent * size < MOUNT_WINDOW_BYTES + 2 * MOUNT_PIECE_BYTES
        assert sent < MOUNT_WINDOW_BYTES / 30
        before = sent
        for _ in range(before):
            await ends.second.receive()
        await until(lambda: sent > before)
        tasks.cancel_scope.cancel()


async def test_whole_messages_before_an_unfinished_one_keep_it_waiting() -> None:
    async with connected() as ends, anyio.create_task_group() as tasks:
        large = {"type": "websocket.receive", "bytes": b"z" * 20 * MOUNT_WINDOW_BYTES}
        small = {"type": "websocket.receive", "bytes": b"a"}

        async def send() -> None:
            await ends.first.send([small])
            await ends.first.send([large])

        tasks.start_soon(send)
        await until(lambda: not ends.first.has_room)
        await anyio.wait_all_tasks_blocked()
        assert sum(len(frame.payload) for frame in ends.frames) < MOUNT_WINDOW_BYTES + 2 * MOUNT_PIECE_BYTES
        assert await ends.second.receive() == small
        assert await ends.second.receive() == large


@pytest.mark.parametrize("drop", [False, True])
async def test_an_end_frees_whoever_waits(drop: bool) -> None:
    async with connected() as ends, anyio.create_task_group() as tasks:
        tasks.start_soon(ends.first.send, [piece(4 * MOUNT_WINDOW_BYTES)])
        await until(lambda: not ends.first.has_room and len(ends.frames) > 3)
        ends.first.end()
        received: list[Any] = []

        async def receive() -> None:
            received.append(await ends.second.receive())

        ends.second.end(drop=drop)
        for _ in range(3):
            tasks.start_soon(receive)
    assert [message is None for message in received] == [drop] * 3
    await ends.first.send([piece(1)])  # goes nowhere, and waits for nobody


async def test_several_may_wait_for_the_same_message() -> None:
    async with connected() as ends, anyio.create_task_group() as tasks:
        received: list[Any] = []

        async def receive() -> None:
            received.append(await ends.second.receive())

        for _ in range(2):
            tasks.start_soon(receive)
        await anyio.wait_all_tasks_blocked()
        await ends.first.send([piece(1)])
        await ends.first.send([piece(2)])
    assert sorted(len(message["body"]) for message in received) == [1, 2]
