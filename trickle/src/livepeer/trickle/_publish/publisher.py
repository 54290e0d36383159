"""Publishing on the caller's own thread."""

from types import TracebackType
from typing import Self

from livepeer.trickle._outcomes import Outcome
from livepeer.trickle._wire.chunks import Buffer

from .base_publisher import BasePublisher, to_bytes, to_some_bytes
from .blocking_flow import BlockingFlow
from .posts import Post
from .settings import PublisherSettings
from .stats import PublisherStats


class SegmentWriter:
    """A segment that is written; `Publisher.segment` returns it."""

    def __init__(self, flow: BlockingFlow, post: Post) -> None:
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

    def write(self, data: Buffer) -> None:
        """Write to it; waits only while too much waits for the network already.

        Args:
            data: At least one byte.

        Raises:
            SegmentLostError: It was lost.
            SegmentRefusedError: The server refused it.
            ClosedError: It has ended, or the publisher is closed.
            TrickleError: The publisher has failed.
        """
        self._flow.write(self._post, to_some_bytes(data))

    def end(self) -> None:
        """End it; once more does nothing. The next segment ends it as well.

        Raises:
            SegmentLostError: It was lost.
            SegmentRefusedError: The server refused it.
            TrickleError: The publisher has failed.
        """
        self._flow.end(self._post)

    def abort(self) -> None:
        """Give it up. Once it has ended, this does nothing.

        The server ends it where it is, so that no reader waits; none can tell it from a whole one (trickle, table 1,
        row 30).
        """
        self._flow.abort(self._post)

    def outcome(self) -> Outcome:
        """Wait until it is known how it ended.

        Raises:
            ValueError: It is still open, so that this would wait for ever.
        """
        return self._flow.outcome(self._post)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.end()
        else:
            self.abort()


class Publisher(BasePublisher):
    """Publishes segments on the caller's own thread.

    Otherwise as `AsyncPublisher`, which says what the arguments mean. No thread and no event loop is started: whatever
    there is to do is done in the caller's calls, so a caller who is silent for long should call `poll` now and then.
    One thread at a time may use it.
    """

    @property
    def stats(self) -> PublisherStats:
        """What was done so far."""
        return self._flow.stats

    def start(self) -> None:
        """Create the channel if that is wanted, and put the head of the first segment on the wire.

        Raises:
            ChannelNotFoundError: There is no channel, and it is not created.
            RefusedError: The server refuses it.
            UnreachableError: The server cannot be reached.
        """
        self._flow.start()

    def segment(self) -> SegmentWriter:
        """Begin the next segment; the one before ends, if it has not.

        Raises:
            ClosedError: The publisher was not started, or is closed.
            TrickleError: It has failed.
        """
        return SegmentWriter(self._flow, self._flow.open())

    def publish(self, data: Buffer) -> SegmentWriter:
        """Publish a whole segment at once.

        Args:
            data: All of it; none is a segment too.

        Raises:
            SegmentLostError: It was lost already.
            ClosedError: The publisher was not started, or is closed.
            TrickleError: It has failed.
        """
        return SegmentWriter(self._flow, self._flow.publish(to_bytes(data)))

    def poll(self) -> None:
        """Do what is due without waiting: read acknowledgements, and send what the network takes by now.

        Only the opening of a connection may take time, when one was lost.
        """
        self._flow.poll()

    def flush(self) -> None:
        """Wait until the network has what was written.

        Raises:
            TrickleError: The publisher has failed, or is closed.
        """
        self._flow.flush()

    def close(self, timeout_seconds: float = 5.0) -> PublisherStats:
        """End the segment, wait for every acknowledgement, and delete the channel if that is wanted.

        Args:
            timeout_seconds: How long all of that may take; what is left then is lost, and reported so.
        """
        self._flow.close(timeout_seconds)
        return self.stats

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Exception):
            self._flow.leave()
            return
        if error is not None:
            self._flow.abort_current()
        self.close()

    def _set_up(self, settings: PublisherSettings) -> None:
        self._flow = BlockingFlow(settings)
