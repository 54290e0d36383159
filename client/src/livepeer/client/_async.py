"""The asynchronous face: calls, streams and sessions."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import anyio
import httpx2

from ._answers import Answer
from ._async_http import AsyncLine
from ._attempts import Attempts
from ._calls import Call, reserved, session_calls
from ._events import Event
from ._runner_routes import SessionRoute
from ._settings import Patience


class AsyncStream(AsyncIterator[Event]):
    """The events of one call: an asynchronous iterator, and an asynchronous context manager that closes it.

    The call is sent when the first event is asked for. Leaving early (the end of the ``async with``, `aclose`, an
    exception, cancellation, or dropping the object) closes the connection, and the worker stops. The time for the call
    bounds the whole stream.
    """

    def __init__(self, client: Callable[[], httpx2.AsyncClient], call: Callable[[], Call]) -> None:
        # A generator, because the event loop closes one that is dropped, which no finalizer of ours could.
        self._events = _stream(client, call)

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


async def run_async(client: httpx2.AsyncClient, call: Call) -> Any:
    """Make a call and return its answer as one value."""
    async with _answered(client, call) as (answer, chunks):
        events: list[Event] = []
        async for chunk in chunks:
            events.extend(answer.feed(chunk))
            if answer.done:
                break
        return answer.value(events)


async def _stream(client: Callable[[], httpx2.AsyncClient], call: Callable[[], Call]) -> AsyncGenerator[Event]:
    async with _answered(client(), call()) as (answer, chunks):
        async for chunk in chunks:
            for event in answer.feed(chunk):
                yield event
            if answer.done:
                break
        for event in answer.rest():
            yield event


@asynccontextmanager
async def _answered(client: httpx2.AsyncClient, call: Call) -> AsyncGenerator[tuple[Answer, AsyncIterator[bytes]]]:
    line = AsyncLine(client, call.remaining_seconds)
    chunks = line.chunks()
    try:
        answer = await line.carry_out(call.begin())
        with call.errors():
            yield answer, chunks
    finally:
        with anyio.CancelScope(shield=True):
            await chunks.aclose()
            await line.aclose()
            await AsyncLine(client).carry_out(call.end())


class AsyncSession:
    """A session at one worker: its calls share the worker's state, and the session's price (Live Runner, section 7).

    It lasts as long as the ``async with`` that gave it, and is paid for meanwhile.
    """

    def __init__(self, client: Callable[[], httpx2.AsyncClient], route: SessionRoute, patience: Patience) -> None:
        self._client = client
        self._route = route
        self._patience = patience

    @property
    def id(self) -> str:
        """The session's id; empty once it is over."""
        return self._route.session_id

    async def run(self, input: object = None, *, route: str = "predict", timeout_seconds: float = 60) -> Any:
        """Make a call within the session, as `Gateway.run_async` does."""
        return await run_async(self._client(), self._calls(input, route, timeout_seconds)())

    def stream(self, input: object = None, *, route: str = "predict", timeout_seconds: float = 60) -> AsyncStream:
        """Make a call within the session, as `Gateway.stream_async` does."""
        return AsyncStream(self._client, self._calls(input, route, timeout_seconds))

    def _calls(self, value: object, route: str, timeout_seconds: float) -> Callable[[], Call]:
        return session_calls(self._route, value, route=route, timeout_seconds=timeout_seconds, patience=self._patience)


@asynccontextmanager
async def session_async(
    client: Callable[[], httpx2.AsyncClient], attempts: Attempts[SessionRoute], patience: Patience
) -> AsyncGenerator[AsyncSession]:
    """Reserve a session, and stop it at the end."""
    line = AsyncLine(client())
    try:
        yield AsyncSession(client, await line.carry_out(attempts.first_success(reserved)), patience)
    finally:
        with anyio.CancelScope(shield=True):
            await line.carry_out(attempts.end())
