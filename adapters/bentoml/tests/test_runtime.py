"""A service's life: its hooks in their order, its readiness, and what is left of it."""

import threading

import anyio
import pytest
from bento_alive import alive, call
from bento_runtime_services import LOG, Apis, FailsToStart, FailsToStop, Hooked, OverSlow, OverTended, Tended
from edge_harness import eventually

from livepeer.adapters.bentoml import _sdk
from livepeer.adapters.bentoml._runtime import Runtime
from livepeer.core import NotReadyError

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def log() -> None:
    LOG.clear()
    Tended.inner.alive = Tended.inner.ready = True


def threads_of_services() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("bentoml-")]


async def test_hooks_run_in_bentomls_order_and_dependencies_live_longer() -> None:
    async with alive(Hooked):
        assert list(LOG.lines) == [
            "deployed",
            "below deployed",
            "below made",
            "below started",
            "made over below",
            "started",
            "started async over below",
            "mounted started",
        ]
        LOG.clear()
    assert list(LOG.lines) == ["mounted stopped", "stopped over below", "stopped async", "below stopped"]
    assert not threads_of_services()


async def test_the_current_service_is_the_one_that_is_served() -> None:
    async with alive(Hooked) as runtime:
        assert await call(runtime, "me") is True
    with pytest.raises(_sdk.BentoMLException):
        _sdk.current_service()


async def test_a_service_can_be_stopped_by_another_task_than_started_it() -> None:
    runtime = Runtime(Hooked)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.start)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.stop)
    assert LOG.lines[-1] == "below stopped"


async def test_nothing_runs_before_the_start() -> None:
    runtime = Runtime(Hooked)
    assert list(runtime.apis) == ["me"]
    assert not LOG.lines
    await runtime.stop()


async def test_a_start_that_fails_leaves_nothing() -> None:
    runtime = Runtime(FailsToStart)
    with pytest.raises(RuntimeError, match="no weights"):
        await runtime.start()
    assert list(LOG.lines) == ["below deployed", "below made", "below started", "stopped", "below stopped"]
    assert not threads_of_services()
    assert FailsToStart.dependencies["below"]._resolved is None
    await runtime.stop()


async def test_a_shutdown_hook_that_fails_keeps_no_other_from_running(caplog: pytest.LogCaptureFixture) -> None:
    async with alive(FailsToStop):
        pass
    assert list(LOG.lines) == ["a", "c"]
    assert "a shutdown hook of FailsToStop failed" in caplog.text


@pytest.mark.parametrize("service", [Tended, OverTended])
async def test_the_start_waits_until_the_service_is_ready(service: object) -> None:
    Tended.inner.ready = False
    runtime = Runtime(service)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.start)
        await eventually(lambda: len(LOG.lines) >= 2)
        with pytest.raises(NotReadyError, match="Tended is not ready"):
            await runtime.check()
        Tended.inner.ready = True
    assert await runtime.check() is None
    await runtime.stop()


async def test_a_service_that_never_gets_ready_can_be_stopped() -> None:
    Tended.inner.ready = None
    runtime = Runtime(OverTended)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.start)
        await eventually(lambda: len(LOG.lines) >= 2)
        tasks.cancel_scope.cancel()
    await runtime.stop()
    assert not threads_of_services()


async def test_a_dependency_that_is_still_being_made_is_ended_too() -> None:
    runtime = Runtime(OverSlow)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.start)
        await eventually(lambda: list(LOG.lines) == ["slow begins"])
        tasks.cancel_scope.cancel()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(runtime.stop)
        await anyio.wait_all_tasks_blocked()
        LOG.gate("slow").set()
    assert list(LOG.lines) == ["slow begins", "slow stopped"]
    assert not threads_of_services()


@pytest.mark.parametrize("service", [Tended, OverTended])
async def test_a_dead_service_and_a_dead_dependency_are_told_of(service: object) -> None:
    async with alive(service) as runtime:
        Tended.inner.alive = False
        assert "Tended is dead" in (await runtime.check() or "")


async def test_a_readiness_that_raises_is_none() -> None:
    async with alive(Tended) as runtime:
        Tended.inner.ready = None
        with pytest.raises(NotReadyError, match="RuntimeError: cannot tell"):
            await runtime.check()


async def test_a_service_without_health_of_its_own_is_well() -> None:
    async with alive(Apis) as runtime:
        assert await runtime.check() is None
