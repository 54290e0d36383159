"""The video of a stream, to the orchestrator and back, and how each is watched (BYOC contract, section 5)."""

from collections.abc import Callable
from time import monotonic

import anyio

from livepeer.trickle import (
    AsyncPublisher,
    AsyncSegmentWriter,
    AsyncSubscriber,
    ChannelClosedError,
    ChannelNotFoundError,
    SegmentError,
    TrickleError,
)
from livepeer.trickle.media import Cut

from ._stream_channels import VIDEO
from ._timings import Timings
from ._ts_input import SEGMENT_SECONDS, InputParts
from ._ts_output import OutputBytes

_MAX_IN_FLIGHT = 3

# go-livepeer keeps all of a segment in memory.
_BUFFER_BYTES = 64 << 20


class InputWriter:
    """Writes the input channel; an orchestrator that is three segments behind is too slow.

    Args:
        url: Of the channel.
        parts: What the caller sends.
        kick: Takes the stream away from its orchestrator, for a reason.
    """

    def __init__(self, url: str, parts: InputParts, *, kick: Callable[[str], None]) -> None:
        self._url = url
        self._parts = parts
        self._kick = kick
        self._in_flight: list[AsyncSegmentWriter] = []

    async def run(self) -> None:
        """Write until the caller's end, then delete the channel, as go-livepeer does."""
        cut = await self._parts.take()
        try:
            async with AsyncPublisher(
                self._url, content_type=VIDEO, create=False, verify=False, max_buffered_bytes=_BUFFER_BYTES
            ) as publisher:
                await self._publish(publisher, cut)
        except (ChannelNotFoundError, ChannelClosedError):
            self._kick("stream no longer exists on orchestrator; terminating")
        except TrickleError as error:
            self._kick(f"trickle publish init err: {error}")

    async def _publish(self, publisher: AsyncPublisher, cut: Cut | None) -> None:
        segment: AsyncSegmentWriter | None = None
        while cut is not None:
            if cut.starts_segment:
                if await self._is_slow():
                    self._kick("orchestrator is slow")
                    await anyio.sleep_forever()
                segment = await publisher.segment()
                self._in_flight.append(segment)
            if segment is not None:
                try:
                    await segment.write(cut.data)
                except SegmentError:
                    segment = None  # Its rest is dropped.
            cut = await self._parts.take()

    async def _is_slow(self) -> bool:
        self._in_flight = [segment for segment in self._in_flight if segment.done_outcome is None]
        if len(self._in_flight) < _MAX_IN_FLIGHT:
            return False
        # A live input begins a segment a second; one that is sent faster must not make an orchestrator look slow.
        with anyio.move_on_after(SEGMENT_SECONDS):
            await self._in_flight[0].outcome()
            return False
        return True


class OutputReader:
    """Reads the output channel; an orchestrator that is silent while input is flowing is abandoned.

    Args:
        url: Of the channel.
        output: Where the output goes.
        parts: The input that it answers.
        timings: The durations of the network.
        kick: Takes the stream away from its orchestrator, for a reason.
    """

    def __init__(
        self,
        url: str,
        output: OutputBytes,
        parts: InputParts,
        *,
        timings: Timings,
        kick: Callable[[str], None],
    ) -> None:
        self._url = url
        self._output = output
        self._parts = parts
        self._timings = timings
        self._kick = kick
        self._waiting_since = monotonic()

    async def run(self) -> None:
        """Read until the channel ends, which ends the stream there."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch)
            await self._read()

    async def _read(self) -> None:
        output, retry_seconds = self._output, self._timings.stream_retry_seconds
        try:
            async with AsyncSubscriber(self._url, start="next", verify=False, retry_seconds=retry_seconds) as segments:
                async for segment in segments:
                    output.begin_segment()
                    try:
                        async for part in segment:
                            output.write(part)
                    except SegmentError:
                        continue
                    self._waiting_since = monotonic()
        except ChannelNotFoundError:
            pass
        except TrickleError:
            self._kick("trickle subscribe stopping, retries exceeded")
        self._kick("trickle subscribe stopping, stream not found, err=End of stream")

    async def _watch(self) -> None:
        limit = self._timings.stream_output_seconds
        while True:
            await anyio.sleep(max(0.0, self._waiting_since + limit - monotonic()))
            if monotonic() - self._waiting_since < limit:
                continue
            if monotonic() - self._parts.last_segment_at < limit / 2:
                self._kick("timeout waiting for segments")
                return
            self._waiting_since = monotonic()
