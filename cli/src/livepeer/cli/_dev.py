"""`livepeer dev`: a whole network on this machine, with the targets on it."""

import signal
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

import anyio
from rich.console import Console

from livepeer.core import Target
from livepeer.devnet import DevNet

from ._board import Board
from ._changes import Changes
from ._errors import CommandError
from ._serving import Serving
from ._targets import check_target
from ._terminal import ModelOutput, plain_console


def dev(
    targets: Sequence[str],
    *,
    reload: bool,
    gateway_port: int,
    orchestrator_port: int,
    dashboard_port: int,
    python: str | None,
    adapter: str | None,
) -> None:
    """Run a network and serve the targets on it, until SIGTERM or Ctrl-C.

    Args:
        targets: What to serve.
        reload: Whether to serve a target again when its sources change.
        gateway_port: The gateway's port; 0 for any.
        orchestrator_port: The orchestrator's port; 0 for any.
        dashboard_port: The dashboard's port; 0 for any.
        python: Interpreter of the models' own virtual environment.
        adapter: Entry-point name of the adapter.

    Raises:
        CommandError: If a target names nothing, a port is taken, or no target can be served.
    """
    found = [check_target(target, python=python) for target in targets]
    net = DevNet(gateway_port=gateway_port, orchestrator_port=orchestrator_port, dashboard_port=dashboard_port)
    console = plain_console()
    # On one screen both go through one console, or the lines of the models would tear the display.
    with ModelOutput(console if console.is_terminal and sys.stderr.isatty() else None):
        anyio.run(partial(_dev, net, found, console, reload=reload, python=python, adapter=adapter))


async def _dev(
    net: DevNet, targets: Sequence[Target], console: Console, *, reload: bool, python: str | None, adapter: str | None
) -> None:
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(net)
        except OSError as error:
            hint = "--gateway-port 0 --orchestrator-port 0 --dashboard-port 0 take free ones"
            raise CommandError(f"the network has no port: {error.strerror}; {hint}") from error
        changes = Changes()
        claimed: dict[str, Serving] = {}
        servings = [
            Serving(target, net, claimed=claimed, on_change=changes.ring, python=python, adapter=adapter)
            for target in targets
        ]
        board = Board(servings, changes, console, net=net, reload=reload)
        if await _interrupted(board, servings, reload=reload):
            return
    raise CommandError("no target could be served")


async def _interrupted(board: Board, servings: Sequence[Serving], *, reload: bool) -> bool:
    """Serve until a signal, or until there is nothing left to serve. Whether it was a signal."""
    interrupted = False

    async def wait_for_signal(scope: anyio.CancelScope) -> None:
        nonlocal interrupted
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for _ in signals:
                interrupted = True
                scope.cancel()
                return

    async with anyio.create_task_group() as serving_tasks:
        for serving in servings:
            serving_tasks.start_soon(partial(serving.run, reload=reload))
        async with anyio.create_task_group() as following:
            following.start_soon(wait_for_signal, following.cancel_scope)
            await board.follow()
            following.cancel_scope.cancel()
        board.say_stopping()
        for serving in servings:
            serving.stop()
    return interrupted
