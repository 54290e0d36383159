"""How a live stream goes on, on standard error: a line that moves on a terminal, else a line now and then."""

import time
from types import TracebackType
from typing import Self

import anyio

from livepeer.client import LiveStats, LiveStream

from ._terminal import plain_console

_TERMINAL_SECONDS = 0.25
_PLAIN_SECONDS = 5.0


class Progress:
    """Shows the figures of a stream while it is entered, and once more at its end.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: LiveStream) -> None:
        self._stream = stream
        self._console = plain_console(stderr=True)
        self._status = self._console.status("") if self._console.is_terminal else None
        self._began = time.monotonic()

    async def show(self) -> None:
        """Show the figures until this is cancelled."""
        while True:
            await anyio.sleep(_PLAIN_SECONDS if self._status is None else _TERMINAL_SECONDS)
            if self._status is None:
                self.tell(self._figures())
            else:
                self._status.update(self._figures())

    def tell(self, line: str) -> None:
        """Write a line, above the one that moves."""
        self._console.print(line, soft_wrap=True)

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
        self.tell(self._figures())

    def _figures(self) -> str:
        state = (self._stream.status or {}).get("state")
        return figures(self._stream.stats, time.monotonic() - self._began, state if isinstance(state, str) else "")


def figures(stats: LiveStats, seconds: float, state: str) -> str:
    """Say in one line what a stream has carried."""
    parts = [f"{seconds:.1f} s", state, f"{stats.fps_received:.1f} fps"]
    if stats.latency_seconds is not None:
        parts.append(f"latency {stats.latency_seconds * 1000:.0f} ms")
    parts += [f"sent {stats.frames_sent}", f"received {stats.frames_received}"]
    if stats.frames_dropped is not None:
        parts.append(f"dropped {stats.frames_dropped}")
    return "  ".join(part for part in parts if part)
