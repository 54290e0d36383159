"""Reading messages from a JSONL channel in an event loop."""

from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, Unpack

from livepeer.trickle._errors import LineError, SegmentInterruptedError
from livepeer.trickle._outcomes import Gap
from livepeer.trickle._subscribe.async_subscriber import AsyncSegmentReader, AsyncSubscriber
from livepeer.trickle._subscribe.sequence import Lag, Start

from .state import MIB, NOTHING, JSONLReaderStats, Reading, SubscriberOptions


class AsyncJSONLReader:
    """Reads messages from a JSONL channel: iterate over it.

    The iteration ends with the channel, and raises what `AsyncSubscriber` raises. A line that is no message is reported
    and left out; so is what a segment that broke off has of its last line. Segments without newlines, one message each,
    are read as well, and so are segments of `application/json` that are one message over several lines.

    Args:
        url: Of the channel.
        start: Where to begin, as a subscriber does.
        lag: What becomes of a reader that was too slow: by default it goes on with the oldest messages there are.
        keepalives: Whether keepalive lines are handed out too.
        on_bad_line: Called with the error of each line that is left out, instead of a warning in the log.
        on_gap: Called with each gap, before the first message after it.
        max_line_bytes: How long a line may be.
        options: The subscriber's, as `AsyncSubscriber` has them.

    Raises:
        ValueError: An argument is none; says what to change.
    """

    def __init__(
        self,
        url: str,
        *,
        start: Start = "current",
        lag: Lag = "earliest",
        keepalives: bool = False,
        on_bad_line: Callable[[LineError], None] | None = None,
        on_gap: Callable[[Gap], None] | None = None,
        max_line_bytes: int = MIB,
        **options: Unpack[SubscriberOptions],
    ) -> None:
        self._reading = Reading(
            keepalives=keepalives, on_bad_line=on_bad_line, on_gap=on_gap, max_line_bytes=max_line_bytes
        )
        self._subscriber = AsyncSubscriber(url, start=start, lag=lag, **options)
        self._segment: AsyncSegmentReader | None = None

    @property
    def stats(self) -> JSONLReaderStats:
        """What was done so far."""
        return self._reading.stats(self._subscriber.stats)

    async def close(self) -> None:
        """End the reading, also one that waits."""
        await self._subscriber.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        while (message := self._reading.take()) is NOTHING:
            await self._read()
        return message

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _read(self) -> None:
        if self._segment is None:
            self._segment = await anext(self._subscriber)
            self._reading.begin(self._segment.seq, self._segment.content_type, self._segment.gap)
        try:
            self._reading.feed(await anext(self._segment))
        except (StopAsyncIteration, SegmentInterruptedError) as end:
            self._segment = None
            self._reading.end(whole=isinstance(end, StopAsyncIteration))
