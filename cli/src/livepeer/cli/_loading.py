"""A target in a process of its own, for as long as one command needs it."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import anyio

from livepeer.core import Description
from livepeer.server import ProcessWorker, Server, ServerOptions, WorkerState

from ._changes import Changes
from ._errors import CommandError
from ._targets import check_target
from ._terminal import ModelOutput

_STUCK_SECONDS = 2.0
"""How long a model may take to tear itself down once the command is done with it."""


class LoadedModel:
    """A model that loads, or has loaded, behind a server without a port."""

    def __init__(self, target: str, output: ModelOutput, *, python: str | None, adapter: str | None) -> None:
        self._target = target
        self._output = output
        self._worker = ProcessWorker(target, adapter=adapter, python=python)
        options = ServerOptions(drain_seconds=0, stuck_seconds=_STUCK_SECONDS)
        self.server = Server(self._worker, options=options)
        self._changes = Changes()
        self.server.lifecycle.listen(self._changes.ring)

    async def described(self) -> Description:
        """Wait until the target has been imported.

        Raises:
            CommandError: If that fails.
        """
        self._output.say(f"importing {self._target}")
        await self._until(lambda: self._worker.description is not None)
        assert self._worker.description is not None
        return self._worker.description

    async def ready(self) -> None:
        """Wait until the model has been set up.

        Raises:
            CommandError: If that fails.
        """
        self._output.say(f"setting up {(await self.described()).info.name}")
        await self._until(lambda: self._worker.state is WorkerState.READY)

    async def _until(self, met: Callable[[], bool]) -> None:
        while not met():
            # A server would start a host again that died; a command that runs once gives up.
            if self._worker.reason is not None:
                raise CommandError(self._worker.reason)
            await self._changes.wait()


@asynccontextmanager
async def load(
    target: str, output: ModelOutput, *, python: str | None, adapter: str | None
) -> AsyncGenerator[LoadedModel]:
    """Start to load a target; nothing of it is left at the end.

    Raises:
        CommandError: If the target names nothing.
    """
    check_target(target, python=python)
    model = LoadedModel(target, output, python=python, adapter=adapter)
    await model.server.start()
    try:
        yield model
    finally:
        with anyio.CancelScope(shield=True):
            await model.server.stop()
