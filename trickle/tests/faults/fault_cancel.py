"""Cancels a piece of work at each of its awaits in turn, and looks for what it leaves behind."""

import asyncio
import gc
import types
from collections.abc import Awaitable, Callable, Generator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import sniffio
import trio

LIMIT_SECONDS = 10


async def cancel_at_every_await(work: Callable[[], Awaitable[None]], *, most: int = 400) -> int:
    """Run the work again and again, cancelled at its first await, at its second, until it ends before.

    Returns:
        At how many awaits it was cancelled.

    Raises:
        AssertionError: A cancelled run left a task or a file open, or the work never ends.
    """
    await work()  # What is made once and kept is made now.
    for number in range(1, most + 1):
        before = _open_files(), _tasks()
        with anyio.fail_after(LIMIT_SECONDS), anyio.CancelScope() as scope:
            await _cancelled_at(number, scope, work())
        gc.collect()
        assert (_open_files(), _tasks()) == before, f"cancelled at await {number}, it left something open"
        if not scope.cancelled_caught:
            return number - 1
    raise AssertionError(f"it has more than {most} awaits")


@types.coroutine
def _cancelled_at(number: int, scope: anyio.CancelScope, work: Awaitable[None]) -> Generator[Any, Any, None]:
    steps = work.__await__()
    go_on: Callable[[], Any] = partial(next, steps)
    while True:
        try:
            trap = go_on()
        except StopIteration:
            return
        number -= 1
        if number == 0:
            scope.cancel()
        try:
            answer = yield trap
        except BaseException as error:  # noqa: BLE001 -- it is passed on
            go_on = partial(steps.throw, error)  # type: ignore[attr-defined]
        else:
            go_on = partial(steps.send, answer)  # type: ignore[attr-defined]


def _open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def _tasks() -> int:
    if sniffio.current_async_library() == "trio":
        return trio.lowlevel.current_statistics().tasks_living
    return len(asyncio.all_tasks())
