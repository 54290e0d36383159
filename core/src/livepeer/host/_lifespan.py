"""The lifespan of one ASGI application: started before its first request, ended after its last."""

import asyncio
import logging
from typing import Any

from livepeer.core import AsgiApp

from ._mount_wire import Message

logger = logging.getLogger("livepeer.host")


class LifespanError(Exception):
    """An application says that it cannot start."""


class Lifespan:
    """Runs an application's lifespan, if it has one: one that raises before it has started has none.

    Args:
        app: The application.
    """

    def __init__(self, app: AsgiApp) -> None:
        self.state: dict[str, Any] = {}
        """What the application keeps for its requests, each of which gets a copy."""
        self._app = app
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._phase: asyncio.Future[Message] | None = None
        self._started = False
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Start the application.

        Raises:
            LifespanError: If it says that it cannot.
        """
        self._task = asyncio.create_task(self._run(), name="livepeer-lifespan")
        said = await self._ask("lifespan.startup")
        if said["type"] == "lifespan.startup.failed":
            raise LifespanError(said.get("message") or "it gives no reason")
        self._started = said["type"] == "lifespan.startup.complete"

    async def end(self) -> None:
        """End the application, if it has started. Whatever goes wrong is logged."""
        if not self._started or self._task is None or self._task.done():
            return
        said = await self._ask("lifespan.shutdown")
        if said["type"] == "lifespan.shutdown.failed":
            logger.error("the lifespan of a mounted application failed at its end: %s", said.get("message", ""))

    async def _ask(self, phase: str) -> Message:
        """Announce a phase, and wait until the application answers, or has returned or raised."""
        self._phase = asyncio.get_running_loop().create_future()
        self._sent.put_nowait({"type": phase})
        return await self._phase

    async def _run(self) -> None:
        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": self.state}
        try:
            await self._app(scope, self._sent.get, self._send)
        except BaseException as error:
            if self._started:
                logger.error("the lifespan of a mounted application failed", exc_info=error)
            else:
                logger.debug("a mounted application has no lifespan: %r", error)
        finally:
            self._answer({"type": "lifespan.over"})

    async def _send(self, message: Message) -> None:
        self._answer(message)

    def _answer(self, message: Message) -> None:
        if self._phase is not None and not self._phase.done():
            self._phase.set_result(message)
