"""Asynchronous HTTP: carries out exchanges, and keeps the one response that a caller reads itself."""

import math
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing, suppress
from typing import Any, TypeVar

import anyio
import httpx2

from ._clients import build_request
from ._errors import LivepeerError
from ._exchange import Exchange, Outcomes, Pause, Reply, Request, Step
from ._failures import transport_errors

T = TypeVar("T")


class AsyncLine:
    """What one call, or one question, uses to talk to the network.

    Args:
        client: Sends the requests.
        remaining_seconds: How much time is left for all of them; raises where there is none.
    """

    def __init__(self, client: httpx2.AsyncClient, remaining_seconds: Callable[[], float] = lambda: math.inf) -> None:
        self._client = client
        self._remaining_seconds = remaining_seconds
        self._response: httpx2.Response | None = None

    async def carry_out(self, exchange: Exchange[T]) -> T:
        """Do what an exchange asks for, and return its result."""
        with closing(exchange):
            try:
                step = next(exchange)
                while True:
                    step = exchange.send(await self._take(step, exchange))
            except StopIteration as end:
                return end.value

    async def chunks(self) -> AsyncGenerator[bytes]:
        """Give the body of the response that was kept open, as it arrives."""
        if self._response is None:
            return
        async with aclosing(self._response.aiter_raw()) as parts:
            while True:
                with anyio.fail_after(self._remaining_seconds()):
                    chunk = await anext(parts, None)
                if chunk is None:
                    return
                yield chunk

    async def aclose(self) -> None:
        """Close the response that was kept open, which ends what it is the answer of."""
        if self._response is not None:
            await self._response.aclose()

    async def _take(self, step: Step, exchange: Exchange[Any]) -> Outcomes:
        match step:
            case Pause():
                await anyio.sleep(min(step.seconds, self._remaining_seconds()))
                return ()
            case (Request(uninterrupted=False) as request,):
                return (await self._outcome(request),)
            case _:
                return await self._all_outcomes(step, exchange)

    async def _all_outcomes(self, step: tuple[Request, ...], exchange: Exchange[Any]) -> Outcomes:
        outcomes: dict[int, Reply | LivepeerError] = {}

        async def take(index: int, request: Request) -> None:
            outcomes[index] = await self._outcome(request)

        try:
            # A task group waits for its tasks even where asyncio itself cancels, of which no scope can be shielded.
            async with anyio.create_task_group() as tasks:
                for index, request in enumerate(step):
                    tasks.start_soon(take, index, request)
        except anyio.get_cancelled_exc_class():
            if len(outcomes) == len(step):
                with suppress(StopIteration, LivepeerError):  # it gets to know what it has to give back
                    exchange.send(tuple(outcomes[index] for index in range(len(step))))
            raise
        return tuple(outcomes[index] for index in range(len(step)))

    async def _outcome(self, request: Request) -> Reply | LivepeerError:
        try:
            with transport_errors(request.url, self._client):
                seconds = min(request.timeout_seconds, self._remaining_seconds())
                with anyio.fail_after(seconds, shield=request.uninterrupted):
                    return await self._reply(request, seconds)
        except LivepeerError as error:
            return error

    async def _reply(self, request: Request, seconds: float) -> Reply:
        response = await self._client.send(build_request(self._client, request, seconds), stream=True)
        if request.keep_open and response.is_success:
            self._response = response
            return Reply(status=response.status_code, headers=response.headers, body=b"")
        try:
            body = bytearray()
            async with aclosing(response.aiter_raw()) as parts:
                async for chunk in parts:
                    body += chunk
                    if len(body) > request.max_bytes:
                        break
        finally:
            with anyio.CancelScope(shield=True):
                await response.aclose()
        return Reply(status=response.status_code, headers=response.headers, body=bytes(body[: request.max_bytes]))
