"""The control and data channels of a stream (BYOC contract, section 5)."""

from collections.abc import Callable
from contextlib import suppress
from typing import Literal

import anyio

from livepeer.trickle import (
    AsyncPublisher,
    AsyncSegmentReader,
    AsyncSubscriber,
    ChannelNotFoundError,
    SegmentError,
    TrickleError,
)

from ._data_ring import DataRing
from ._lines import LineRelay
from ._stream_channels import VIDEO
from ._timings import Timings

_KEEPALIVE = b'{"keep":"alive"}'


class ControlWriter:
    """Writes the control channel: the last update where the stream comes from another orchestrator, then keepalives.

    Args:
        url: Of the channel.
        update: The last update, None if there was none.
        timings: The durations of the network.
        kick: Takes the stream away from its orchestrator, for a reason.
    """

    def __init__(self, url: str, update: bytes | None, *, timings: Timings, kick: Callable[[str], None]) -> None:
        self._url = url
        self._update = update
        self._interval = timings.stream_keepalive_seconds
        self._kick = kick
        self._due = 0.0

    async def run(self) -> None:
        """Write until the channel is gone, which is seen when the next keepalive is due."""
        self._due = anyio.current_time() + self._interval
        try:
            # Its own content type goes for every channel that go-livepeer publishes to.
            async with AsyncPublisher(
                self._url, content_type=VIDEO, create=False, delete=False, verify=False
            ) as publisher:
                await self._write(publisher)
        except TrickleError:
            await anyio.sleep_until(self._due)
        self._kick("control channel does not exist")

    async def _write(self, publisher: AsyncPublisher) -> None:
        if self._update is not None:
            await publisher.publish(self._update)
        while True:
            await anyio.sleep_until(self._due)
            with suppress(SegmentError):
                await publisher.publish(_KEEPALIVE)
            self._due += self._interval


class DataReader:
    """Reads the data channel line by line; from a line that is too long it never gets away.

    Args:
        url: Of the channel.
        ring: Where the lines go; it is closed with the channel, and stays so at the next orchestrator.
        timings: The durations of the network.
        kick: Takes the stream away from its orchestrator, for a reason.
    """

    def __init__(self, url: str, ring: DataRing, *, timings: Timings, kick: Callable[[str], None]) -> None:
        self._url = url
        self._ring = ring
        self._timings = timings
        self._kick = kick

    async def run(self) -> None:
        """Read until the channel ends, which ends the stream there."""
        if self._ring.closed:
            return
        try:
            await self._read()
        except ChannelNotFoundError:
            pass
        except TrickleError:
            self._kick("data subscribe stopping, retries exceeded")
        finally:
            self._ring.close()
        self._kick("data subscribe stopping, stream not found, err=End of stream")

    async def _read(self) -> None:
        start: int | Literal["next"] | None = "next"
        while start is not None:
            start = await self._read_from(start)
            await anyio.sleep(self._timings.flood_pause_seconds)

    async def _read_from(self, start: int | Literal["next"]) -> int | None:
        """Read on, and return the number of a segment with a line that is too long, to begin it again."""
        retry_seconds = self._timings.stream_retry_seconds
        async with AsyncSubscriber(self._url, start=start, verify=False, retry_seconds=retry_seconds) as segments:
            async for segment in segments:
                if not await self._take(segment):
                    return segment.seq
        return None

    async def _take(self, segment: AsyncSegmentReader) -> bool:
        """Take the lines of a segment; return whether none was too long."""
        lines = _DataLines()
        try:
            async for part in segment:
                await self._pass(lines.feed(part))
                if lines.ended:
                    return False
        except SegmentError:
            pass  # What came of it counts.
        await self._pass(lines.finish())
        return True

    async def _pass(self, block: bytes) -> None:
        for line in block.split(b"\n")[:-1]:
            self._ring.write(line)
            await anyio.lowlevel.checkpoint()  # Whoever reads the lines keeps up, if its caller does.


class _DataLines(LineRelay):
    def _edit(self, block: bytes) -> bytes:
        return block
