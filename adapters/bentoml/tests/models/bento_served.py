"""What a whole server is asked."""

import asyncio
import time
from pathlib import Path

import bentoml

from livepeer.core import current_call


def say(gate: str, word: str) -> None:
    Path(f"{gate}.{word}").touch()


async def until_open(gate: str) -> None:
    path = Path(gate)
    while not path.exists():  # noqa: ASYNC110, ASYNC240 - it is a file
        await asyncio.sleep(0.002)


@bentoml.service(threads=1)
class Kept:
    def __init__(self) -> None:
        self.gates: set[str] = set()

    @bentoml.api
    async def note(self, gate: str) -> str:
        self.gates.add(gate)
        print("noted")
        return "noted"

    @bentoml.task
    async def later(self, gate: str) -> str:
        self.gates.add(gate)
        say(gate, "began")
        try:
            await until_open(gate)
        except asyncio.CancelledError:
            say(gate, "cancelled")
            raise
        say(gate, "ended")
        return "done"

    @bentoml.api
    def looking(self, gate: str) -> str:
        """Sync code that looks whether anybody waits for it."""
        call = current_call()
        assert call is not None
        say(gate, "began")
        while not call.cancelled:
            time.sleep(0.002)
        say(gate, "cancelled")
        return "nobody's"

    @bentoml.api
    async def waiting(self, gate: str) -> str:
        say(gate, "began")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            say(gate, "cancelled")
            raise
        return "never"

    @bentoml.on_shutdown
    def close(self) -> None:
        for gate in self.gates:
            say(gate, "closed")
