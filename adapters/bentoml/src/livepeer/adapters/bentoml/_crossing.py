"""Work that one loop does for a caller on another loop or on a thread, and that ends when its caller leaves."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine
from concurrent.futures import Future
from contextlib import aclosing, nullcontext, suppress
from typing import Any, Generic, Self, TypeVar

import anyio

from . import _sdk
from ._threads import current_turn, forget_turn

T = TypeVar("T")


class CallLoop:
    """The running loop, for others to give work to until it is closed.

    Args:
        name: Of the service that lives there, for messages.
    """

    def __init__(self, name: str) -> None:
        self.loop = asyncio.get_running_loop()
        self._name = name
        self._lock = threading.Lock()
        self._is_open = True
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def is_current(self) -> bool:
        """Whether it is this very thread that runs the loop."""
        try:
            return asyncio.get_running_loop() is self.loop
        except RuntimeError:
            return False

    def post(self, callback: Callable[[], object]) -> None:
        """Have the loop call something soon, in this context.

        Raises:
            ServiceUnavailable: If the loop is closed.
        """
        with self._lock:
            if not self._is_open:
                raise _sdk.ServiceUnavailable(f"{self._name} has stopped")
            self.loop.call_soon_threadsafe(callback)

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin a task that ends with the loop; on the loop."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Take no more work, and end what is under way."""
        with self._lock:
            self._is_open = False
        await asyncio.sleep(0)  # what was posted before has begun then
        if tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


class Crossing(Generic[T]):
    """One task on another loop. It runs in its caller's context.

    Args:
        home: Where it runs.
        work: What it does.

    Raises:
        ServiceUnavailable: If the loop is closed.
    """

    def __init__(self, home: CallLoop, work: Callable[[], Coroutine[Any, Any, T]]) -> None:
        self.ended: Future[T] = Future()
        self._home = home
        self._work = work
        self._task: asyncio.Task[None] | None = None
        # A future that runs cannot be cancelled by whoever waits for it: it is done when the task is.
        self.ended.set_running_or_notify_cancel()
        home.post(self._start)

    def cancel(self) -> None:
        """Have the task end; `ended` tells when it has."""
        with suppress(_sdk.ServiceUnavailable):  # it has ended with its loop
            self._home.post(lambda: self._task and self._task.cancel())

    async def result_async(self, future: "Future[Any] | None" = None) -> Any:
        """Wait on another loop for the task, or for a part of what it does; a caller that leaves takes it along."""
        waiting = asyncio.wrap_future(self.ended if future is None else future)
        try:
            return await asyncio.shield(waiting)
        except asyncio.CancelledError:
            if not waiting.done():
                self.cancel()
                with anyio.CancelScope(shield=True):
                    await asyncio.wait([asyncio.wrap_future(self.ended)])
            raise

    def result(self, future: "Future[Any] | None" = None) -> Any:
        """Wait on a thread for the task, or for a part of what it does; a caller that leaves takes it along."""
        turn = current_turn()
        with nullcontext() if turn is None else turn.waiting(self, self._home.loop):
            return (self.ended if future is None else future).result()

    def _start(self) -> None:
        forget_turn()
        self._task = self._home.start(self._perform())
        self._task.add_done_callback(self._settle)

    async def _perform(self) -> None:
        try:
            result = await self._work()
        except BaseException as error:  # noqa: BLE001 - raised where the result is awaited: SystemExit would end the loop
            self.ended.set_exception(error)
        else:
            self.ended.set_result(result)

    def _settle(self, _: object) -> None:
        if not self.ended.done():  # it was cancelled before it began
            self.ended.set_exception(asyncio.CancelledError())


class _OverError(Exception):
    """A stream has no more items."""


class StreamCrossing(Generic[T]):
    """The items of a stream on another loop, each made when it is asked for, here or on a thread.

    One task over there iterates from the first item to the last, in its caller's context.

    Args:
        home: Where the stream runs.
        items: The stream.
    """

    def __init__(self, home: CallLoop, items: AsyncGenerator[T]) -> None:
        self._home = home
        self._items = items
        self._wanted: asyncio.Queue[Future[T]] = asyncio.Queue()
        self._crossing = Crossing(home, self._iterate)
        self._crossing.ended.add_done_callback(self._refuse)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            return await self._crossing.result_async(self._ask())
        except _OverError:
            raise StopAsyncIteration from None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T:
        try:
            return self._crossing.result(self._ask())
        except _OverError:
            raise StopIteration from None

    async def close_async(self) -> None:
        """Leave the stream, and wait until it has ended."""
        self._crossing.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([asyncio.wrap_future(self._crossing.ended)])

    def close(self) -> None:
        """Leave the stream, and wait until it has ended."""
        self._crossing.cancel()
        self._crossing.ended.exception()

    def _ask(self) -> "Future[T]":
        wanted: Future[T] = Future()
        wanted.set_running_or_notify_cancel()
        if self._crossing.ended.done():
            wanted.set_exception(_OverError())
        else:
            self._home.post(lambda: self._want(wanted))
        return wanted

    def _want(self, wanted: "Future[T]") -> None:
        self._wanted.put_nowait(wanted)
        if self._crossing.ended.done():
            self._refuse()

    def _refuse(self, _: object = None) -> None:
        """Answer those who still wait when the stream has ended, which was not by itself then."""
        while not self._wanted.empty():
            self._wanted.get_nowait().set_exception(asyncio.CancelledError())

    async def _iterate(self) -> None:
        async with aclosing(self._items):
            while True:
                wanted = await self._wanted.get()
                try:
                    wanted.set_result(await anext(self._items))
                except StopAsyncIteration:
                    wanted.set_exception(_OverError())
                    return
                except BaseException as error:
                    wanted.set_exception(error)
                    raise
