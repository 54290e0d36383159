"""Writes messages to a JSONL channel, and reads them: `python telemetry.py http://127.0.0.1:2939/events`."""

import sys

import anyio

from livepeer.trickle import AsyncJSONLReader, AsyncJSONLWriter


async def read(url: str) -> None:
    """Print each message, until the channel ends."""
    async with AsyncJSONLReader(url) as reader:
        async for message in reader:
            print(message)


async def main(url: str) -> None:
    """Write what a pipeline might tell of each frame."""
    async with anyio.create_task_group() as tasks, AsyncJSONLWriter(url) as writer:
        tasks.start_soon(read, url)
        for frame in range(100):
            await writer.write({"type": "status", "frame": frame})
            await anyio.sleep(0.01)


anyio.run(main, sys.argv[1])
