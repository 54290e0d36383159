"""What `livepeer dev` shows: where each target stands, and how to call it once it is there."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from livepeer.core import OperationDescription
from livepeer.devnet import DevNet

from ._changes import Changes
from ._howto import call_command, curl_command, live_command
from ._serving import Serving, ServingState


class Board:
    """Follows the targets of one network.

    Args:
        servings: The targets.
        changes: Rings when one of them changes.
        console: Where to show it.
        net: Where they are registered.
        reload: Whether a target that failed may yet come back.
    """

    def __init__(
        self, servings: Sequence[Serving], changes: Changes, console: Console, *, net: DevNet, reload: bool
    ) -> None:
        self._servings = servings
        self._changes = changes
        self._console = console
        self._net = net
        self._reload = reload
        self._shown: dict[Serving, tuple[ServingState, str | None]] = {}
        self._explained: dict[Serving, tuple[str | None, OperationDescription | None]] = {}
        self._spinner = Spinner("dots")
        self._display_is_on = False

    async def follow(self) -> None:
        """Show each change; returns only when every target failed and none can come back."""
        self._print(f"dashboard     {self._net.dashboard_url}")
        self._print(f"gateway       {self._net.gateway_url}")
        self._print(f"orchestrator  {self._net.orchestrator_url}")
        with self._display() as display:
            self._display_is_on = display is not None
            self._report()
            while any(serving.state is ServingState.LOADING for serving in self._servings):
                await self._changes.wait()
                self._report()
        self._display_is_on = False
        if not self._hopeless():
            self._print("Ctrl-C ends it all." if not self._reload else "Waiting for changes. Ctrl-C ends it all.")
        while not self._hopeless():
            await self._changes.wait()
            self._report()

    def say_stopping(self) -> None:
        """Say that the end has begun, which may take a moment."""
        self._print("stopping")

    def _hopeless(self) -> bool:
        failed = [serving.state is ServingState.FAILED for serving in self._servings]
        return bool(failed) and all(failed) and not self._reload

    def _report(self) -> None:
        for serving in self._servings:
            standing = serving.state, serving.reason
            if self._shown.get(serving) == standing:
                continue
            self._shown[serving] = standing
            offer = serving.name, serving.operation
            if serving.state is ServingState.REGISTERED and self._explained.get(serving) != offer:
                self._explained[serving] = offer
                self._explain(serving)
            elif standing != (ServingState.LOADING, None) or not self._display_is_on:
                self._print(f"{serving.target.text}: {_words(serving)}")

    def _explain(self, serving: Serving) -> None:
        name, operation = serving.name, serving.operation
        assert name is not None
        gateway_url = self._net.gateway_url
        self._print(f"{serving.target.text}: registered as {name}")
        self._print(f"  worker  {serving.url} (documentation at {serving.url}/docs)")
        if operation is None:
            self._print(f"  live    {live_command(name, gateway_url=gateway_url)}")
            return
        self._print(f"  call    {call_command(name, operation, gateway_url=gateway_url)}")
        self._print(f"  curl    {curl_command(name, operation, gateway_url=gateway_url)}")

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True)

    def _display(self) -> AbstractContextManager[Any]:
        if not self._console.is_terminal:
            return nullcontext()
        return Live(console=self._console, get_renderable=self._loading, transient=True, refresh_per_second=8)

    def _loading(self) -> Table:
        table = Table.grid(padding=(0, 1))
        for serving in self._servings:
            if serving.state is ServingState.LOADING:
                table.add_row(self._spinner, Text(serving.target.text), Text(_words(serving), style="dim"))
        return table


def _words(serving: Serving) -> str:
    match serving.state:
        case ServingState.LOADING if serving.reason:
            return f"{serving.reason}; it is started again"
        case ServingState.LOADING:
            return "loading"
        case ServingState.REGISTERED:
            return f"registered as {serving.name}"
        case ServingState.FAILED:
            return f"failed: {serving.reason}"
