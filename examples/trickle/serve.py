"""Serves trickle channels, one of them its own: `python serve.py 2939`."""

import sys
import time

import anyio

from livepeer.trickle.server import TrickleServer, serve


async def main(port: int) -> None:
    """Publish the time to the channel `clock`, a segment each second."""
    server = TrickleServer()
    async with serve(server, port=port) as base_url:
        clock = server.create("clock", "text/plain")
        print(f"{base_url}clock", flush=True)
        while True:
            clock.publish(time.ctime().encode())
            await anyio.sleep(1)


anyio.run(main, int(sys.argv[1]))
