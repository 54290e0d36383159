"""Tasks beside a caller's own code."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio.abc import TaskGroup


@asynccontextmanager
async def tasks_beside() -> AsyncGenerator[TaskGroup]:
    """Open a task group whose body is the caller's: what that raises is cancelled for, but not wrapped in a group."""
    failure: Exception | None = None
    async with anyio.create_task_group() as tasks:
        try:
            yield tasks
        except Exception as error:  # noqa: BLE001 - it is raised below
            failure = error
            tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


@asynccontextmanager
async def first_of(*events: anyio.Event) -> AsyncGenerator[anyio.Event]:
    """Give an event that is set as soon as one of others is."""
    first = anyio.Event()

    async def follow(event: anyio.Event) -> None:
        await event.wait()
        first.set()

    async with tasks_beside() as tasks:
        for event in events:
            tasks.start_soon(follow, event)
        yield first
        tasks.cancel_scope.cancel()
