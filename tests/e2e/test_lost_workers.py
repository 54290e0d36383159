"""Edges that are killed: the caller gets a typed error, and the orchestrator forgets the capability."""

import anyio
import pytest
from edge_harness import Marks

from livepeer.client import (
    AllOrchestratorsFailedError,
    ModelFailedError,
    NoOrchestratorError,
    TimedOutError,
)
from livepeer.devnet import BlockingDevNet

from .network import Transport, calling, serving, target

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("way", ["gateway", "orchestrator"])
async def test_a_killed_edge_costs_one_call_and_its_registration(net: BlockingDevNet, way: Transport) -> None:
    async with serving(net, target("Echo")) as edge, calling(net, way) as caller:
        assert await caller.run_async("echo", {"text": "alive"}) == "alive"
        await edge.kill()
        assert "echo" in net.capabilities
        error = AllOrchestratorsFailedError if way == "gateway" else ModelFailedError
        with pytest.raises(error), anyio.fail_after(5):
            await caller.run_async("echo", {"text": "dead"})
        assert "echo" not in net.capabilities
        async with calling(net, "gateway") as gateway:
            with pytest.raises(NoOrchestratorError):
                await gateway.run_async("echo", {"text": "gone"})


async def test_a_killed_edge_stays_listed_on_live_runner_until_its_heartbeats_are_missed(net: BlockingDevNet) -> None:
    async with (
        serving(net, target("Echo"), LIVEPEER_NETWORK="live-runner") as edge,
        calling(net, "live-runner") as caller,
    ):
        assert await caller.run_async("echo", {"text": "alive"}) == "alive"
        await edge.kill()
        with pytest.raises(ModelFailedError) as raised, anyio.fail_after(5):
            await caller.run_async("echo", {"text": "dead"})
        assert (raised.value.status, raised.value.retryable) == (502, True)
        assert [runner.label for runner in net.runners.values()] == ["echo"]


async def test_an_edge_killed_during_a_call_fails_it_at_once(net: BlockingDevNet, marks: Marks, gate: str) -> None:
    async with serving(net, target("HeldOne")) as edge, calling(net, "gateway") as caller:

        async def call() -> None:
            with pytest.raises(AllOrchestratorsFailedError):
                await caller.run_async("held-one", {"gate": gate, "looks": False})

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(call)
                await marks.wait(gate, "entered")
                await edge.kill()
        assert "held-one" not in net.capabilities


async def test_an_edge_killed_during_a_stream_ends_it_with_an_error_in_its_time(
    net: BlockingDevNet, marks: Marks, gate: str
) -> None:
    marks.go(f"{gate}-0")
    async with serving(net, target("AsyncStepping")) as edge, calling(net, "gateway", grace_seconds=0.5) as caller:
        events = caller.stream_async("async-stepping", {"gate": gate, "count": 2}, timeout_seconds=1)
        assert (await anext(events)).json() == 0
        await edge.kill()
        with pytest.raises(TimedOutError), anyio.fail_after(5):
            await anext(events)
