"""Many callers at once: each gets its own answer."""

import anyio
import pytest
from edge_harness import eventually

from livepeer.client import Gateway
from livepeer.devnet import BlockingDevNet

from .network import load

pytestmark = pytest.mark.anyio

CALLS = 50
QUEUED = {"CAPACITY": str(CALLS), "LIVEPEER_QUEUE_SIZE": str(CALLS)}
"""Offers fifty places with four slots and two: the other calls wait in the edge's own queue."""

SERVES: dict[str, dict[str, str]] = {"Wide": {}, "Echo": QUEUED, "AsyncYield": QUEUED}


async def test_50_callers_each_of_two_capabilities_get_their_own_answers(net: BlockingDevNet, caller: Gateway) -> None:
    wide, queued = "wide", "echo"
    answers: dict[tuple[str, int], str] = {}

    async def call(name: str, number: int) -> None:
        answers[name, number] = await caller.run_async(name, {"text": f"{name} {number}"})

    async with anyio.create_task_group() as tasks:
        for number in range(CALLS):
            tasks.start_soon(call, wide, number)
            tasks.start_soon(call, queued, number)
    assert answers == {(wide, number): f"{wide} {number}".upper() for number in range(CALLS)} | {
        (queued, number): f"{queued} {number}" for number in range(CALLS)
    }
    await eventually(lambda: {load(net, name) for name in (wide, queued)} == {0})


async def test_streams_beside_each_other_do_not_mix(caller: Gateway) -> None:
    texts = [letter * 200 for letter in "abcdefghijklmnopqrst"]
    told: dict[str, str] = {}

    async def call(text: str) -> None:
        told[text] = "".join([event.json() async for event in caller.stream_async("async-yield", {"text": text})])

    async with anyio.create_task_group() as tasks:
        for text in texts:
            tasks.start_soon(call, text)
    assert told == {text: text for text in texts}
