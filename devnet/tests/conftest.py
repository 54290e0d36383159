import functools
import inspect
from collections.abc import AsyncIterator

import anyio
import pytest

from .kit import Network, Worker, running_network, running_worker
from .stream_kit import StreamNetwork, stream_network


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give every asynchronous test ten seconds."""
    if not isinstance(item, pytest.Function) or not inspect.iscoroutinefunction(item.obj):
        return
    test = item.obj

    @functools.wraps(test)
    async def bounded(**fixtures: object) -> None:
        with anyio.fail_after(10):
            await test(**fixtures)

    item.obj = bounded


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
async def worker() -> AsyncIterator[Worker]:
    async with running_worker() as running:
        yield running


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with running_network() as running:
        yield running


@pytest.fixture
async def streams() -> AsyncIterator[StreamNetwork]:
    async with stream_network() as running:
        yield running
