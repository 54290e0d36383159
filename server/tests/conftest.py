"""Fixtures over `edge_harness`."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from edge_harness import Marks, Serve, Served, make_worker, serve_with

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
