"""Every flavour of the publisher under one face: the tests await, and the blocking one works on a thread."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from types import TracebackType
from typing import Any, Self

import pytest
from anyio import fail_after, sleep, to_thread

from livepeer.trickle._errors import TrickleError
from livepeer.trickle._outcomes import Outcome
from livepeer.trickle._publish.async_publisher import AsyncPublisher
from livepeer.trickle._publish.publisher import Publisher, SegmentWriter
from livepeer.trickle._publish.stats import PublisherStats

Make = Callable[..., Any]


class ThreadedSegment:
    def __init__(self, segment: SegmentWriter) -> None:
        self._segment = segment

    @property
    def seq(self) -> int:
        return self._segment.seq

    @property
    def done_outcome(self) -> Outcome | None:
        return self._segment.done_outcome

    async def write(self, data: bytes) -> None:
        await on_thread(self._segment.write, data)

    async def end(self) -> None:
        await on_thread(self._segment.end)

    async def abort(self) -> None:
        await on_thread(self._segment.abort)

    async def outcome(self) -> Outcome:
        return await on_thread(self._segment.outcome)

    async def __aenter__(self) -> Self:
        self._segment.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await on_thread(self._segment.__exit__, kind, error, trace)


class ThreadedPublisher:
    def __init__(self, url: str, **options: Any) -> None:
        self._publisher = Publisher(url, **options)

    @property
    def stats(self) -> PublisherStats:
        return self._publisher.stats

    async def start(self) -> None:
        await on_thread(self._publisher.start)

    async def segment(self) -> ThreadedSegment:
        return ThreadedSegment(await on_thread(self._publisher.segment))

    async def publish(self, data: bytes) -> ThreadedSegment:
        return ThreadedSegment(await on_thread(self._publisher.publish, data))

    async def flush(self) -> None:
        await on_thread(self._publisher.flush)

    async def poll(self) -> None:
        await on_thread(self._publisher.poll)

    async def close(self, timeout_seconds: float = 5.0) -> PublisherStats:
        return await on_thread(self._publisher.close, timeout_seconds)

    async def __aenter__(self) -> Self:
        await on_thread(self._publisher.__enter__)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await on_thread(self._publisher.__exit__, kind, error, trace)


async def on_thread(call: Callable[..., Any], *args: Any) -> Any:
    return await to_thread.run_sync(partial(call, *args))


async def poll_until(publisher: Any, ready: Callable[[], bool]) -> None:
    """Wait; the blocking flavour works only when it is called."""
    with fail_after(10):
        while not ready():
            await (publisher.poll() if isinstance(publisher, ThreadedPublisher) else publisher.flush())
            await sleep(0.005)


async def poll_until_it_fails(publisher: Any, error: type[TrickleError]) -> TrickleError:
    with pytest.raises(error) as raised:
        await poll_until(publisher, lambda: False)
    return raised.value


@pytest.fixture(params=["asyncio", "trio", "blocking"])
def flavour(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def anyio_backend(flavour: str) -> str:
    return "trio" if flavour == "trio" else "asyncio"


@pytest.fixture
def make(flavour: str) -> Callable[..., AbstractAsyncContextManager[Any]]:
    return ThreadedPublisher if flavour == "blocking" else AsyncPublisher
