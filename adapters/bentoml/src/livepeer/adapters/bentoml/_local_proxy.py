"""What a service calls another by that lives in the same process, and itself: no HTTP and no pickle between them."""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from functools import partial, update_wrapper
from typing import TYPE_CHECKING, Any, NoReturn

from . import _sdk
from ._crossing import Crossing, StreamCrossing
from ._threads import current_turn

if TYPE_CHECKING:
    from ._worker import Worker


class LocalProxy:
    """Has the apis of a service as they were written: async ones to await, sync ones to call.

    Args:
        worker: The service, alive.
    """

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        self.to_async = AsyncFace(worker)
        self.to_sync = SyncFace(worker)
        for name in worker.service.apis:
            setattr(self, name, getattr(self.to_async if worker.is_async(name) else self.to_sync, name))

    def call(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call an api by its name."""
        if name not in self._worker.service.apis:
            raise _sdk.NotFound(f"Endpoint {name} not found")
        return getattr(self, name)(*args, **kwargs)

    def as_service(self) -> Any:
        """The proxy itself, for those who know the service by its class."""
        return self

    async def is_ready(self, timeout: int | None = None) -> bool:
        """Whether the service says that it is ready."""
        return await Crossing(self._worker.home, self._worker.is_ready).result_async()

    async def close(self) -> None:
        """Nothing: the service lives for as long as those that depend on it."""


class _Face(ABC):
    """The apis of a service, as attributes."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker
        for name, method in worker.service.apis.items():
            call = partial(self._stream if method.is_stream else self._value, name)
            if method.is_task:
                for attribute in ("submit", "get", "get_status", "cancel", "retry"):
                    setattr(call, attribute, _refuse)
            setattr(self, name, update_wrapper(call, method.func, updated=()))

    @abstractmethod
    def _value(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Call an api that does not stream."""

    @abstractmethod
    def _stream(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        """Iterate over an api that streams."""


class AsyncFace(_Face):
    """All apis of a service, to be awaited, or iterated over asynchronously, on any loop."""

    async def _value(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        worker = self._worker
        if worker.home.is_current:
            return await worker.invoke(name, args, kwargs)
        return await Crossing(worker.home, partial(worker.invoke, name, args, kwargs)).result_async()

    async def _stream(self, name: str, /, *args: Any, **kwargs: Any) -> AsyncGenerator[Any]:
        worker = self._worker
        items = worker.invoke_stream(name, args, kwargs)
        if worker.home.is_current:
            async with aclosing(items):
                async for item in items:
                    yield item
            return
        crossing = StreamCrossing(worker.home, items)
        try:
            async for item in crossing:
                yield item
        finally:
            await crossing.close_async()


class SyncFace(_Face):
    """All apis of a service, to be called, on any thread but the one that would have to answer."""

    def _value(self, name: str, /, *args: Any, **kwargs: Any) -> Any:
        worker = self._worker
        if self._is_here(name):
            return worker.invoke_here(name, args, kwargs)
        self._check_elsewhere(name)
        return Crossing(worker.home, partial(worker.invoke, name, args, kwargs)).result()

    def _stream(self, name: str, /, *args: Any, **kwargs: Any) -> Generator[Any]:
        worker = self._worker
        if self._is_here(name):
            yield from worker.invoke_here(name, args, kwargs)
            return
        self._check_elsewhere(name)
        crossing = StreamCrossing(worker.home, worker.invoke_stream(name, args, kwargs))
        try:
            yield from crossing
        finally:
            crossing.close()

    def _is_here(self, name: str) -> bool:
        """Whether it is a plain function call: of a service to itself, where nobody else could run it meanwhile."""
        worker = self._worker
        if worker.is_async(name):
            return False
        turn = current_turn()
        is_own_thread = turn is not None and turn.threads is worker.threads
        return worker.home.is_current or (is_own_thread and not worker.service.apis[name].batchable)

    def _check_elsewhere(self, name: str) -> None:
        if self._worker.home.is_current:
            raise RuntimeError(f"{name} would wait for the loop that waits for it: await to_async.{name}()")


def _refuse(*_: Any, **__: Any) -> NoReturn:
    raise _sdk.BentoMLException(
        "a service in the same process is called, not sent tasks: call the api, or depend on it by its url"
    )
