"""One trickle client at one task, in a process of its own: `trickle_clients.py CLIENT TASK URL ...`; prints JSON.

The clients are ours on an event loop (`ours`), ours on blocking sockets (`blocking`), and two peers from PyPI,
livepeer-gateway (`gateway`) and pytrickle. Of the peers only the trickle modules are imported.
"""

import asyncio
import importlib
import importlib.util
import json
import logging
import sys
import time
import types
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psutil

from livepeer.trickle import (
    AsyncJSONLReader,
    AsyncJSONLWriter,
    AsyncPublisher,
    AsyncSubscriber,
    Publisher,
    Subscriber,
)

Publish = Callable[[bytes], Awaitable[None]]
Take = Callable[[], Awaitable[bytes | None]]

CONTENT_TYPE = "application/octet-stream"
LIMIT_SECONDS = 60
SETTLED_SECONDS = 0.5
MESSAGE = {"type": "status", "state": "ONLINE", "fps": {"in": 30.0, "out": 24.5}, "restarts": 0}


def module(package: str, name: str) -> types.ModuleType:
    """Import one module of a peer without the rest, which wants torch, PyAV and gRPC."""
    if package not in sys.modules:
        found = importlib.util.find_spec(package)
        assert found is not None, f"{package} is missing: tox -e bench installs it"
        parent = types.ModuleType(package)
        parent.__path__ = list(found.submodule_search_locations or [])
        sys.modules[package] = parent
    return importlib.import_module(f"{package}.{name}")


class Ours:
    """Ours, in an event loop."""

    @asynccontextmanager
    async def publishing(self, url: str) -> AsyncIterator[Publish]:
        async with AsyncPublisher(url, content_type=CONTENT_TYPE, delete=False) as publisher:

            async def publish(data: bytes) -> None:
                await publisher.publish(data)

            yield publish

    @asynccontextmanager
    async def reading(self, url: str) -> AsyncIterator[Take]:
        async with AsyncSubscriber(url, start=0) as subscriber:
            segments = aiter(subscriber)

            async def take() -> bytes | None:
                segment = await anext(segments, None)
                return None if segment is None else await segment.read()

            yield take

    @asynccontextmanager
    async def first_bytes(self, url: str) -> AsyncIterator[Take]:
        async with AsyncSubscriber(url, start=0) as subscriber:
            segments = aiter(subscriber)

            async def take() -> bytes | None:
                return await anext(aiter(await anext(segments)), b"")

            yield take

    @asynccontextmanager
    async def writing(self, url: str) -> AsyncIterator[Callable[[Any], Awaitable[None]]]:
        async with AsyncJSONLWriter(url, delete=False) as writer:
            yield writer.write

    async def lines(self, url: str) -> AsyncIterator[Any]:
        async with AsyncJSONLReader(url, start=0) as reader:
            async for message in reader:
                yield message


class Blocking(Ours):
    """Ours, on blocking sockets."""

    @asynccontextmanager
    async def publishing(self, url: str) -> AsyncIterator[Publish]:
        with Publisher(url, content_type=CONTENT_TYPE, delete=False) as publisher:

            async def publish(data: bytes) -> None:
                publisher.publish(data)

            yield publish

    @asynccontextmanager
    async def reading(self, url: str) -> AsyncIterator[Take]:
        with Subscriber(url, start=0) as subscriber:
            segments = iter(subscriber)

            async def take() -> bytes | None:
                segment = next(segments, None)
                return None if segment is None else segment.read()

            yield take


class Gateway:
    """livepeer-gateway."""

    @asynccontextmanager
    async def publishing(self, url: str) -> AsyncIterator[Publish]:
        publisher = module("livepeer_gateway", "trickle_publisher").TricklePublisher(url, CONTENT_TYPE)
        await publisher.create()
        async with _kept(publisher):

            async def publish(data: bytes) -> None:
                async with await publisher.next() as segment:
                    await segment.write(data)

            yield publish

    @asynccontextmanager
    async def first_bytes(self, url: str) -> AsyncIterator[Take]:
        async with module("livepeer_gateway", "trickle_subscriber").TrickleSubscriber(url, start_seq=0) as subscriber:

            async def take() -> bytes | None:
                segment = await subscriber.next()
                return None if segment is None else await segment.make_reader().read()

            yield take

    @asynccontextmanager
    async def writing(self, url: str) -> AsyncIterator[Callable[[Any], Awaitable[None]]]:
        writer = module("livepeer_gateway", "channel_writer").JSONLWriter(url)
        await writer._publisher.create()
        async with _kept(writer):
            yield writer.write

    async def lines(self, url: str) -> AsyncIterator[Any]:
        read = module("livepeer_gateway", "channel_reader").JSONLReader(url)
        # Its limit of a segment is a megabyte, which these messages come near to.
        async for message in read(start_seq=0, max_event_bytes=1 << 30):
            yield message


