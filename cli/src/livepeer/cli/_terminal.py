"""The screen: what models write, and how a load goes on."""

import logging
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status
from rich.text import Text

from ._asgi import REQUEST_ID

_HOST_ERROR = "ERROR livepeer.host: "
"""Begins a line in which a host says what the command says itself; the traceback below it is kept."""


class _LastingConsole(Console):
    """A console whose program goes on when nobody reads it any more, as behind `| head`."""

    def on_broken_pipe(self) -> None:
        self.quiet = True
        # What is still buffered goes nowhere; otherwise Python would stumble over it at the end.
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), self.file.fileno())


def plain_console(*, stderr: bool = False) -> Console:
    """A console that writes lines as they are: somebody else's text holds no markup of ours, and no emoji."""
    return _LastingConsole(stderr=stderr, highlight=False, emoji=False, markup=False)


class ModelOutput(logging.Handler):
    """Shows what the models of this process write, while it is entered.

    Args:
        console: Where; None for standard error.
    """

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self._console = console or plain_console(stderr=True)
        self._status: Status | None = None
        self._state = ""
        self._held: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Show a line; while the spinner turns, only as its last line."""
        line = record.getMessage().removeprefix(f"[{REQUEST_ID}] ")
        if line.startswith(_HOST_ERROR):
            return
        if self._status is None:
            self.show(line)
        else:
            self._held.append(line)
            self._update()

    def show(self, line: str) -> None:
        """Write a line, above whatever else moves on the terminal."""
        self._console.print(line, soft_wrap=True)

    @contextmanager
    def loading(self) -> Generator[None]:
        """Turn a spinner, if this is a terminal. The lines that it swallows are shown if the loading fails."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status("loading") as self._status:
            try:
                yield
            except BaseException:
                for line in self._held:
                    self.show(line)
                raise
            finally:
                self._status = None
                self._held.clear()

    def say(self, state: str) -> None:
        """Name the state that the spinner shows."""
        self._state = state
        self._update()

    def _update(self) -> None:
        if self._status is not None:
            last = self._held[-1] if self._held else ""
            width = max(10, self._console.width - len(self._state) - 6)
            self._status.update(Text.assemble(self._state, "  ", (last[:width], "dim")))

    def __enter__(self) -> Self:
        logger = logging.getLogger("livepeer.model")
        logger.setLevel(logging.INFO)
        logger.addHandler(self)
        # What the server and its host log, the commands say themselves, in one line.
        logging.getLogger("livepeer").addHandler(logging.NullHandler())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        logging.getLogger("livepeer.model").removeHandler(self)
