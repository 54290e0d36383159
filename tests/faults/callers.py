"""Callers that behave badly, most of them on bare connections."""

import socket
import struct
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import SocketAttribute, SocketStream
from edge_harness import eventually

from .places import Door

_RESET_AT_ONCE = struct.pack("ii", 1, 0)


@asynccontextmanager
async def connected(door: Door, *, rude: bool = False) -> AsyncGenerator[SocketStream]:
    """Connect; a rude caller resets the connection in the end instead of closing it."""
    stream = await anyio.connect_tcp("127.0.0.1", door.port)
    sock = stream.extra(SocketAttribute.raw_socket)
    try:
        yield stream
    finally:
        if rude:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
        await stream.aclose()


async def leave_in_body(door: Door, number: int, records: Path) -> None:
    """Send half a body, small or large, and go."""
    del records
    half = b'{"id": "half", "data": "' + b"x" * (300_000 if number % 4 < 2 else 300)
    async with connected(door, rude=number % 8 < 4) as stream:
        await stream.send(door.head(2 * len(half)) + half)


async def leave_while_working(door: Door, number: int, records: Path) -> None:
    """Go as soon as the model has begun, and watch it stop."""
    async with connected(door, rude=number % 8 < 4) as stream:
        await stream.send(door.request({"id": str(number), "hold": True}))
        await eventually(lambda: str(number) in read(records, "begun"), f"call {number} begins")
    await eventually(lambda: str(number) in read(records, "ended"), f"call {number} ends")


async def leave_in_stream(door: Door, number: int, records: Path) -> None:
    """Go after the first item, while the model is silent or goes on, and watch it stop."""
    hold = "silent" if number % 2 else "loud"
    async with connected(door, rude=number % 8 < 4) as stream:
        await stream.send(door.request({"id": str(number), "count": 3, "hold": hold, "size": 100}))
        await receive_until(stream, b'"number"')
    await eventually(lambda: str(number) in read(records, "ended"), f"stream {number} ends")


async def stall_in_body(door: Door) -> bytes:
    """Send half a body and wait for what comes of it."""
    async with connected(door) as stream:
        await stream.send(door.head(1000) + b'{"id": "')
        return await receive_until(stream, b"\r\n")


async def read_late(door: Door, input: dict[str, Any], go: anyio.Event, end: bytes) -> bytes:
    """Ask for much, read no more than its begin until told to, and then all of it."""
    received, looked_at = bytearray(), 0
    async with (
        httpx2.AsyncClient(trust_env=False, timeout=60) as http,
        http.stream("POST", door.url, json=input, headers=door.headers) as answer,
    ):
        chunks = answer.aiter_raw()
        await go.wait()
        while received.find(end, looked_at) < 0:
            looked_at = max(0, len(received) - len(end))
            received += await anext(chunks)
    return bytes(received)


async def receive_until(stream: SocketStream, end: bytes) -> bytes:
    """Read until that has come."""
    received = b""
    while end not in received:
        received += await stream.receive()
    return received


def read(records: Path, name: str) -> list[str]:
    """The lines of a record."""
    try:
        return (records / name).read_text().split()
    except FileNotFoundError:
        return []
