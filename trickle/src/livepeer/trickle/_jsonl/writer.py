"""Writing messages to a JSONL channel on the caller's own thread."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic
from types import TracebackType
from typing import Self, Unpack

from livepeer.trickle._errors import SegmentError, TrickleError
from livepeer.trickle._outcomes import Outcome
from livepeer.trickle._publish.publisher import Publisher, SegmentWriter

from .lines import KEEPALIVE, Batch
from .state import BATCH_BYTES, MIB, JSONLWriterStats, PublisherOptions, Writing


class JSONLWriter:
    """Writes messages to a JSONL channel, each as a line, waiting on the caller's thread.

    Otherwise as `AsyncJSONLWriter`, but that each `write` sends at once, while `write_all` sends messages together, and
    that keepalive lines are written by `poll`, which a caller who may be silent for minutes has to call now and then.
    One thread at a time may use it.

    Args:
        url: Of the channel.
        content_type: Of the channel, if it is created.
        rotate_seconds: How long a segment takes messages.
        rotate_bytes: How long a segment becomes; a longer message has one to itself.
        keepalive_seconds: After how much silence `poll` writes a keepalive line; None for never.
        keepalive: What a keepalive line says.
        on_outcome: Called with each segment's outcome.
        options: The publisher's, as `Publisher` has them.

    Raises:
        ValueError: An argument is none; says what to change.
    """

    def __init__(
        self,
        url: str,
        *,
        content_type: str = "application/jsonl",
        rotate_seconds: float = 10.0,
        rotate_bytes: int = MIB,
        keepalive_seconds: float | None = 10.0,
        keepalive: object = KEEPALIVE,
        on_outcome: Callable[[Outcome], None] | None = None,
        **options: Unpack[PublisherOptions],
    ) -> None:
        self._writing = Writing(
            rotate_seconds=rotate_seconds,
            rotate_bytes=rotate_bytes,
            keepalive_seconds=keepalive_seconds,
            keepalive=keepalive,
            on_outcome=on_outcome,
        )
        self._publisher = Publisher(url, content_type=content_type, on_outcome=self._writing.note, **options)
        self._segment: SegmentWriter | None = None

    @property
    def stats(self) -> JSONLWriterStats:
        """What was done so far."""
        return self._writing.stats(self._publisher.stats)

    def start(self) -> None:
        """Connect, and create the channel if that is wanted.

        Raises:
            TrickleError: As `Publisher.start` does.
        """
        self._publisher.start()
        self._writing.start(monotonic())

    def write(self, message: object) -> None:
        """Write a message, and send it.

        Args:
            message: Any JSON value; or bytes, which are a line already, but for its end.

        Raises:
            ValueError: It has no JSON form; nothing was written.
            SegmentLostError: A segment with earlier messages was lost; this message was not written.
            SegmentRefusedError: The server refused one, the same otherwise.
            TrickleError: The channel has failed; every call raises that from now on.
        """
        self._writing.check()
        self._writing.add(message, monotonic())
        self._send_batches()

    def write_all(self, messages: Iterable[object]) -> None:
        """Write messages and send them together; raises as `write` does, after the messages before were sent."""
        try:
            for message in messages:
                self._writing.check()
                self._writing.add(message, monotonic())
                if self._writing.queue.bytes >= BATCH_BYTES:
                    self._send_batches()
        finally:
            self._send_batches()

    def poll(self) -> None:
        """Do what is due without waiting: a keepalive line, and the reading of acknowledgements."""
        if not self._writing.failure:
            self._writing.keep_alive(monotonic())
            self._send_batches()
        self._publisher.poll()

    def flush(self) -> None:
        """Wait until the network has what was written; raises as `write` does."""
        self._writing.check()
        self._publisher.flush()
        self._writing.check()

    def close(self, timeout_seconds: float = 5.0) -> JSONLWriterStats:
        """Wait for the server to have what was written, and delete the channel if that is wanted.

        Args:
            timeout_seconds: How long all of that may take; what is left then is lost, counted and logged.
        """
        self._writing.stop()
        return self._writing.end(self._publisher.close(timeout_seconds))

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send_batches(self) -> None:
        try:
            for batch in self._writing.queue.take():
                self._send(batch)
                self._writing.queue.sent(batch)
        except TrickleError as error:
            self._writing.fail(error)
            raise

    def _send(self, batch: Batch) -> None:
        if self._segment is None or batch.begins:
            self._segment = self._publisher.segment()
        try:
            self._segment.write(batch.data)
        except SegmentError:  # It has ended; its outcome was noted.
            self._segment = self._publisher.segment()
            with suppress(SegmentError):
                self._segment.write(batch.data)
