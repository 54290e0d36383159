"""How calls get from the socket to where they run."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from livepeer.core import Operation

from ._calls import Calls
from ._turns import Turns
from ._wire import FrameReader


def serve_on_threads(reader: FrameReader, calls: Calls, operations: Sequence[Operation]) -> None:
    """Run sync operations until the socket ends: on this thread alone if one call runs at a time."""
    Turns(reader, calls, sum(operation.description.capacity for operation in operations)).serve()


async def serve_on_loop(
    sock: socket.socket, reader: FrameReader, calls: Calls, operations: Sequence[Operation]
) -> None:
    """Run operations until the socket ends: async ones as tasks of this loop, sync ones on threads."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    sync_capacity = sum(operation.description.capacity for operation in operations if not operation.is_async)
    threads = ThreadPoolExecutor(max(1, sync_capacity), thread_name_prefix="livepeer-call")

    def on_readable() -> None:
        frames = reader.receive(wait=False)
        if frames is None:
            loop.remove_reader(sock)
            ended.set()
            return
        for frame in frames:
            running = calls.begin(frame)
            if running.operation.is_async:
                running.task = loop.create_task(calls.run_async(running))
            else:
                threads.submit(calls.run, running)

    loop.add_reader(sock, on_readable)
    await ended.wait()
    while tasks := calls.tasks():
        await asyncio.wait(tasks)
    # Not on the loop, where mounted applications still run.
    await asyncio.to_thread(threads.shutdown)
