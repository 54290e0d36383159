"""Waiting for something to change."""

import anyio


class Changes:
    """Wakes whoever waits, each time something changed. For one event loop."""

    def __init__(self) -> None:
        self._next = anyio.Event()

    def ring(self) -> None:
        """Say that something changed."""
        self._next.set()
        self._next = anyio.Event()

    async def wait(self) -> None:
        """Wait for the next change."""
        await self._next.wait()
