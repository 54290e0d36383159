"""The mounts of one host: applications, their lifespans, and the requests that run."""

import asyncio
import socket
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import asynccontextmanager, contextmanager

from livepeer.core import Capability, Mount, Mounting, TargetError

from ._lifespan import Lifespan, LifespanError
from ._mount_wire import MOUNT_OPEN, unpack_open
from ._mounted import MountedRequest
from ._mounted_http import MountedHttp
from ._mounted_websocket import MountedWebSocket
from ._outbox import Outbox
from ._wire import Frame, FrameReader

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class Mounts:
    """Runs mounted applications on the running loop.

    Args:
        sock: The mount socket.
        mounts: What the frames' mount numbers mean.
    """

    def __init__(self, sock: socket.socket, mounts: Sequence[Mount]) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = sock
        self._mounts = mounts
        self._reader = FrameReader(sock)
        self._outbox = Outbox(sock, self._loop)
        self._lifespans = [Lifespan(mount.app) for mount in mounts]
        self._requests: dict[int, MountedRequest] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Start the applications, then take requests.

        Raises:
            LifespanError: If one says that it cannot start; names it by its first path.
        """
        for mount, lifespan in zip(self._mounts, self._lifespans, strict=True):
            try:
                await lifespan.start()
            except LifespanError as error:
                await self._end_lifespans()
                raise LifespanError(f"the application at {mount.paths[0]} cannot start: {error}") from None
        self._loop.add_reader(self._socket, self._on_readable)

    async def finish(self) -> None:
        """End what goes on behind whole answers, wait until every application has returned, then end them."""
        for request in tuple(self._requests.values()):
            request.server_stops()
        while self._tasks:
            await asyncio.wait(self._tasks)
        self._loop.remove_reader(self._socket)
        await self._end_lifespans()
        self._outbox.close()

    async def _end_lifespans(self) -> None:
        for lifespan in reversed(self._lifespans):
            await lifespan.end()

    def _on_readable(self) -> None:
        frames = self._reader.receive(wait=False)
        if frames is None:
            self._loop.remove_reader(self._socket)
            return
        for frame in frames:
            if frame.kind == MOUNT_OPEN:
                self._open(frame)
            elif (request := self._requests.get(frame.call)) is not None:
                request.deliver(frame)

    def _open(self, frame: Frame) -> None:
        opening = unpack_open(frame.payload)
        opening.scope["state"] = self._lifespans[opening.mount].state.copy()
        make = MountedHttp if opening.scope["type"] == "http" else MountedWebSocket
        request = make(frame.call, opening, self._mounts[opening.mount].app, self._outbox)
        self._requests[frame.call] = request
        task = self._loop.create_task(self._run(frame.call, request))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _run(self, number: int, request: MountedRequest) -> None:
        try:
            await request.run()
        finally:
            del self._requests[number]


def mounts_of(capability: Capability) -> Sequence[Mount]:
    """The capability's mounts.

    Raises:
        TargetError: If they do not go together.
    """
    mounts = capability.mounts if isinstance(capability, Mounting) else ()
    if len({mount.apart for mount in mounts}) > 1:
        raise TargetError("some mounts are apart and others are not: all of a capability's must agree")
    seen: set[str] = set()
    for path in [path for mount in mounts for path in mount.paths]:
        if not path.startswith("/") or (path != "/" and path.endswith("/")):
            raise TargetError(f"a mount's path begins with / and does not end with it, unlike {path!r}")
        if path in seen:
            raise TargetError(f"the path {path!r} is in two mounts")
        seen.add(path)
    if not all(mount.paths for mount in mounts):
        raise TargetError("a mount needs a path, '/' for whatever is nobody else's")
    return mounts


@asynccontextmanager
async def serving_mounts(sock: socket.socket, mounts: Sequence[Mount]) -> AsyncGenerator[None]:
    """Serve mounts on the running loop within the block, and until their last request has ended.

    Raises:
        LifespanError: If an application cannot start.
    """
    if not mounts:
        yield
        return
    serving = Mounts(sock, mounts)
    await serving.start()
    try:
        yield
    finally:
        await serving.finish()


@contextmanager
def serving_apart(sock: socket.socket, mounts: Sequence[Mount], new_loop: LoopFactory | None) -> Generator[None]:
    """Serve mounts on a thread and a loop of their own within the block, and until their last request has ended.

    Raises:
        LifespanError: If an application cannot start.
    """
    if not mounts:
        yield
        return
    apart = _Apart(sock, mounts, new_loop)
    apart.start()
    try:
        yield
    finally:
        apart.end()


class _Apart:
    """The thread of mounts that are served also while the model's own threads are busy, or never got ready."""

    def __init__(self, sock: socket.socket, mounts: Sequence[Mount], new_loop: LoopFactory | None) -> None:
        self._socket = sock
        self._mounts = mounts
        self._new_loop = new_loop
        self._started = threading.Event()
        self._failure: LifespanError | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="livepeer-mounts", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._started.wait()
        if self._failure is not None:
            raise self._failure

    def end(self) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=self._new_loop) as runner:
            runner.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            async with serving_mounts(self._socket, self._mounts):
                self._started.set()
                await self._over.wait()
        except LifespanError as error:
            self._failure = error
        finally:
            self._started.set()
