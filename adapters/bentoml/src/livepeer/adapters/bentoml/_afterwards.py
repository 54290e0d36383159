"""What goes on after an answer: the background tasks of requests."""

import asyncio
import logging

import anyio
from starlette.background import BackgroundTask
from starlette.requests import Request

from . import _sdk

GRACE_SECONDS = 3.0
"""How long they may go on at the end: a server gives all of it, with the service's own hooks, 5 seconds."""

logger = logging.getLogger("livepeer.adapters.bentoml")


class Afterwards:
    """The tasks of one service that outlive their calls."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    async def end(self, request: Request, background: BackgroundTask | None) -> None:
        """Close a request, once what it has left for the background has run.

        Called within the request, as the last thing. Its temporary directory lives on until then.
        """
        if background is None:
            await request.close()
            return
        folder: str | None = getattr(request.state, "temp_dir", None)
        if folder is not None:
            del request.state.temp_dir
        self.track(asyncio.ensure_future(_run(background, request, folder)))

    def track(self, task: "asyncio.Task[None]") -> None:
        """Wait for a task at the end."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Wait until nothing goes on any more; what takes too long is cancelled."""
        with anyio.move_on_after(GRACE_SECONDS):
            while self._tasks:
                await asyncio.wait(self._tasks)
        if self._tasks:
            logger.warning("background tasks that go on after %s s are cancelled: %d", GRACE_SECONDS, len(self._tasks))
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)


async def _run(background: BackgroundTask, request: Request, folder: str | None) -> None:
    # The request is still the current one: a task has a copy of the context that it was made in.
    if folder is not None:
        request.state.temp_dir = folder
    try:
        await background()
    except (Exception, SystemExit):  # which would end the loop
        logger.exception("a background task failed")
    finally:
        await request.close()
        folder = getattr(request.state, "temp_dir", None)
        if folder is not None:
            _sdk.request_temp_dirs.release(folder)
