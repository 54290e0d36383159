"""A BentoML service behind a real server on a real port, and what its own clients see there."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
from edge_harness import Served, eventually, serve_with

from livepeer.server import InlineWorker, ProcessWorker, ServerOptions

MODELS = Path(__file__).parent / "models"


@asynccontextmanager
async def serving(
    name: str, *, kind: str = "inline", wait: bool = True, options: ServerOptions | None = None
) -> AsyncIterator[Served]:
    """Serve a service of `models/`, as ``file.py:Service``, until the block ends.

    Args:
        name: The service.
        kind: Where it runs: ``inline`` or ``process``.
        wait: Whether until it is ready.
        options: The server's.
    """
    worker: Any = (InlineWorker if kind == "inline" else ProcessWorker)(str(MODELS / name), adapter="bentoml")
    async with serve_with(worker, wait=False, options=options) as served:
        if wait:
            await _until_ready(served)
        yield served


async def _until_ready(served: Served) -> None:
    with anyio.fail_after(60):
        while (health := await served.health())["status"] != "IDLE":
            assert health["status"] == "LOADING", health["reason"]
            await anyio.sleep(0.01)


class Gate:
    """A file that a service waits for, beside which it says what it does."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __str__(self) -> str:
        return str(self.path)

    def say(self, word: str) -> None:
        Path(f"{self.path}.{word}").touch()

    def said(self, word: str) -> bool:
        return Path(f"{self.path}.{word}").exists()

    async def until(self, word: str) -> None:
        await eventually(lambda: self.said(word), f"{self.path}.{word}")

    def open(self) -> None:
        self.path.touch()
