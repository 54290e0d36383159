"""What drives a subscription in an event loop."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio
import anyio.lowlevel

from livepeer.trickle._errors import ClosedError, UnreachableError
from livepeer.trickle._wire.connecting import Transport, wait_readable
from livepeer.trickle._wire.sockets import Connection

from .segments import Cursor, Segment
from .subscription import Subscription

_T = TypeVar("_T")

_REST_SECONDS = 0.001
"""After how long other tasks have their turn, however much there is to read."""


class AsyncSubscriberDriver:
    """Makes the calls of a subscription until they have a result.

    Several tasks may wait for one at a time: one of them, the leader, waits for the network, and the others for it.
    A call is made after a wait and never before one, so that a cancelled task has taken nothing.

    Args:
        subscription: To be driven.
        transport: Opens its connections.
        idle_seconds: How long one of a segment's readers waits for another that no task is reading.
    """

    def __init__(self, subscription: Subscription, transport: Transport, *, idle_seconds: float) -> None:
        self._subscription = subscription
        self._transport = transport
        self._idle_seconds = idle_seconds
        self._changed: anyio.Event | None = None  # Only where somebody waits for it.
        self._leading: anyio.CancelScope | None = None
        self._rested_at = 0.0
        self._taking = False
        self._closed = False

    async def take(self) -> Segment:
        """Wait for the next segment; raises what `Subscription.take` does, and ClosedError.

        Raises:
            RuntimeError: Another task waits for it already.
        """
        if self._taking:
            raise RuntimeError("another task iterates over this subscriber already")
        self._taking = True
        try:
            return await self._until(self._subscription.take, self._unseat, self._follow, leads=True)
        finally:
            self._taking = False
            self._notify()  # Those who read the segment before: it was left.

    async def pull(self, segment: Segment, cursor: Cursor) -> bytes:
        """Wait for a segment's next part; raises what `Subscription.pull` does, and StalledError."""
        if segment.shared:
            cursor.owner = anyio.get_current_task().id

        async def follow() -> None:
            if self._subscription.full:
                await self._wait_for_slowest(segment)
            else:
                await self._follow()

        return await self._until(
            lambda now: self._subscription.pull(segment, cursor, now), lambda: segment.take(cursor), follow
        )

    def drop(self, segment: Segment, cursor: Cursor) -> None:
        """Have nobody wait for a reader any more."""
        segment.drop(cursor)
        self._notify()

    async def close(self) -> None:
        """Close the connections; tasks that wait are woken, and raise ClosedError."""
        self._closed = True
        self._notify()
        if self._leading is None:
            self._subscription.close()
            return
        self._leading.cancel()
        with anyio.CancelScope(shield=True):
            await self._follow()  # The leader closes all as it leaves.

    async def _until(
        self,
        attempt: Callable[[float], _T | None],
        peek: Callable[[], _T | None],
        follow: Callable[[], Awaitable[None]],
        *,
        leads: bool = False,
    ) -> _T:
        """Go on until there is a result.

        Args:
            attempt: Uses the network; not while a leader waits for it, who would miss what others have read.
            peek: Does without.
            follow: Waits for other tasks.
            leads: Whether to lead even while a segment is being waited for.
        """
        while True:
            now = time.monotonic()
            if now - self._rested_at > _REST_SECONDS:
                await anyio.lowlevel.checkpoint()
                self._rested_at = now = time.monotonic()
            if self._closed:
                raise ClosedError("the subscriber is closed")
            result = attempt(now) if self._leading is None else peek()
            if result is not None:
                self._notify()
                return result
            if self._leading is None and (leads or not self._taking) and not self._subscription.full:
                await self._lead(now)
            else:
                await follow()

    def _unseat(self) -> None:
        """Have the leader leave the network to this task."""
        if self._leading is not None:
            self._leading.cancel()

    async def _lead(self, now: float) -> None:
        """Do one thing that takes time, while the others may use the subscription."""
        connecting = self._subscription.wants_connection(now)
        watched, seconds = self._subscription.watch(now)
        deadline = math.inf if connecting or seconds is None else anyio.current_time() + seconds
        try:
            with anyio.CancelScope(deadline=deadline) as self._leading:
                await (self._connect() if connecting else _any_readable(watched))
        finally:
            self._leading = None
            self._rested_at = time.monotonic()
            self._notify()
            if self._closed:
                self._subscription.close()

    async def _connect(self) -> None:
        try:
            self._subscription.connected(await self._transport.connect_async())
        except UnreachableError as error:
            self._subscription.unconnected(error, time.monotonic())

    async def _follow(self) -> None:
        """Wait until something has changed."""
        self._changed = self._changed or anyio.Event()
        await self._changed.wait()

    def _notify(self) -> None:
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    async def _wait_for_slowest(self, segment: Segment) -> None:
        """Wait until the slowest reader has taken something.

        Raises:
            StalledError: It never will: it is used by this very task, by one that has ended, or by none.
        """
        owner = segment.slowest().owner
        if owner == anyio.get_current_task().id:
            raise segment.stalled()
        with anyio.move_on_after(self._idle_seconds):
            await self._follow()
            return
        if all(task.id != owner for task in anyio.get_running_tasks()):
            raise segment.stalled()


async def _any_readable(connections: list[Connection]) -> None:
    if not connections:
        await anyio.sleep_forever()
    elif len(connections) == 1:
        await wait_readable(connections[0])
    else:
        async with anyio.create_task_group() as group:

            async def wait_for(connection: Connection) -> None:
                await wait_readable(connection)
                group.cancel_scope.cancel()

            for connection in connections:
                group.start_soon(wait_for, connection)
