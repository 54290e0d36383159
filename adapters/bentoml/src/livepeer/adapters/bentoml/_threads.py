"""The threads on which the sync code of one service runs, no more at once than the service allows."""

import asyncio
import math
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, cast

import anyio
import anyio.to_thread

T = TypeVar("T")

_TURN: ContextVar["Turn | None"] = ContextVar("livepeer_bentoml_turn", default=None)
_END = object()


class Waited(Protocol):
    """Work elsewhere that a thread waits for."""

    def cancel(self) -> None:
        """Have it end."""
        ...


class Threads:
    """Runs sync code, and keeps its slot for as long as its thread works.

    Args:
        count: How many threads work at once: BentoML's `threads`.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._slots = anyio.CapacityLimiter(count)
        # The slots are the limit; anyio's own threads are made as they are needed.
        self._unlimited = anyio.CapacityLimiter(math.inf)

    async def run(self, function: Callable[[], T]) -> T:
        """Call a function on a thread.

        A thread cannot be stopped: a task that is cancelled meanwhile leaves once the function has returned, and what
        the function waits for elsewhere is cancelled.
        """
        turn = Turn(self)
        try:
            self._slots.acquire_on_behalf_of_nowait(turn)
        except anyio.WouldBlock:
            await self._slots.acquire_on_behalf_of(turn)
        try:
            work = asyncio.ensure_future(anyio.to_thread.run_sync(turn.take, function, limiter=self._unlimited))
            try:
                value, error = await asyncio.shield(work)
            except asyncio.CancelledError:
                if not work.done():
                    turn.leave()
                    with anyio.CancelScope(shield=True):
                        await asyncio.wait([work])
                raise
        finally:
            self._slots.release_on_behalf_of(turn)
        if error is not None:
            raise error
        return cast("T", value)

    async def step(self, generator: Generator[T, Any, Any]) -> AsyncGenerator[T]:
        """Iterate over a generator; each step takes a slot, and it is closed when its consumer leaves."""
        try:
            while (item := await self.run(lambda: next(generator, _END))) is not _END:
                yield item  # pyright: ignore[reportReturnType]
        finally:
            with anyio.CancelScope(shield=True):
                await self.run(generator.close)

    async def take_back(self, turn: "Turn") -> None:
        """Wait for a slot for a thread that has lent its own."""
        await self._slots.acquire_on_behalf_of(turn)

    def lend(self, turn: "Turn") -> None:
        """Let others work while a thread waits for them."""
        self._slots.release_on_behalf_of(turn)


class Turn:
    """One function's stay on a thread.

    Args:
        threads: Whose slot it has.
    """

    def __init__(self, threads: Threads) -> None:
        self.threads = threads
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._thread: int | None = None
        self._waited: Waited | None = None
        self._left = False

    @property
    def is_here(self) -> bool:
        """Whether this is the function's thread; a context can get to others."""
        return self._thread == threading.get_ident()

    def take(self, function: Callable[[], T]) -> tuple[T | None, BaseException | None]:
        """Call the function, on the thread: what it returns, or what it raises.

        A task that raised `SystemExit` would end its loop.
        """
        self._thread = threading.get_ident()
        _TURN.set(self)
        try:
            return function(), None
        except BaseException as error:  # noqa: BLE001 - raised where the function's value is awaited
            return None, error

    def leave(self) -> None:
        """Nobody waits for the function any more: cancel what it waits for, now and later."""
        with self._lock:
            self._left = True
            waited = self._waited
        if waited is not None:
            waited.cancel()

    @contextmanager
    def waiting(self, waited: Waited, loop: asyncio.AbstractEventLoop) -> Generator[None]:
        """Within the block the thread waits for work on a loop.

        If that is the loop of its own service, what it waits for may need the thread's slot, which is lent meanwhile.
        """
        with self._lock:
            self._waited, left = waited, self._left
        if left:
            waited.cancel()
        lends = loop is self._loop
        if lends:
            loop.call_soon_threadsafe(self.threads.lend, self)
        try:
            yield
        finally:
            if lends:
                asyncio.run_coroutine_threadsafe(self.threads.take_back(self), loop).result()
            with self._lock:
                self._waited = None


def current_turn() -> Turn | None:
    """The turn of the running thread, None if it is no thread of a service."""
    turn = _TURN.get()
    return turn if turn is not None and turn.is_here else None


def forget_turn() -> None:
    """From here on, this context is no thread's."""
    _TURN.set(None)
