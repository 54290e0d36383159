"""Our server in the running loop, and raw connections to it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import anyio
import anyio.lowlevel
from anyio.abc import SocketStream

from livepeer.trickle.server import Channel, TrickleServer, serve

LIMIT_SECONDS = 10


async def until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; nothing tells when it does."""
    with anyio.fail_after(LIMIT_SECONDS):
        while not condition():
            await anyio.lowlevel.checkpoint()


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes = field(default=b"")


class Wire:
    """One connection, and what came of it and was not read yet."""

    def __init__(self, stream: SocketStream) -> None:
        self._stream = stream
        self._buffer = b""

    async def send(self, data: bytes) -> Self:
        await self._stream.send(data)
        return self

    async def ask(self, method: str, target: str, *headers: str, body: bytes = b"") -> Self:
        """Send a request; with a body, its length, unless the headers say how it comes."""
        lines = [f"{method} {target} HTTP/1.1", "Host: x", *headers]
        if body and not headers:
            lines.append(f"Content-Length: {len(body)}")
        return await self.send("\r\n".join([*lines, "", ""]).encode() + body)

    async def preconnect(self, target: str) -> Self:
        """Send the head of a segment whose data comes later, in chunks."""
        return await self.ask("POST", target, "Transfer-Encoding: chunked")

    async def chunk(self, data: bytes) -> Self:
        return await self.send(b"%x\r\n%b\r\n" % (len(data), data))

    async def head(self) -> Answer:
        head = (await self._until(b"\r\n\r\n")).decode("latin-1")
        status_line, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        headers = dict(line.split(": ", 1) if ": " in line else (line.rstrip(":"), "") for line in lines)
        return Answer(status=int(status_line.split()[1]), headers=headers)

    async def part(self) -> bytes:
        """Read one chunk of a body; nothing at its end."""
        size = int(await self._until(b"\r\n"), 16)
        return (await self.exactly(size + 2))[:-2]

    async def answer(self) -> Answer:
        """Read a whole answer."""
        head = await self.head()
        if "content-length" in head.headers:
            body = await self.exactly(int(head.headers["content-length"]))
        else:
            body = b""
            while part := await self.part():
                body += part
        return Answer(status=head.status, headers=head.headers, body=body)

    async def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._buffer += await self._receive()
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    async def rest(self) -> bytes:
        """Read until the server hangs up."""
        with anyio.fail_after(LIMIT_SECONDS):
            try:
                while True:
                    self._buffer += await self._stream.receive()
            except anyio.EndOfStream:
                return self._buffer

    async def send_eof(self) -> None:
        await self._stream.send_eof()

    async def _until(self, end: bytes) -> bytes:
        while end not in self._buffer:
            self._buffer += await self._receive()
        data, _, self._buffer = self._buffer.partition(end)
        return data + end

    async def _receive(self) -> bytes:
        with anyio.fail_after(LIMIT_SECONDS):
            return await self._stream.receive()


class Served:
    """A server, and ways to use it."""

    def __init__(self, server: TrickleServer, url: str) -> None:
        self.server = server
        self.url = url
        self.port = int(url.split(":")[2].split("/")[0])
        self.path = server.path

    @asynccontextmanager
    async def wire(self) -> AsyncIterator[Wire]:
        async with await anyio.connect_tcp("127.0.0.1", self.port) as stream:
            yield Wire(stream)

    async def ask(self, method: str, name: str, *headers: str, body: bytes = b"") -> Answer:
        async with self.wire() as wire:
            return await (await wire.ask(method, self.path + name, *headers, body=body)).answer()

    def channel(self, name: str = "ch") -> Channel:
        channel = self.server.channel(name)
        assert channel is not None
        return channel

    async def readers_wait(self, seq: int = 0, *, count: int = 1, name: str = "ch") -> None:
        """Return once so many readers wait for more of a segment."""
        await until(lambda: self._waiting(name, seq) == count)

    def _waiting(self, name: str, seq: int) -> int:
        segment = self.channel(name).held(seq)
        return 0 if segment is None else len(segment.growing)


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[Served]:
    """Serve in the running loop; afterwards nothing of it may be left there."""
    before = asyncio.all_tasks()
    server = TrickleServer(**options)
    async with serve(server, port=0) as url:
        yield Served(server, url)
    assert asyncio.all_tasks() <= before
