import functools
import inspect
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import anyio
import psutil
import pytest
from edge_harness import Marks
from playwright.async_api import Browser

from livepeer.client import Gateway
from livepeer.devnet import BlockingDevNet, Timings

from .browsing import launched
from .network import Edge, Transport, calling, serving, target

# A busy machine may answer a gateway's search later than the half second after which it gives an orchestrator up.
PATIENT = Timings(search_seconds=10, search_answer_seconds=10)


WAYS = [("byoc", "gateway"), ("byoc", "orchestrator"), ("live-runner", "live-runner")]
"""Each network, and how it is called."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what makes a call over every network; a module's edges are started once for each."""
    if "transport" in metafunc.fixturenames:
        metafunc.parametrize(
            ("network", "transport"), WAYS, indirect=True, scope="module", ids=[way for _, way in WAYS]
        )


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give every asynchronous test thirty seconds."""
    if not isinstance(item, pytest.Function) or not inspect.iscoroutinefunction(item.obj):
        return
    test = item.obj

    @functools.wraps(test)
    async def bounded(**fixtures: object) -> None:
        with anyio.fail_after(30):
            await test(**fixtures)

    item.obj = bounded


@pytest.fixture(scope="module")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(scope="module", autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    yield
    left = psutil.Process().children(recursive=True)
    assert not left, [process.cmdline() for process in left]


@pytest.fixture(scope="module")
def marks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Marks]:
    """Where models say what they did and wait for go."""
    folder = tmp_path_factory.mktemp("marks")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(os.environ, "LIVEPEER_TEST_MARKS", str(folder))
        yield Marks(folder)


@pytest.fixture
def gate(request: pytest.FixtureRequest) -> str:
    """The name under which this test's model leaves its marks."""
    return re.sub(r"\W+", "-", request.node.name)


@pytest.fixture(scope="module")
def net() -> Iterator[BlockingDevNet]:
    """A network on a thread of its own, with a dashboard, shared by a module's tests."""
    with BlockingDevNet(timings=PATIENT, dashboard_port=0) as running:
        yield running


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    """A browser, shared by a module's tests."""
    async with launched() as running:
        yield running


@pytest.fixture(scope="module")
def network(request: pytest.FixtureRequest) -> str:
    """Which network the module's edges are announced to; nothing else about them changes."""
    return getattr(request, "param", "byoc")


@pytest.fixture(scope="module")
async def edges(
    request: pytest.FixtureRequest, net: BlockingDevNet, network: str, marks: Marks
) -> AsyncIterator[dict[str, Edge]]:
    """The edges of the models in the module's `SERVES`, each with its settings, by capability."""
    found: dict[str, Edge] = {}

    async def serve(model: str, settings: dict[str, str]) -> None:
        edge = await stack.enter_async_context(serving(net, target(model), **{"LIVEPEER_NETWORK": network} | settings))
        found[edge.name] = edge

    async with AsyncExitStack() as stack:
        async with anyio.create_task_group() as tasks:
            for model, settings in request.module.SERVES.items():
                tasks.start_soon(serve, model, settings)
        yield found
        ended = [edge.log() for edge in found.values() if edge.process.poll() is not None]
        assert not ended, ended
        async with anyio.create_task_group() as tasks:
            for edge in found.values():
                tasks.start_soon(edge.end)


@pytest.fixture(scope="module")
def transport(request: pytest.FixtureRequest, network: str) -> Transport:
    """How the network is called."""
    del network
    return request.param


@pytest.fixture
async def caller(net: BlockingDevNet, transport: Transport, edges: dict[str, Edge]) -> AsyncIterator[Gateway]:
    """Calls what the module serves: through the gateway, straight at the orchestrator, or as a runner of it."""
    async with calling(net, transport) as gateway:
        yield gateway
