"""BentoML's own adaptive batching, made fit for calls that end early and for a process that goes on."""

import asyncio
import contextvars
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from livepeer.core import Call

from . import _sdk

Batches = Callable[[Sequence[Any]], Awaitable[Sequence[Any]]]


class Batcher:
    """Gathers the calls of one api into batches.

    Args:
        dispatcher: BentoML's, which decides when a batch is worth while, and how large it is.
    """

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher
        self._running: set[asyncio.Task[Sequence[Any]]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[None]:
        """Within the block calls are gathered; those that still wait at its end get `ServiceUnavailable`."""
        # BentoML begins with the first call, in whose context all later batches would run then.
        dispatcher = self._dispatcher
        controller = dispatcher._controller = asyncio.get_running_loop().create_task(dispatcher.controller())
        try:
            yield
        finally:
            dispatcher.shutdown()
            await asyncio.wait([controller, *self._running])

    def __call__(self, batches: Batches) -> Callable[[Any], Awaitable[Any]]:
        """What one call waits with for its part of a batch.

        Args:
            batches: Runs a batch; that of the latest call does.
        """
        context = contextvars.copy_context()

        async def run(batch: Sequence[Any]) -> Sequence[Any]:
            task = asyncio.get_running_loop().create_task(_as_no_call(batches, batch), context=context)
            self._running.add(task)
            task.add_done_callback(self._running.discard)
            return await task

        async def wait(value: Any) -> Any:
            try:
                return await self._dispatcher(run)(value)
            except _sdk.ServiceUnavailable:
                # The dispatcher takes every cancellation for its own.
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    self._drop_cancelled()
                    raise asyncio.CancelledError from None
                raise

        return wait

    def _drop_cancelled(self) -> None:
        """Leave out of the coming batches what nobody waits for any more."""
        queue = self._dispatcher._queue
        kept = [job for job in queue if not job.future.cancelled()]
        queue.clear()
        queue.extend(kept)


async def _as_no_call(batches: Batches, batch: Sequence[Any]) -> Sequence[Any]:
    """Run a batch: the work of many calls, so that what becomes of one of them says nothing about it."""
    try:
        with Call().running():
            return await batches(batch)
    except (SystemExit, KeyboardInterrupt) as error:
        # As it is, it would end the loop.
        raise RuntimeError(f"a batch raised {type(error).__name__}: {error}") from error
