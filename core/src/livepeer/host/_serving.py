"""How calls get from the socket to where they run."""

import asyncio
import socket
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from livepeer.core import Operation

from ._calls import Calls, Running
from ._wire import FrameReader


def serve_on_threads(reader: FrameReader, calls: Calls, operations: Sequence[Operation]) -> None:
    """Run sync operations until the socket ends: on this thread alone if one call runs at a time.

    Threads take turns at the socket: the one that reads a call runs it, and the next one reads on. No
    call is handed from one thread to another.
    """
    _Turns(reader, calls, sum(operation.description.capacity for operation in operations)).serve()


class _Turns:
    def __init__(self, reader: FrameReader, calls: Calls, most: int) -> None:
        self._reader = reader
        self._calls = calls
        self._most = most
        self._turn = threading.Lock()
        self._arrived: deque[Running] = deque()
        self._ended = False
        self._free = 1
        self._threads: list[threading.Thread] = []

    def serve(self) -> None:
        self._work()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        run = self._calls.run
        while (running := self._take()) is not None:
            run(running)
            self._free += 1

    def _take(self) -> Running | None:
        with self._turn:
            while not self._arrived:
                frames = None if self._ended else self._reader.receive()
                if frames is None:
                    self._ended = True
                    return None
                self._arrived.extend([self._calls.begin(frame) for frame in frames])
            self._free -= 1
            if self._free <= 0 and len(self._threads) + 1 < self._most:
                self._add_thread()
            return self._arrived.popleft()

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"livepeer-call-{len(self._threads) + 1}", daemon=True)
        self._threads.append(thread)
        self._free += 1
        thread.start()


async def serve_on_loop(
    sock: socket.socket, reader: FrameReader, calls: Calls, operations: Sequence[Operation]
) -> None:
    """Run operations until the socket ends: async ones as tasks of this loop, sync ones on threads."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    tasks: set[asyncio.Task[None]] = set()
    sync_capacity = sum(operation.description.capacity for operation in operations if not operation.is_async)
    threads = ThreadPoolExecutor(max(1, sync_capacity), thread_name_prefix="livepeer-call")

    def start(running: Running) -> None:
        if running.operation.is_async:
            task = loop.create_task(calls.run_async(running))
            running.task = task
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        else:
            threads.submit(calls.run, running)

    def on_readable() -> None:
        frames = reader.receive(wait=False)
        if frames is None:
            loop.remove_reader(sock)
            ended.set()
            return
        for frame in frames:
            start(calls.begin(frame))

    loop.add_reader(sock, on_readable)
    await ended.wait()
    while tasks:
        await asyncio.wait(tasks)
    threads.shutdown()
