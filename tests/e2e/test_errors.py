"""Calls that end badly: each with an error of its own kind, and nothing is stuck after it."""

from typing import Any

import anyio
import pytest
from edge_harness import Marks, eventually

from livepeer.client import (
    AllOrchestratorsFailedError,
    BusyError,
    FieldError,
    Gateway,
    ModelFailedError,
    NoOrchestratorError,
    RefusedError,
    TimedOutError,
)
from livepeer.devnet import BlockingDevNet

from .network import Transport, calling, load

pytestmark = pytest.mark.anyio

SOON = {"LIVEPEER_REGISTER_INTERVAL_SECONDS": "0.2"}
"""A timed-out job never gives its slot back: only registering again does."""

SERVES: dict[str, dict[str, str]] = {
    "Rich": {},
    "Failing": {},
    "HeldOne": {},
    "AsyncStepping": {},
    "Held": SOON,
    "AsyncHeld": SOON,
}


@pytest.mark.parametrize(
    ("input", "fields"),
    [
        ({"prompt": "ab", "size": {"width": 0}}, ["size.width"]),
        ({"prompt": "a", "size": {"width": "wide"}, "colour": "green"}, ["prompt", "size.width", "colour"]),
        ({"size": {"width": 1}}, ["prompt"]),
        ({"prompt": "ab", "size": {"width": 1}, "unknown": 1}, ["unknown"]),
        (["no", "object"], [""]),
    ],
    ids=["bound", "three", "missing", "unknown", "list"],
)
async def test_an_input_that_does_not_fit_is_refused_with_its_fields(
    caller: Gateway, input: Any, fields: list[str]
) -> None:
    with pytest.raises(RefusedError) as raised:
        await caller.run_async("rich-model", input)
    assert [field.field for field in raised.value.fields] == fields
    assert all(isinstance(field, FieldError) and field.reason for field in raised.value.fields)
    assert (raised.value.status, raised.value.code, raised.value.retryable) == (422, "invalid_input", False)


async def test_a_refused_stream_names_its_fields_too(caller: Gateway) -> None:
    with pytest.raises(RefusedError) as raised:
        await anext(caller.stream_async("async-stepping", {"gate": "", "count": "many"}))
    assert [field.field for field in raised.value.fields] == ["count"]


async def test_a_binary_body_for_a_model_that_takes_json_is_refused(caller: Gateway) -> None:
    with pytest.raises(RefusedError) as raised:
        await caller.run_async("rich-model", b"\0\1")
    assert raised.value.status == 415


@pytest.mark.parametrize("how", ["exception", "exit", "interrupt", "not-json"])
async def test_a_failing_model_is_a_typed_error_that_tells_no_secret(
    caller: Gateway, transport: Transport, how: str
) -> None:
    name = "failing"
    with pytest.raises(AllOrchestratorsFailedError if transport == "gateway" else ModelFailedError) as raised:
        await caller.run_async(name, {"how": how})
    assert "secret" not in str(raised.value)
    if isinstance(raised.value, ModelFailedError):
        assert (raised.value.status, raised.value.code, raised.value.retryable) == (500, "model_failed", False)
    assert await caller.run_async(name, {"how": "well"}) == "fine"


@pytest.mark.usefixtures("edges")
async def test_a_full_worker_is_busy_and_a_gateway_finds_none(net: BlockingDevNet, marks: Marks, gate: str) -> None:
    name = "held-one"
    answers: list[str] = []
    async with calling(net, "gateway") as gateway, calling(net, "orchestrator") as orchestrator:

        async def hold() -> None:
            answers.append(await gateway.run_async(name, {"gate": gate, "looks": True}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(hold)
            await marks.wait(gate, "entered")
            with pytest.raises(NoOrchestratorError) as none:
                await gateway.run_async(name, {"gate": gate, "looks": True})
            with pytest.raises(BusyError) as busy:
                await orchestrator.run_async(name, {"gate": gate, "looks": True})
            marks.go(gate)
        assert answers == ["done"]
        assert (busy.value.status, busy.value.code, busy.value.retry_after_seconds) == (503, "busy", 1)
        assert busy.value.retryable
        assert none.value.retryable
        await eventually(lambda: load(net, name) == 0)
        for caller in (gateway, orchestrator):
            assert await caller.run_async(name, {"gate": gate, "looks": True}) == "done"


async def test_an_unknown_capability_is_named_in_the_error(caller: Gateway, transport: Transport) -> None:
    with pytest.raises(NoOrchestratorError if transport == "gateway" else BusyError) as raised:
        await caller.run_async("nobody-serves-this", {})
    assert "capability" in str(raised.value)


async def test_an_unknown_route_is_refused(caller: Gateway) -> None:
    with pytest.raises(RefusedError) as raised:
        await caller.run_async("failing", {"how": "well"}, route="no/such/route")
    assert raised.value.status == 404


@pytest.mark.parametrize("name", ["held", "async-held"])
async def test_a_call_that_is_too_slow_times_out_and_its_model_is_cancelled(
    net: BlockingDevNet, caller: Gateway, marks: Marks, gate: str, name: str
) -> None:
    with pytest.raises(TimedOutError), anyio.fail_after(5):
        await caller.run_async(name, {"gate": gate, "looks": True}, timeout_seconds=1)
    await marks.wait(gate, "cancelled")
    marks.go(gate)
    await eventually(lambda: load(net, name) == 0, "registered again")
    assert await caller.run_async(name, {"gate": gate, "looks": True}, timeout_seconds=1) == "done"


@pytest.mark.usefixtures("edges")
async def test_a_stream_that_is_too_slow_times_out_after_its_items(
    net: BlockingDevNet, transport: Transport, marks: Marks, gate: str
) -> None:
    name = "async-stepping"
    marks.go(f"{gate}-0")
    async with calling(net, transport, grace_seconds=0.5) as caller:
        events = caller.stream_async(name, {"gate": gate, "count": 2}, timeout_seconds=1)
        assert (await anext(events)).json() == 0
        with pytest.raises(TimedOutError), anyio.fail_after(5):
            await anext(events)
        await marks.wait(gate, "closed")


async def test_a_caller_who_leaves_cancels_the_model(
    net: BlockingDevNet, caller: Gateway, marks: Marks, gate: str
) -> None:
    name = "held"
    await eventually(lambda: load(net, name) == 0)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(caller.run_async, name, {"gate": gate, "looks": True})
        await marks.wait(gate, "entered")
        tasks.cancel_scope.cancel()
    await marks.wait(gate, "cancelled")
