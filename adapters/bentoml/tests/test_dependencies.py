"""Services that depend on each other, in one process: every kind of call, both ways, and nothing lost or stuck."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from bento_alive import alive, call, items_of, request
from bento_dependency_services import LOG, Base, Confused, Deployed, Far, OwnError, Top, Voice
from edge_harness import eventually
from pydantic import ValidationError

from livepeer.adapters.bentoml import _sdk
from livepeer.adapters.bentoml._runtime import Runtime
from livepeer.core import NotReadyError, TargetError

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def log() -> None:
    LOG.clear()
    Base.inner.made = 0


async def heard(line: str) -> None:
    await eventually(lambda: line in LOG.lines, line)


async def test_a_service_that_two_depend_on_is_there_once() -> None:
    async with alive(Top) as runtime:
        await call(runtime, "from_sync", x=1)
        assert Base.inner.made == 1


async def test_a_dependency_runs_on_threads_of_its_own() -> None:
    async with alive(Top) as runtime:
        mine, its = await call(runtime, "threads")
        assert {"bentoml-Base", "bentoml-Left"} <= {thread.name for thread in threading.enumerate()}
        assert mine == its == "AnyIO worker thread"


async def test_apis_are_called_from_sync_code_from_async_code_and_from_a_loop_that_blocks() -> None:
    async with alive(Top) as runtime:
        assert await call(runtime, "from_sync", x=2) == [4, 6, 4]
        assert await call(runtime, "from_async", x=2) == [4, 6]
        assert await call(runtime, "from_loop", x=2) == [4, 6, 4, 0, 1]


async def test_many_calls_at_once_get_each_their_own() -> None:
    async with alive(Top) as runtime:
        calls = [call(runtime, name, x=x) for x in range(40) for name in ("from_sync", "from_async")]
        found = await asyncio.gather(*calls)
        assert found == [value for x in range(40) for value in ([2 * x, 3 * x, 2 * x], [2 * x, 3 * x])]


@pytest.mark.parametrize("name", ["counts", "counts_async"])
async def test_a_stream_out_of_a_dependency_loses_nothing(name: str) -> None:
    async with alive(Top) as runtime:
        assert await items_of(runtime, name, count=200) == [*range(200), *range(200)]
        assert list(LOG.lines) == ["count closed", "count_async closed"]


@pytest.mark.parametrize("name", ["counts", "counts_async"])
@pytest.mark.parametrize(("taken", "line"), [(1, "count closed"), (6, "count_async closed")])
async def test_a_dependencys_stream_is_closed_when_the_consumer_leaves(name: str, taken: int, line: str) -> None:
    async with alive(Top) as runtime:
        with runtime.in_request(request()):
            items: Any = runtime.run(name, (), {"count": 5})
            for _ in range(taken):
                await anext(items)
            await items.aclose()
        await heard(line)


async def test_a_dependencys_errors_come_as_they_are() -> None:
    async with alive(Top) as runtime:
        with pytest.raises(OwnError, match="the dependency's own"):
            await call(runtime, "fails", how="fails")
        with pytest.raises(_sdk.BentoMLException, match="no such voice"):
            await call(runtime, "fails", how="fails_sync")
        with pytest.raises(OwnError, match="between two items"):
            await call(runtime, "breaks_off")
        with pytest.raises(ValidationError):
            await call(runtime, "wrong")


async def test_a_dependency_that_exits_ends_the_call_alone() -> None:
    async with alive(Top) as runtime:
        with pytest.raises(SystemExit, match="enough"):
            await call(runtime, "fails", how="exits")
        assert await call(runtime, "from_async", x=2) == [4, 6]


@pytest.mark.parametrize("name", ["awaits", "blocks"])
async def test_a_caller_that_leaves_takes_its_dependencys_work_along(name: str) -> None:
    async with alive(Top) as runtime:
        task = asyncio.create_task(call(runtime, name))
        await heard("waits")
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert LOG.lines[1] == "let go"
        if name == "blocks":
            assert LOG.lines[2] == "unblocked"


async def test_arguments_are_checked_and_values_come_without_a_copy_on_the_wire() -> None:
    async with alive(Top) as runtime:
        assert await call(runtime, "says", name="x") == Voice(name="x a b", pitch=2.0)
        assert await call(runtime, "sums") == 4.0


async def test_a_file_goes_through_and_a_dependencys_context_is_its_own() -> None:
    async with alive(Top) as runtime:
        asked = request("/reads", b'{"text": "ab"}')
        with runtime.in_request(asked):
            answer: Any = await runtime.answer("reads", asked)
            assert answer.status_code == 200
            assert answer.path.read_text() == "abab"
        assert not answer.path.exists()
        await heard("read")


async def test_a_dependency_says_that_it_is_ready() -> None:
    async with alive(Top) as runtime:
        assert await call(runtime, "asks") == [True, True]


async def test_tasks_of_a_dependency_are_refused() -> None:
    async with alive(Top) as runtime:
        with pytest.raises(_sdk.BentoMLException, match="call the api"):
            await call(runtime, "submits")


async def test_a_dependency_that_has_stopped_takes_no_more_calls() -> None:
    async with alive(Top) as runtime:
        proxy = runtime.factory.instance.base
    with pytest.raises(_sdk.ServiceUnavailable, match="Base has stopped"):
        await proxy.triple(x=1)
    with pytest.raises(_sdk.ServiceUnavailable, match="Base has stopped"):
        list(proxy.count(count=1))


async def test_a_dependency_that_stops_ends_what_it_does() -> None:
    async with alive(Top) as runtime:
        task = asyncio.create_task(runtime.factory.instance.base.waits())
        await heard("waits")
    with pytest.raises(asyncio.CancelledError):
        await task
    assert LOG.lines[-1] == "let go"


def test_a_deployment_is_refused_by_name() -> None:
    with pytest.raises(TargetError, match=r"Deployed.there depends on the deployment 'voices'"):
        Runtime(Deployed)


def test_two_dependencies_of_one_name_are_refused() -> None:
    with pytest.raises(TargetError, match="Dependency conflict: Base"):
        Runtime(Confused)


@asynccontextmanager
async def elsewhere(service: Any) -> AsyncIterator[tuple[Runtime, str]]:
    """A service with BentoML's own HTTP, on a port."""
    async with alive(service) as runtime:
        server = uvicorn.Server(uvicorn.Config(runtime.app, port=0, lifespan="off", log_config=None))
        serving = asyncio.create_task(server.serve())
        await eventually(lambda: server.started)
        try:
            yield runtime, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


async def test_a_dependency_on_the_network_is_called_and_asked_whether_it_is_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with elsewhere(Base) as (_, url):
        for dependency in Far.dependencies.values():
            monkeypatch.setattr(dependency, "url", url)
        runtime = Runtime(Far)
        await runtime.start()
        assert await call(runtime, "from_sync", x=2) == 4
        assert await call(runtime, "from_async", x=2) == [6, 4]
        assert await runtime.check() is None
    with pytest.raises(NotReadyError, match="Far is not ready"):
        await runtime.check()
    await runtime.stop()
    assert all(dependency._resolved is None for dependency in Far.dependencies.values())