class PyTrickle:
    """pytrickle."""

    @asynccontextmanager
    async def publishing(self, url: str) -> AsyncIterator[Publish]:
        async with module("pytrickle", "publisher").TricklePublisher(url, CONTENT_TYPE) as publisher:

            async def publish(data: bytes) -> None:
                async with await publisher.next() as segment:
                    await segment.write(data)
                await asyncio.sleep(0)  # Without an await of its own all segments go to the first.

            yield publish

    @asynccontextmanager
    async def first_bytes(self, url: str) -> AsyncIterator[Take]:
        async with module("pytrickle", "subscriber").TrickleSubscriber(url, start_seq=0) as subscriber:

            async def take() -> bytes | None:
                segment = await subscriber.next()
                return None if segment is None else await segment.read()

            yield take


@asynccontextmanager
async def _kept(publisher: Any) -> AsyncIterator[None]:
    """Close a publisher at the end, but leave its channel, which the server counts."""
    owner = getattr(publisher, "_publisher", publisher)

    async def keep(_: object) -> None: ...

    owner._run_delete = keep
    try:
        yield
    finally:
        await publisher.close()


async def throughput(client: Any, url: str, count: str, size: str, tally: str) -> dict[str, float]:
    """Publish as fast as it goes, and close once the server has all, or gets no more."""
    data = bytes(int(size))
    async with client.publishing(url) as publish:
        begun = time.process_time()
        for _ in range(int(count)):
            await publish(data)
        cpu_seconds = time.process_time() - begun
        found = -1
        while (now := await asyncio.to_thread(_answered, tally)) < int(count) and now > found:
            found = now
            await asyncio.sleep(SETTLED_SECONDS)
    return {"cpu_seconds": cpu_seconds}


def _answered(tally: str) -> int:
    with urllib.request.urlopen(tally, timeout=5) as answer:
        return len(json.loads(answer.read())["bytes"])


async def last(client: Any, url: str, size: str) -> dict[str, float]:
    """Publish one segment and close at once."""
    async with client.publishing(url) as publish:
        await publish(bytes(int(size)))
    return {}


async def latency(client: Any, url: str, count: str, size: str, every_seconds: str) -> dict[str, list[float]]:
    """Milliseconds from before a segment's write to its first byte at a reader in this process."""
    sent: list[float] = []
    took: list[float] = []
    data = bytes(int(size))
    async with client.publishing(url) as publish, client.first_bytes(url) as take:

        async def read() -> None:
            for number in range(int(count)):
                assert await take()
                took.append((time.perf_counter() - sent[number]) * 1000)

        await publish(data)  # pytrickle's channel is there only now, and its reader ends where there is none.
        await asyncio.sleep(SETTLED_SECONDS)
        assert await take()
        reader = asyncio.create_task(read())
        await asyncio.sleep(SETTLED_SECONDS)
        for _ in range(int(count)):
            sent.append(time.perf_counter())
            await publish(data)
            await asyncio.sleep(float(every_seconds))
        async with asyncio.timeout(LIMIT_SECONDS):
            await reader
    return {"milliseconds": took}


async def jsonl(client: Any, url: str, count: str) -> dict[str, float]:
    """Messages a second from a writer to a reader in this process, both of them warm."""
    received = 0
    came = asyncio.Event()

    async def read() -> None:
        nonlocal received
        async for _ in client.lines(url):
            came.set()
            received += 1
            if received > int(count):
                return

    async with client.writing(url) as write:
        await write(MESSAGE)
        reader = asyncio.create_task(read())
        await came.wait()
        begun = time.perf_counter()
        for number in range(int(count)):
            await write({**MESSAGE, "number": number})
        async with asyncio.timeout(LIMIT_SECONDS):
            await reader
    return {"received": received - 1, "seconds": time.perf_counter() - begun}


async def memory(client: Any, url: str, count: str, size: str) -> dict[str, list[float]]:
    """Megabytes of this process, a tenth of the way on and at the end, while it publishes and reads."""
    process, found = psutil.Process(), [0.0, 0.0]
    data = bytes(int(size))
    async with client.publishing(url) as publish, client.reading(url) as take:
        for number in range(int(count)):
            await publish(data)
            assert await take() == data
            if number == int(count) // 10:
                found[0] = process.memory_full_info().uss / 1e6
        found[1] = process.memory_full_info().uss / 1e6
    return {"megabytes": found}


CLIENTS = {"ours": Ours, "blocking": Blocking, "gateway": Gateway, "pytrickle": PyTrickle}
TASKS = {task.__name__: task for task in (throughput, last, latency, jsonl, memory)}


def main(client: str, task: str, *arguments: str) -> None:
    logging.disable()
    print(json.dumps(asyncio.run(TASKS[task](CLIENTS[client](), *arguments))))


if __name__ == "__main__":
    main(*sys.argv[1:])
