"""The services that a service depends on, in its process: each on a thread and a loop of its own."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator, Iterator, Mapping
from concurrent.futures import Future
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import anyio

from livepeer.core import TargetError

from ._worker import Worker


class Dependencies:
    """All services that one depends on, directly or not; one that two depend on is there once.

    Args:
        service: The one.
        services: The configuration of all services of the process, by name.

    Raises:
        TargetError: If a dependency is a deployment on BentoCloud.
    """

    def __init__(self, service: Any, services: Mapping[str, Any]) -> None:
        self._service = service
        self._workers = {each.name: Worker(each, services) for each in _beneath(service)}

    @property
    def workers(self) -> list[Worker]:
        """The services, none before what it depends on."""
        return list(self._workers.values())

    @asynccontextmanager
    async def living(self) -> AsyncGenerator[None]:
        """Within the block they are alive, and whoever depends on one has its proxy."""
        async with AsyncExitStack() as stack:
            for worker in self._workers.values():
                stack.enter_context(self._resolved(worker.service))
                await stack.enter_async_context(_on_own_thread(worker))
            stack.enter_context(self._resolved(self._service))
            yield

    @contextmanager
    def _resolved(self, service: Any) -> Generator[None]:
        """Within the block the attributes of a service for those that it depends on have their values."""
        dependencies = [each for each in service.dependencies.values() if each.url is None]
        for dependency in dependencies:
            dependency._resolved = self._workers[dependency.on.name].proxy
        try:
            yield
        finally:
            for dependency in dependencies:
                dependency._resolved = None


def _beneath(service: Any) -> Iterator[Any]:
    """All services that one depends on and that are not on the network, depth first; some of them more than once."""
    for name, dependency in service.dependencies.items():
        if dependency.deployment is not None:
            raise TargetError(
                f"{service.name}.{name} depends on the deployment {dependency.deployment!r} of BentoCloud: "
                "give depends() its url instead"
            )
        if dependency.url is None:
            yield from _beneath(dependency.on)
            yield dependency.on


@asynccontextmanager
async def _on_own_thread(worker: Worker) -> AsyncGenerator[None]:
    """Within the block a service lives on a thread of its own; its errors at either end are raised here."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()
    ended: Future[None] = Future()
    # A loop of the same kind as this one: a faster one may be installed.
    new_loop = type(asyncio.get_running_loop())

    async def live() -> None:
        over = asyncio.Event()
        async with worker.living():
            started.set_result((asyncio.get_running_loop(), over))
            await over.wait()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=new_loop) as runner:
                runner.run(live())
            ended.set_result(None)
        except BaseException as error:  # noqa: BLE001 - whoever waits for the service gets it
            (ended if started.done() else started).set_exception(error)

    thread = threading.Thread(target=run, name=f"bentoml-{worker.service.name}", daemon=True)
    thread.start()
    beginning = asyncio.wrap_future(started)
    try:
        # Shielded: a start that is given up goes on, until the service can be ended as it should.
        await asyncio.shield(beginning)
        yield
    finally:
        with anyio.CancelScope(shield=True):
            await asyncio.wait([beginning])
            if beginning.exception() is None:
                loop, over = beginning.result()
                loop.call_soon_threadsafe(over.set)
                await asyncio.wrap_future(ended)
        thread.join()
