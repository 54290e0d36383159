"""What goes wrong and comes right by itself."""

import os
import signal

import anyio
import pytest
from edge_harness import Marks, eventually

from livepeer.client import AllOrchestratorsFailedError, Gateway, ModelFailedError, NoOrchestratorError
from livepeer.devnet import BlockingDevNet, DevNet

from .conftest import PATIENT
from .network import Edge, Transport, calling, load, serving, target

pytestmark = pytest.mark.anyio

INTERVAL_SECONDS = 0.5
OFTEN = {"LIVEPEER_REGISTER_INTERVAL_SECONDS": str(INTERVAL_SECONDS)}

SERVES: dict[str, dict[str, str]] = {"Stubborn": OFTEN, "Dying": OFTEN, "DyingStream": {}}


async def test_a_restarted_orchestrator_has_the_capability_back_within_the_interval() -> None:
    async with (
        DevNet(timings=PATIENT) as net,
        serving(net, target("Echo"), **OFTEN),
        calling(net, "gateway") as gateway,
        calling(net, "orchestrator") as orchestrator,
    ):
        callers = (gateway, orchestrator)
        assert [await caller.run_async("echo", {"text": "before"}) for caller in callers] == ["before"] * 2
        await net.restart_orchestrator()
        assert not net.capabilities
        # A moment for the way, and half a second if the registration met the closed port.
        await net.wait_for("echo", timeout_seconds=INTERVAL_SECONDS + 1.5)
        assert [await caller.run_async("echo", {"text": "after"}) for caller in callers] == ["after"] * 2


@pytest.mark.parametrize("network", ["byoc", "live-runner"])
async def test_with_its_defaults_a_capability_is_back_within_15_seconds_of_a_restart(network: str) -> None:
    async with DevNet(timings=PATIENT) as net, serving(net, target("Echo"), LIVEPEER_NETWORK=network):
        await net.restart_orchestrator()
        if network == "byoc":
            await net.wait_for("echo", timeout_seconds=15)
        else:
            await net.wait_for_runner("capability/echo", timeout_seconds=15)


@pytest.mark.usefixtures("edges")
@pytest.mark.parametrize("way", ["gateway", "orchestrator"])
async def test_a_slot_leaked_by_a_caller_who_left_is_back_once_the_worker_is_idle(
    net: BlockingDevNet, way: Transport, marks: Marks, gate: str
) -> None:
    name = "stubborn"
    async with calling(net, way) as caller, anyio.create_task_group() as tasks:
        tasks.start_soon(caller.run_async, name, {"gate": gate})
        await marks.wait(gate, "entered")
        tasks.cancel_scope.cancel()
    await marks.wait(gate, "cancelled")
    # Registering now would wipe the count of the call that goes on: two intervals of the other worker tell.
    for _ in range(2):
        await until_registered_again(net, "dying")
    assert net.capabilities[name].load == 1
    async with calling(net, "gateway") as gateway:
        with pytest.raises(NoOrchestratorError):
            await gateway.run_async(name, {"gate": gate})
        marks.go(gate)
        await eventually(lambda: net.capabilities[name].load == 0, seconds=INTERVAL_SECONDS + 2)
        assert await gateway.run_async(name, {"gate": gate}) == "done"


async def until_registered_again(net: BlockingDevNet, name: str) -> None:
    """Wait for a registration of a capability that no call changes meanwhile."""
    before = net.capabilities[name]
    await eventually(lambda: net.capabilities[name] is not before, f"{name} is registered again")


async def test_a_host_that_segfaults_in_a_call_fails_it_and_the_next_one_works(
    net: BlockingDevNet, caller: Gateway, transport: Transport, edges: dict[str, Edge]
) -> None:
    edge = edges["dying"]
    first = await caller.run_async("dying", {"how": "live"})
    error = AllOrchestratorsFailedError if transport == "gateway" else ModelFailedError
    with pytest.raises(error) as raised, anyio.fail_after(5):
        await caller.run_async("dying", {"how": "segfault"})
    assert raised.value.code == ("all_orchestrators_failed" if transport == "gateway" else "host_crashed")
    assert raised.value.retryable
    await until_back(net, edge)
    assert await caller.run_async("dying", {"how": "live"}) != first
    assert load(net, "dying") == 0


async def until_back(net: BlockingDevNet, edge: Edge) -> None:
    """Wait until the model is loaded again, and a network that was told of its absence is told of its return."""
    await edge.until("IDLE")
    await eventually(lambda: all(runner.ready for runner in net.runners.values()))


async def test_a_host_that_dies_in_a_stream_fails_it_after_its_items(
    net: BlockingDevNet, caller: Gateway, edges: dict[str, Edge], marks: Marks, gate: str
) -> None:
    edge = edges["dying-stream"]
    events = caller.stream_async("dying-stream", {"gate": gate})
    first = (await anext(events)).json()
    marks.go(gate)
    with pytest.raises(ModelFailedError) as raised, anyio.fail_after(5):
        await anext(events)
    assert raised.value.code == "host_crashed"
    await until_back(net, edge)
    async with caller.stream_async("dying-stream", {"gate": f"{gate}-again"}) as events:
        assert (await anext(events)).json() != first
    await edge.until("IDLE")


async def test_a_host_killed_while_idle_is_replaced(net: BlockingDevNet, edges: dict[str, Edge]) -> None:
    edge = edges["dying"]
    async with calling(net, "gateway") as caller:
        pid = await caller.run_async("dying", {"how": "live"})
        os.kill(pid, signal.SIGKILL)
        await edge.until("LOADING")
        await edge.until("IDLE")
        assert await caller.run_async("dying", {"how": "live"}) != pid
