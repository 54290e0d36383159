"""Moves an answer from one hop to the next: a body as a whole, a stream line by line."""

from contextlib import aclosing

import anyio
import httpx2

from ._inbound import Reply
from ._lines import LineRelay
from ._outbound import EVENT_STREAM, closing
from ._sniffing import sniff_content_type
from ._timings import Timings

STREAM_HEADERS = {"Content-Type": EVENT_STREAM, "Cache-Control": "no-cache", "Connection": "keep-alive"}

_OUTBOX_BYTES = 262_144


async def pass_body(response: httpx2.Response, reply: Reply) -> None:
    """Read a whole answer, then send it on: as 200 if its status is below 400, else as plain text with that status."""
    try:
        body = await response.aread()
    except httpx2.RequestError as error:
        await reply.error(str(error), 500)
        return
    if response.status_code > 399:
        await reply.error(body, response.status_code)
        return
    if body:
        reply.headers.setdefault("Content-Type", sniff_content_type(body))
    await reply.end(body)


class _Outbox:
    """Bytes between a reader and a writer; the writer takes all there is, the reader waits while it is full."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._bytes = 0
        self._closed = False
        self._filled = anyio.Event()
        self._emptied = anyio.Event()

    async def put(self, data: bytes) -> None:
        if not data:
            return
        self._parts.append(data)
        self._bytes += len(data)
        self._filled.set()
        while self._bytes >= _OUTBOX_BYTES:
            self._emptied = anyio.Event()
            await self._emptied.wait()

    def close(self) -> None:
        self._closed = True
        self._filled.set()

    async def take(self) -> bytes:
        """Return all that waits, as soon as there is any; nothing at the end."""
        while not self._parts and not self._closed:
            self._filled = anyio.Event()
            await self._filled.wait()
        data = b"".join(self._parts)
        self._parts.clear()
        self._bytes = 0
        self._emptied.set()
        return data


async def relay(response: httpx2.Response, lines: LineRelay, reply: Reply) -> None:
    """Send on what the lines let through until they end or the stream does, then close the response.

    Each line goes at once, what is ready goes together, and nothing is read faster than the caller takes it.
    """
    outbox = _Outbox()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_fill, outbox, response, lines)
        while data := await outbox.take():
            await reply.write(data)


async def _fill(outbox: _Outbox, response: httpx2.Response, lines: LineRelay) -> None:
    try:
        async with closing(response), aclosing(response.aiter_bytes()) as chunks:
            async for chunk in chunks:
                await outbox.put(lines.feed(chunk))
                if lines.ended:
                    break
    except httpx2.RequestError:
        pass  # A stream that breaks off ends like one that stops.
    await outbox.put(lines.finish())
    outbox.close()


async def flood(reply: Reply, timings: Timings) -> None:
    """Send blank lines until cancelled: go-livepeer keeps reading from a closed channel until its deadline."""
    while True:
        await reply.write(b"\n" * timings.flood_lines)
        await anyio.sleep(timings.flood_pause_seconds)
