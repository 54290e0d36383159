"""A call through a service's whole application, so that its middlewares see it."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing

import anyio
from starlette.types import ASGIApp

from livepeer.core import Encoded

from ._hatch import Hatch
from ._opening import Head, head_of
from ._requests import Body, HttpScope
from ._responses import Sent
from ._runtime import Runtime

logger = logging.getLogger("livepeer.adapters.bentoml")


class AppCall:
    """One request to the application, which goes on after its answer with what it does in the background.

    Args:
        runtime: Has the application.
        scope: The request.
        body: Its body.
    """

    def __init__(self, runtime: Runtime, scope: HttpScope, body: bytes) -> None:
        self._app: ASGIApp = runtime.app
        self._afterwards = runtime.afterwards
        self._scope = scope
        self._receive = Body(body).receive
        self._sent = Sent()

    async def answer(self) -> Encoded:
        """The whole answer.

        Raises:
            ModelFailedError: If there is none.
        """
        task = asyncio.ensure_future(self._run())
        try:
            await self._sent.complete.wait()
        except asyncio.CancelledError:
            await _end(task)
            raise
        self._afterwards.track(task)
        return self._sent.encoded()

    async def stream(self, hatch: Hatch) -> AsyncGenerator[Head | Encoded]:
        """The head of a stream and its items, or an answer of one piece that came in their place.

        Args:
            hatch: Where the items leave.

        Raises:
            CallError: If the api ends the stream on purpose, once it has begun.
            ModelFailedError: If there is no answer.
        """
        task = asyncio.ensure_future(self._run(hatch))
        try:
            await self._sent.started.wait()
            if not hatch.opened:
                await self._sent.complete.wait()
                yield self._sent.encoded()
            else:
                yield head_of(self._sent.status, self._sent.headers)
                async with aclosing(hatch.take_all()) as events:
                    async for event in events:
                        yield event
        except (asyncio.CancelledError, GeneratorExit):
            await _end(task)
            raise
        finally:
            hatch.close()
            self._afterwards.track(task)

    async def _run(self, hatch: Hatch | None = None) -> None:
        try:
            await self._app(self._scope, self._receive, self._sent.send)
        except (Exception, SystemExit):
            # Starlette has answered it, or nothing can; what left this task would end the loop.
            logger.exception("the service's application failed")
        finally:
            self._sent.started.set()
            self._sent.complete.set()
            if hatch is not None:
                hatch.end()


async def _end(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with anyio.CancelScope(shield=True):
        await asyncio.wait([task])
