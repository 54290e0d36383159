"""Reads a channel to its end with each flavour of the subscriber."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio
import pytest

from livepeer.trickle import AsyncSubscriber, Gap, SegmentInterruptedError, Subscriber, SubscriberStats, TrickleError

LIMIT_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A segment as a reader saw it."""

    seq: int
    data: bytes
    gap: Gap | None
    restarted: bool
    interrupted: SegmentInterruptedError | None = None


@dataclass(kw_only=True)
class Reading:
    """A channel as a reader saw it."""

    segments: list[Seen] = field(default_factory=list[Seen])
    failure: TrickleError | None = None
    stats: SubscriberStats | None = None
    latest: int | None = None

    @property
    def data(self) -> dict[int, bytes]:
        """What came of each segment."""
        return {segment.seq: segment.data for segment in self.segments}


OnPart = Callable[[bytes], object]

Collect = Callable[..., Reading]


def read_blocking(url: str, count: int, on_part: OnPart, options: dict[str, Any]) -> Reading:
    reading = Reading()
    with Subscriber(url, **options) as subscriber:
        try:
            for segment in subscriber:
                parts: list[bytes] = []
                interrupted = None
                try:
                    for part in segment:
                        parts.append(part)
                        on_part(part)
                except SegmentInterruptedError as error:
                    interrupted = error
                reading.segments.append(seen(segment, parts, interrupted))
                if len(reading.segments) == count:
                    break
        except TrickleError as error:
            reading.failure = error
        reading.stats, reading.latest = subscriber.stats, subscriber.latest
    return reading


async def read_async(url: str, count: int, on_part: OnPart, options: dict[str, Any]) -> Reading:
    reading = Reading()
    with anyio.fail_after(LIMIT_SECONDS):
        async with AsyncSubscriber(url, **options) as subscriber:
            try:
                async for segment in subscriber:
                    parts: list[bytes] = []
                    interrupted = None
                    try:
                        async for part in segment:
                            parts.append(part)
                            on_part(part)
                    except SegmentInterruptedError as error:
                        interrupted = error
                    reading.segments.append(seen(segment, parts, interrupted))
                    if len(reading.segments) == count:
                        break
            except TrickleError as error:
                reading.failure = error
            reading.stats, reading.latest = subscriber.stats, subscriber.latest
    return reading


def seen(segment: Any, parts: list[bytes], interrupted: SegmentInterruptedError | None) -> Seen:
    return Seen(
        seq=segment.seq,
        data=b"".join(parts),
        gap=segment.gap,
        restarted=segment.restarted,
        interrupted=interrupted,
    )


@pytest.fixture(params=["thread", "asyncio", "trio"])
def collect(request: pytest.FixtureRequest) -> Collect:
    """Returns what reads a channel to its end, or `count` segments of it, and calls `on_part` for each part."""

    def run(url: str, *, count: int = 0, on_part: OnPart = len, **options: Any) -> Reading:
        if request.param == "thread":
            return read_blocking(url, count, on_part, options)
        return anyio.run(read_async, url, count, on_part, options, backend=request.param)

    return run


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param
