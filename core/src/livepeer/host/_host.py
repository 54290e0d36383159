"""The host: one capability, its threads or its loop, and the calls that run on them."""

import asyncio
import importlib.metadata
import inspect
import logging
import os
import socket
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from livepeer.core import Capability, Mount, Operation, Target, TargetError, describe, find_adapter

from ._calls import Calls
from ._checks import checking
from ._lifespan import LifespanError
from ._live import all_operations
from ._messages import Broken, Hello, LoadOrder
from ._mounts import mounts_of, serving_apart, serving_mounts
from ._outbox import Outbox
from ._serving import serve_on_loop, serve_on_threads
from ._wire import BROKEN, CANCEL, CREDIT, HELLO, LOAD, PROTOCOL_VERSION, READY, FrameReader, pack, unpack_credit

logger = logging.getLogger("livepeer.host")


class Host:
    """One capability at the end of three sockets.

    Args:
        data: Calls in, answers out; its end asks the host to finish what it has and leave.
        control: Cancellations and credit; its end means that the edge is gone.
        mounts: Requests to mounted applications, both ways.
        make: Makes the capability; None loads the target that the edge names.
        on_edge_gone: What to do when the edge is gone; None for nothing.
    """

    def __init__(
        self,
        data: socket.socket,
        control: socket.socket,
        mounts: socket.socket,
        *,
        make: Callable[[], Capability] | None = None,
        on_edge_gone: Callable[[], None] | None = None,
    ) -> None:
        self._data = data
        self._control = control
        self._mount_socket = mounts
        self._make = make
        self._on_edge_gone = on_edge_gone
        self._reader = FrameReader(data)
        self._mounts: Sequence[Mount] = ()
        self._calls: Calls | None = None

    def run(self) -> None:
        """Load, set up, serve until the edge is done, tear down. Runs on the host's main thread."""
        outbox = Outbox(self._data)
        threading.Thread(target=self._listen, name="livepeer-control", daemon=True).start()
        try:
            capability = self._load()
            if capability is not None:
                self._live(capability, outbox)
        except _BrokenError as error:
            _report(error, outbox)
        finally:
            self._data.close()
            self._mount_socket.close()

    def _load(self) -> Capability | None:
        frames = self._reader.receive()
        if not frames:
            return None
        assert frames[0].kind == LOAD
        try:
            order = LoadOrder.model_validate_json(frames[0].payload)
            capability = self._make() if self._make is not None else _load(order)
            self._mounts = mounts_of(capability)
            return capability
        except TargetError as error:
            raise _BrokenError(str(error)) from error.__cause__
        except BaseException as error:
            # An adapter's or somebody's own code: whatever it raises, it cannot be served.
            raise _BrokenError(f"the target cannot be loaded: {type(error).__name__}: {error}") from error

    def _live(self, capability: Capability, outbox: Outbox) -> None:
        outbox.post(pack(HELLO, 0, _hello(capability)))
        apart = [mount for mount in self._mounts if mount.apart]
        with _broken_by_lifespans(), serving_apart(self._mount_socket, apart, _loop_factory()):
            try:
                with asyncio.Runner(loop_factory=_loop_factory()) as runner:
                    self._serve(capability, runner, outbox)
            except _BrokenError as error:
                if not apart:
                    raise
                _report(error, outbox)
                while self._reader.receive() is not None:
                    pass  # nothing but its end comes to a host that is broken

    def _serve(self, capability: Capability, runner: asyncio.Runner, outbox: Outbox) -> None:
        mounts = [mount for mount in self._mounts if not mount.apart]
        try:
            _set_up(capability, runner)
            operations = all_operations(capability)
            if mounts or any(operation.is_async for operation in operations):
                runner.run(self._serve_on_loop(capability, operations, mounts))
            else:
                self._serve_on_threads(capability, operations, outbox)
        finally:
            _tear_down(capability, runner)

    def _serve_on_threads(self, capability: Capability, operations: Sequence[Operation], outbox: Outbox) -> None:
        self._calls = Calls(operations, outbox)
        outbox.post(pack(READY, 0, b""))
        with checking(capability, outbox):
            serve_on_threads(self._reader, self._calls, operations)
        self._calls.close()

    async def _serve_on_loop(
        self, capability: Capability, operations: Sequence[Operation], mounts: Sequence[Mount]
    ) -> None:
        loop = asyncio.get_running_loop()
        outbox = Outbox(self._data, loop)
        self._calls = calls = Calls(operations, outbox, loop)
        with _broken_by_lifespans():
            async with serving_mounts(self._mount_socket, mounts):
                outbox.post(pack(READY, 0, b""))
                with checking(capability, outbox, loop):
                    await serve_on_loop(self._data, self._reader, calls, operations)
        outbox.close()
        calls.close()

    def _listen(self) -> None:
        reader = FrameReader(self._control)
        while (frames := reader.receive()) is not None:
            for frame in frames:
                if self._calls is None:
                    continue
                if frame.kind == CANCEL:
                    self._calls.cancel(frame.call)
                elif frame.kind == CREDIT:
                    self._calls.grant(frame.call, unpack_credit(frame))
        self._control.close()
        if self._on_edge_gone is not None:
            self._on_edge_gone()


class _BrokenError(Exception):
    """It cannot be served, and starting it again would not help."""


def run_in_process(data: int, control: int, mounts: int) -> None:
    """Be a host in this process, over three inherited descriptors."""
    sockets = [socket.socket(fileno=descriptor) for descriptor in (data, control, mounts)]
    Host(*sockets, on_edge_gone=lambda: os._exit(1)).run()


def _report(error: _BrokenError, outbox: Outbox) -> None:
    logger.error("%s", error, exc_info=error.__cause__)
    outbox.post(pack(BROKEN, 0, Broken(reason=str(error)).model_dump_json().encode()))


@contextmanager
def _broken_by_lifespans() -> Generator[None]:
    try:
        yield
    except LifespanError as error:
        raise _BrokenError(str(error)) from None


def _hello(capability: Capability) -> bytes:
    return (
        Hello(
            protocol=PROTOCOL_VERSION,
            core_version=importlib.metadata.version("livepeer-core"),
            pid=os.getpid(),
            description=describe(capability),
        )
        .model_dump_json()
        .encode()
    )


def _load(order: LoadOrder) -> Capability:
    target = Target.parse(order.target)
    return find_adapter(target, order.adapter).load(target)


def _set_up(capability: Capability, runner: asyncio.Runner) -> None:
    try:
        _finish(capability.setup(), runner)
    except BaseException as error:
        raise _BrokenError(f"setup() failed: {type(error).__name__}: {error}") from error


def _tear_down(capability: Capability, runner: asyncio.Runner) -> None:
    try:
        _finish(capability.teardown(), runner)
    except BaseException as error:
        logger.error("teardown() failed", exc_info=error)


def _finish(result: Any, runner: asyncio.Runner) -> None:
    if inspect.isawaitable(result):
        runner.run(_await(result))


async def _await(result: Any) -> None:
    await result


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The faster loop where it is installed, which it is beside the server."""
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop
