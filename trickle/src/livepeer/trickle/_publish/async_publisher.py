"""Publishing in an event loop."""

from types import TracebackType
from typing import Self

import anyio

from livepeer.trickle._outcomes import Outcome
from livepeer.trickle._wire.chunks import Buffer

from .async_flow import AsyncFlow
from .base_publisher import BasePublisher, to_bytes, to_some_bytes
from .posts import Post
from .settings import PublisherSettings
from .stats import PublisherStats


class AsyncSegmentWriter:
    """A segment that is written; `AsyncPublisher.segment` returns it."""

    def __init__(self, flow: AsyncFlow, post: Post) -> None:
        self._flow = flow
        self._post = post

    @property
    def seq(self) -> int:
        """Its number; it changes if nothing of it was sent yet and the server restarts, or one before it is dropped."""
        return self._post.seq

    @property
    def done_outcome(self) -> Outcome | None:
        """How it ended, if that is known already."""
        return self._post.outcome

    async def write(self, data: Buffer) -> None:
        """Write to it; waits only while too much waits for the network already.

        Args:
            data: At least one byte.

        Raises:
            SegmentLostError: It was lost.
            SegmentRefusedError: The server refused it.
            ClosedError: It has ended, or the publisher is closed.
            TrickleError: The publisher has failed.
        """
        await self._flow.write(self._post, to_some_bytes(data))

    async def end(self) -> None:
        """End it; once more does nothing. The next segment ends it as well.

        Raises:
            SegmentLostError: It was lost.
            SegmentRefusedError: The server refused it.
            TrickleError: The publisher has failed.
        """
        self._flow.end(self._post)

    async def abort(self) -> None:
        """Give it up. Once it has ended, this does nothing.

        The server ends it where it is, so that no reader waits; none can tell it from a whole one (trickle, table 1,
        row 30).
        """
        self._flow.abort(self._post)

    async def outcome(self) -> Outcome:
        """Wait until it is known how it ended; other tasks may publish meanwhile."""
        return await self._flow.outcome(self._post)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            await self.end()
        else:
            await self.abort()


class AsyncPublisher(BasePublisher):
    __doc__ = BasePublisher.__doc__

    @property
    def stats(self) -> PublisherStats:
        """What was done so far."""
        return self._flow.stats

    async def start(self) -> None:
        """Create the channel if that is wanted, and put the head of the first segment on the wire.

        The task that starts a publisher without a `with` block has to close it as well.

        Raises:
            ChannelNotFoundError: There is no channel, and it is not created.
            RefusedError: The server refuses it.
            UnreachableError: The server cannot be reached.
        """
        await self._flow.start()

    async def segment(self) -> AsyncSegmentWriter:
        """Begin the next segment; the one before ends, if it has not.

        Raises:
            ClosedError: The publisher was not started, or is closed.
            TrickleError: It has failed.
        """
        return AsyncSegmentWriter(self._flow, await self._flow.open())

    async def publish(self, data: Buffer) -> AsyncSegmentWriter:
        """Publish a whole segment at once.

        Args:
            data: All of it; none is a segment too.

        Raises:
            SegmentLostError: It was lost already.
            ClosedError: The publisher was not started, or is closed.
            TrickleError: It has failed.
        """
        return AsyncSegmentWriter(self._flow, await self._flow.publish(to_bytes(data)))

    async def flush(self) -> None:
        """Wait until the network has what was written.

        Raises:
            TrickleError: The publisher has failed, or is closed.
        """
        await self._flow.flush()

    async def close(self, timeout_seconds: float = 5.0) -> PublisherStats:
        """End the segment, wait for every acknowledgement, and delete the channel if that is wanted.

        Args:
            timeout_seconds: How long all of that may take; what is left then is lost, and reported so.
        """
        try:
            await self._flow.close(timeout_seconds)
        finally:
            if not self._managed:
                await self._flow.release()
        return self.stats

    async def __aenter__(self) -> Self:
        self._managed = True
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, anyio.get_cancelled_exc_class()):
            try:
                await self._flow.leave()
            finally:
                await self._flow.release(error)
            return
        try:
            if error is not None:
                self._flow.abort_current()
            await self.close()
        finally:
            await self._flow.release()

    def _set_up(self, settings: PublisherSettings) -> None:
        self._flow = AsyncFlow(settings)
        self._managed = False
