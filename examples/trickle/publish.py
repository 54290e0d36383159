"""Publishes five segments: `python publish.py http://127.0.0.1:2939/counter`."""

import sys

import anyio

from livepeer.trickle import AsyncPublisher


async def main(url: str) -> None:
    """Publish a segment every half second, each in two parts."""
    async with AsyncPublisher(url, content_type="text/plain") as publisher:
        for number in range(5):
            async with await publisher.segment() as segment:
                await segment.write(b"number")
                await anyio.sleep(0.5)
                await segment.write(f" {number}\n".encode())
    print(publisher.stats)


anyio.run(main, sys.argv[1])
