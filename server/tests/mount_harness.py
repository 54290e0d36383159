"""Servers of mounted applications, over either worker."""

import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import anyio
import anyio.abc
import mounted
from edge_harness import Served, serve_with

from livepeer.server import InlineWorker, ProcessWorker, ServerOptions


class ServeMounts(Protocol):
    def __call__(
        self, name: str, *, options: ServerOptions | None = None, wait: bool = True, registrar: Any = None
    ) -> AbstractAsyncContextManager[Served]: ...


def make_mount_worker(kind: str, name: str, folder: Path) -> InlineWorker | ProcessWorker:
    """A worker for a capability of `mounted`, whose adapter is installed in a folder for the process to find."""
    if kind == "inline":
        return InlineWorker(getattr(mounted, name))
    info = folder / "mounted-1.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mounted\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[livepeer.adapters]\nmounted = mounted:MountedAdapter\n")
    here = Path(__file__).parent
    path = ":".join([str(folder), str(here), *sys.path])
    return ProcessWorker(f"{here / 'mounted.py'}:{name}", adapter="mounted", environment={"PYTHONPATH": path})


@asynccontextmanager
async def serve_mounted(
    kind: str, name: str, folder: Path, *, options: Any = None, wait: bool = True, registrar: Any = None
) -> AsyncIterator[Served]:
    worker = make_mount_worker(kind, name, folder)
    async with serve_with(worker, options=options, wait=wait, registrar=registrar) as served:
        yield served


@asynccontextmanager
async def connected(served: Served) -> AsyncIterator[anyio.abc.SocketStream]:
    host, port = served.url.removeprefix("http://").split(":")
    async with await anyio.connect_tcp(host, int(port)) as stream:
        yield stream


async def read_until(stream: anyio.abc.SocketStream, ending: bytes, seconds: float = 10) -> bytes:
    """What comes, up to an ending."""
    found = b""
    with anyio.fail_after(seconds):
        while not found.endswith(ending):
            found += await stream.receive()
    return found


async def read_to_end(stream: anyio.abc.SocketStream, seconds: float = 10) -> bytes:
    """What comes until the server closes."""
    found = b""
    with anyio.fail_after(seconds):
        try:
            while True:
                found += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return found
