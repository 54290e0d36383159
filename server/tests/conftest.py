"""Fixtures over `edge_harness`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from edge_harness import Marks, Serve, Served, make_worker, serve_with
from mount_harness import ServeMounts, serve_mounted

from livepeer.server import ServerOptions


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(params=["process", "inline"])
def worker_kind(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Marks:
    """Where models say what they did and wait for go."""
    monkeypatch.setenv("LIVEPEER_TEST_MARKS", str(tmp_path))
    return Marks(tmp_path)


@pytest.fixture
def serve(worker_kind: str) -> Serve:
    @asynccontextmanager
    async def start(
        name: str, *, options: ServerOptions | None = None, wait: bool = True, **extra: Any
    ) -> AsyncIterator[Served]:
        async with serve_with(make_worker(worker_kind, name, **extra), options=options, wait=wait) as served:
            yield served

    return start


@pytest.fixture
def serve_mounts(worker_kind: str, marks: Marks, tmp_path: Path) -> ServeMounts:
    """Serves a capability of `mounted` over either worker."""
    return partial(serve_mounted, worker_kind, folder=tmp_path)


@pytest.fixture
def serve_process(marks: Marks, tmp_path: Path) -> ServeMounts:
    """The same over a process alone, for what a thread of this one would not survive."""
    return partial(serve_mounted, "process", folder=tmp_path)
