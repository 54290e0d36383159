"""Drives a publication in an event loop: one task reads on all connections, and writers send by themselves."""

from collections.abc import Callable
from math import inf
from time import monotonic

import anyio
from anyio.abc import TaskGroup, TaskStatus
from anyio.lowlevel import checkpoint

from livepeer.trickle._errors import ClosedError, TrickleError, UnreachableError
from livepeer.trickle._outcomes import Outcome
from livepeer.trickle._wire.connecting import wait_readable

from .channels import AsyncChannel
from .flows import FAREWELL_SECONDS, LEFT, Flow
from .posts import Post
from .settings import PublisherSettings

_TURN_SECONDS = 0.002
"""How long a writer that need not wait keeps the event loop to itself; a switch of tasks costs as much as a write."""


class AsyncFlow(Flow):
    """The state behind an `AsyncPublisher`, and its tasks."""

    def __init__(self, settings: PublisherSettings) -> None:
        super().__init__(settings)
        self._channel = AsyncChannel(self.url, settings)
        self._host: TaskGroup | None = None
        self._tasks: TaskGroup | None = None
        self._connecting = False
        self._recovering = False
        self._waiters: list[tuple[Callable[[], bool], anyio.Event]] = []
        self._yields_at = 0.0

    async def start(self) -> None:
        """Create the channel if that is wanted, learn its next number, and put the first head on the wire."""
        if self.started or self.closed:
            raise ClosedError("a publisher is started once")
        self.started = True
        next_seq = await self._channel.open()
        self._host = await anyio.create_task_group().__aenter__()
        try:
            self._tasks = await self._host.start(self._run)
        except BaseException as error:
            await self.release(error)
            raise
        self.publication.begin(next_seq)
        self._turn()

    async def open(self) -> Post:
        """Begin the next segment; the one before ends."""
        self.begin_call()
        try:
            post = await self._open()
            self._turn()
        finally:
            self.end_call()
        return post

    async def write(self, post: Post, data: bytes) -> None:
        """Write to a segment."""
        self.begin_call()
        try:
            await self._write(post, data)
        finally:
            self.end_call()
        await self._look_at(post)

    async def publish(self, data: bytes) -> Post:
        """Write a whole segment; its bytes leave before the next one's head."""
        self.begin_call()
        try:
            post = await self._open()
            try:
                await self._write(post, data, last=True)
            except BaseException:  # A cancellation: what was written so far must not look like all of it.
                self.abort(post)
                raise
        finally:
            self.end_call()
        await self._look_at(post)
        return post

    def end(self, post: Post) -> None:
        """End a segment."""
        self.publication.check_outcome(post)
        if not post.ended:
            self.check_open()
            self.publication.end(post)
            self._turn()

    def abort(self, post: Post) -> None:
        """Give a segment up that has not ended."""
        self.give_up(post)
        self._turn()

    def abort_current(self) -> None:
        """Give up the segment that is open, if one is."""
        if self.publication.current is not None:
            self.abort(self.publication.current)

    async def outcome(self, post: Post) -> Outcome:
        """Wait for a segment's outcome."""
        await self._until(lambda: post.outcome is not None)
        assert post.outcome is not None
        return post.outcome

    async def flush(self) -> None:
        """Wait until the network has everything."""
        self.check_open()
        await self._until(lambda: not self.publication.unsent or self.closed)
        self.check_open()

    async def close(self, timeout_seconds: float) -> None:
        """End everything well, as far as time allows; no task and no connection is left afterwards."""
        was_closed, self.closed = self.closed, True
        if self.calling:
            self.abort_current()  # Another task waits in the middle of a write.
        self._wake()
        if was_closed or self._tasks is None:
            return
        farewell_seconds = min(FAREWELL_SECONDS, timeout_seconds / 2)
        try:
            with anyio.move_on_after(timeout_seconds - farewell_seconds):
                self.sender.finish()
                self._turn()
                await self._until(lambda: self.finished)
        except anyio.get_cancelled_exc_class():
            self.publication.lose_all("aborted", LEFT)
            raise
        finally:
            await self._stop(self._tasks, farewell_seconds)

    async def leave(self) -> None:
        """End as far as a cancelled task may: the channel is deleted, and nothing waited for."""
        was_closed, self.closed = self.closed, True
        if not was_closed and self._tasks is not None:
            self.publication.lose_all("aborted", LEFT)
            await self._stop(self._tasks, FAREWELL_SECONDS)

    async def release(self, error: BaseException | None = None) -> None:
        """Leave the task group that `start` has entered; only its own task may.

        Args:
            error: The cancellation that ends the task, if one does.
        """
        host, self._host = self._host, None
        if host is not None:
            await host.__aexit__(type(error) if error else None, error, error.__traceback__ if error else None)

    async def _run(self, *, task_status: TaskStatus[TaskGroup]) -> None:
        """Hold all other tasks, so that they can end while the caller goes on."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._read)
                tasks.start_soon(self._watch)
                task_status.started(tasks)
        finally:
            self.sender.pool.close()

    async def _stop(self, tasks: TaskGroup, seconds: float) -> None:
        self.publication.say_dropped(inf)
        self.publication.lose_all("closing", "the publisher was closed before the server had it")
        self.sender.retire_all()
        self._wake()
        tasks.cancel_scope.cancel()
        with anyio.CancelScope(shield=True), anyio.move_on_after(seconds):
            if self.deletes:
                await self._channel.delete()

    async def _open(self) -> Post:
        if not self.may_open():
            self.publication.end_current()
            await self._until(self.may_go_on)
        self.check_open()
        return self.publication.open()

    async def _write(self, post: Post, data: bytes, *, last: bool = False) -> None:
        left = len(data)
        for piece in self.pieces(data):
            if not self.may_write(post, len(piece)):
                await self._until(lambda: post.outcome is not None or self.may_go_on())
            self.add(post, piece)
            left -= len(piece)
            if last and not left:
                self.publication.end(post)
            self._turn()
        if self.drops and not self.publication.has_room(0):
            self.sender.make_room(monotonic())
            self._turn()

    async def _look_at(self, post: Post) -> None:
        if post.unsent:
            self.sender.collect(monotonic())  # The acknowledgements that it waits for may be here.
            self._turn()
        if monotonic() >= self._yields_at:
            await checkpoint()
            self._yields_at = monotonic() + _TURN_SECONDS
        self.publication.check_outcome(post)

    def _turn(self) -> None:
        """Do what there is to do now, and wake who waits."""
        self.sender.pump(monotonic())
        if self._tasks is not None and not self._tasks.cancel_scope.cancel_called:
            if self.publication.trouble.active and not self._recovering:
                self._recovering = True
                self._tasks.start_soon(self._recover)
            if self.sender.wants_link and not self._connecting:
                self._connecting = True
                self._tasks.start_soon(self._connect)
        self._wake()

    def _wake(self) -> None:
        for ready, event in self._waiters:
            if ready():
                event.set()

    async def _until(self, ready: Callable[[], bool]) -> None:
        """Wait for a change after which something holds."""
        while not ready():
            waiter = ready, anyio.Event()
            self._waiters.append(waiter)
            try:
                await waiter[1].wait()
            finally:
                self._waiters.remove(waiter)

    async def _read(self) -> None:
        """Read what comes, on any connection."""
        while True:
            await wait_readable(self.sender.pool)
            self.sender.collect(monotonic())
            self._turn()

    async def _connect(self) -> None:
        """Open one more connection."""
        try:
            connection = await self.transport.connect_async()
        except UnreachableError as error:
            self.publication.still_away(error, monotonic())
        else:
            self.sender.pool.add(connection)
        self._connecting = False
        self._turn()

    async def _watch(self) -> None:
        """Look for stalls."""
        while True:
            await anyio.sleep(self.sender.seconds_left(monotonic()))
            self.sender.collect(monotonic())  # If the event loop was held up, the answers may be here.
            self.sender.expire(monotonic())
            self._turn()

    async def _recover(self) -> None:
        """Ask the server where it is until it says it."""
        trouble = self.publication.trouble
        while trouble.active and self.publication.failure is None:
            await anyio.sleep(max(0.0, trouble.retry_at - monotonic()))
            try:
                next_seq, fresh = await self._channel.reopen()
            except TrickleError as error:
                self.publication.still_away(error, monotonic())
            else:
                self.sender.resume(next_seq, fresh=fresh, now=monotonic())
        self._recovering = False
        self._turn()
