"""The asynchronous face: it moves bytes between `httpx2.AsyncClient` and the core."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Any, Self

import anyio
import httpx2

from ._answers import Answer
from ._calls import LONGEST_ERROR_BYTES, Call, Target
from ._errors import LivepeerError
from ._events import Event
from ._jobs import Job


class AsyncStream(AsyncIterator[Event]):
    """The events of one call: an asynchronous iterator, and an asynchronous context manager that closes it.

    The call is sent when the first event is asked for. Leaving early (the end of the ``async with``, `aclose`, an
    exception, cancellation, or dropping the object) closes the connection, and the worker stops. The time for the call
    bounds the whole stream.
    """

    def __init__(self, client: Callable[[], httpx2.AsyncClient], job: Job, target: Target) -> None:
        # A generator, because the event loop closes one that is dropped, which no finalizer of ours could.
        self._events = _stream(client, job, target)

    async def __anext__(self) -> Event:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the call, if it is still on; nothing happens a second time."""
        await self._events.aclose()


async def run_async(client: httpx2.AsyncClient, job: Job, target: Target) -> Any:
    """Make a call and return its answer as one value."""
    async with _answered(client, Call(job, target)) as (answer, chunks):
        events: list[Event] = []
        async for chunk in chunks:
            events.extend(answer.feed(chunk))
            if answer.done:
                break
        return answer.value(events)


async def _stream(client: Callable[[], httpx2.AsyncClient], job: Job, target: Target) -> AsyncGenerator[Event]:
    async with _answered(client(), Call(job, target)) as (answer, chunks):
        async for chunk in chunks:
            for event in answer.feed(chunk):
                yield event
            if answer.done:
                break
        for event in answer.rest():
            yield event


@asynccontextmanager
async def _answered(client: httpx2.AsyncClient, call: Call) -> AsyncGenerator[tuple[Answer, AsyncIterator[bytes]]]:
    response = await _send(client, call)
    chunks = _chunks(response, call)
    try:
        with call.errors():
            yield call.answer(response), chunks
    finally:
        with anyio.CancelScope(shield=True):
            await chunks.aclose()
            await response.aclose()


async def _send(client: httpx2.AsyncClient, call: Call) -> httpx2.Response:
    while True:
        try:
            with call.errors():
                with anyio.fail_after(call.remaining_seconds()):
                    response = await client.send(client.build_request(**call.request()), stream=True)
                if response.is_success:
                    return response
                try:
                    async with aclosing(_chunks(response, call)) as chunks:
                        body = bytearray()
                        async for chunk in chunks:
                            body += chunk
                            if len(body) > LONGEST_ERROR_BYTES:
                                break
                finally:
                    with anyio.CancelScope(shield=True):
                        await response.aclose()
            raise call.refusal(response, body)
        except LivepeerError as failure:
            pause_seconds = call.next_attempt(failure)
        await anyio.sleep(pause_seconds)


async def _chunks(response: httpx2.Response, call: Call) -> AsyncGenerator[bytes]:
    async with aclosing(response.aiter_raw()) as parts:
        while True:
            with anyio.fail_after(call.remaining_seconds()):
                chunk = await anext(parts, None)
            if chunk is None:
                return
            yield chunk
