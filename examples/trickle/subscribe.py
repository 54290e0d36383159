"""Prints what a channel has, as it comes: `python subscribe.py http://127.0.0.1:2939/counter`."""

import sys

import anyio

from livepeer.trickle import AsyncSubscriber


async def main(url: str) -> None:
    """Read from the newest segment on, until the channel ends."""
    async with AsyncSubscriber(url, wait_seconds=60) as subscriber:
        async for segment in subscriber:
            if segment.gap:
                print(f"missed {segment.gap.count} segments")
            async for part in segment:
                print(segment.seq, part)


anyio.run(main, sys.argv[1])
