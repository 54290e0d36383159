"""A real server on a real port, over either worker: the server cannot tell them apart, and neither can its tests."""

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
import httpx2

from livepeer.server import InlineWorker, ProcessWorker, Server, ServerOptions, bind, listening

PIPELINES = Path(__file__).with_name("pipelines.py")


class Marks:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def go(self, name: str) -> None:
        (self.folder / f"{name}.go").touch()

    def has(self, name: str, what: str) -> bool:
        return (self.folder / f"{name}.{what}").exists()

    def count(self, name: str) -> int:
        try:
            return int((self.folder / f"{name}.count").read_text() or 0)
        except FileNotFoundError:
            return 0

    async def wait(self, name: str, what: str) -> None:
        await eventually(lambda: self.has(name, what), f"{name}.{what}")


async def eventually(condition: Callable[[], bool], what: str = "", seconds: float = 20) -> None:
    """Wait until something outside this process is so."""
    with anyio.move_on_after(seconds):
        while not condition():  # noqa: ASYNC110 - it happens in another process
            await anyio.sleep(0.005)
        return
    raise AssertionError(f"did not come true in {seconds} s: {what}")


class Served:
    def __init__(self, server: Server, url: str, client: httpx2.AsyncClient) -> None:
        self.server = server
        self.url = url
        self.client = client

    @property
    def worker(self) -> Any:
        return self.server.lifecycle.worker

    async def predict(self, **fields: Any) -> httpx2.Response:
        return await self.client.post("/predict", json=fields)

    async def health(self) -> dict[str, Any]:
        return (await self.client.get("/health")).json()

    async def until(self, status: str) -> dict[str, Any]:
        with anyio.fail_after(20):
            while True:
                health = await self.health()
                if health["status"] == status:
                    return health
                await anyio.sleep(0.01)


class Serve(Protocol):
    def __call__(self, name: str, *, options: ServerOptions | None = None, wait: bool = True, **extra: Any) -> Any: ...


def make_worker(kind: str, name: str, **extra: Any) -> InlineWorker | ProcessWorker:
    target = f"{PIPELINES}:{name}"
    if kind == "process":
        return ProcessWorker(target, **extra)
    if "LIVEPEER_TEST_MARKS" in os.environ:
        # The module was imported for an earlier test; in this process its folder must be set by hand.
        import sys

        loaded = sys.modules.get("pipelines")
        if loaded is not None:
            loaded.MARKS = Path(os.environ["LIVEPEER_TEST_MARKS"])
    return InlineWorker(target, **extra)


@asynccontextmanager
async def serve_with(
    worker: Any, *, options: ServerOptions | None = None, wait: bool = True, registrar: Any = None
) -> AsyncIterator[Served]:
    server = Server(worker, options=options, registrar=registrar)
    sock = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with (
        listening(server, sock),
        httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as client,
    ):
        served = Served(server, url, client)
        if wait:
            await served.until("IDLE")
        yield served
