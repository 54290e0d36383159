"""Work that waits for its turn on a stream's thread, between two frames."""

import asyncio
import logging
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from livepeer.core import CallError

logger = logging.getLogger("livepeer.runner")

Result = TypeVar("Result")


class Turns:
    """Hands work to a stream's thread, and its results to the event loop that made this.

    Args:
        post: Has a function run on the stream's thread.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post
        self._loop = asyncio.get_running_loop()
        self._waiting: set[asyncio.Future[Any]] = set()

    def take(self, work: Callable[[], Result]) -> "asyncio.Future[Result]":
        """Have `work` run when it is its turn.

        Returns:
            What it returns or raises; `close` may be earlier.
        """
        done: asyncio.Future[Result] = self._loop.create_future()
        self._waiting.add(done)
        done.add_done_callback(self._waiting.discard)

        def run() -> None:
            try:
                settle = partial(_set_result, done, work())
            except BaseException as error:  # noqa: BLE001 - whoever awaits it gets it, or else the log
                settle = partial(fail, done, error)
            with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
                self._loop.call_soon_threadsafe(settle)

        self._post(run)
        return done

    def close(self, error: CallError) -> None:
        """Raise an error from all that still waits."""
        for done in list(self._waiting):
            fail(done, error)


def fail(done: "asyncio.Future[Any]", error: BaseException) -> None:
    """Raise an error from what waits for a turn, unless that has its result."""
    if not done.done():
        done.set_exception(error)
        if isinstance(error, CallError):
            done.exception()  # It is no hook's, and whoever waited may have left.
    elif isinstance(error, Exception) and not isinstance(error, CallError | CancelledError):
        logger.error("a hook failed for which nobody waits any more", exc_info=error)


@contextmanager
def awaited(done: "asyncio.Future[Result]") -> "Generator[asyncio.Future[Result]]":
    """Have a turn that nobody waits for after the block: what its hook raises then is logged."""
    try:
        yield done
    finally:
        done.cancel()


def _set_result(done: "asyncio.Future[Result]", result: Result) -> None:
    if not done.done():
        done.set_result(result)
