"""Calls that meet in a batch: of an entry api, and of a dependency's."""

import asyncio
from typing import Any

import pytest
from bento_alive import alive, call, request
from bento_batching_services import LOG, Batches, OverBatches
from edge_harness import eventually

from livepeer.adapters.bentoml import _sdk

pytestmark = pytest.mark.anyio

CALLERS = 16
ROUNDS = 20


@pytest.fixture(autouse=True)
def log() -> None:
    LOG.clear()


@pytest.mark.parametrize(
    ("service", "name", "wraps"),
    [
        (Batches, "sync", True),
        (Batches, "awaited", True),
        (OverBatches, "from_sync", False),
        (OverBatches, "from_async", False),
    ],
)
async def test_callers_meet_in_large_batches(service: Any, name: str, wraps: bool) -> None:
    async with alive(service) as runtime:

        async def caller(number: int) -> None:
            for turn in range(ROUNDS):
                x = number * ROUNDS + turn
                found = await call(runtime, name, [x] if wraps else x)
                assert found == ([x + 1] if wraps else x + 1)

        await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    assert sum(LOG.lines) == CALLERS * ROUNDS
    assert max(LOG.lines) <= 16
    # BentoML takes the first few batches one by one, to learn.
    assert sum(LOG.lines) / len(LOG.lines) > 5


async def test_a_list_that_is_too_long_comes_in_parts_and_goes_out_whole() -> None:
    async with alive(Batches) as runtime:
        assert await call(runtime, "sync", list(range(40))) == list(range(1, 41))
    assert max(LOG.lines) == 16


async def test_everybody_in_a_batch_gets_its_error() -> None:
    async with alive(Batches) as runtime:
        found = await asyncio.gather(*(call(runtime, "fails", [x]) for x in range(4)), return_exceptions=True)
    assert [str(error) for error in found] == ["the model's own"] * 4


async def test_a_batch_that_exits_ends_its_calls_alone() -> None:
    async with alive(Batches) as runtime:
        with pytest.raises(RuntimeError, match="a batch raised SystemExit: enough"):
            await call(runtime, "exits", [1])
        assert await call(runtime, "sync", [1]) == [2]


async def test_a_caller_that_leaves_harms_no_other_and_is_left_out() -> None:
    async with alive(Batches) as runtime:
        LOG.gate("held").set()
        first = asyncio.create_task(call(runtime, "sync", [1]))
        await eventually(lambda: len(LOG.lines) == 1)
        leaves, stays = (asyncio.create_task(call(runtime, "sync", [x])) for x in (2, 3))
        await asyncio.sleep(0)
        first.cancel()
        leaves.cancel()
        await asyncio.wait([first, leaves])
        assert first.cancelled()
        assert leaves.cancelled()
        LOG.gate("go").set()
        assert await stays == [4]
    assert list(LOG.lines) == [1, 1]


async def test_a_stop_waits_for_the_batch_that_runs() -> None:
    async with alive(Batches) as runtime:
        LOG.gate("held").set()
        task = asyncio.create_task(call(runtime, "sync", [1]))
        await eventually(lambda: len(LOG.lines) == 1)
        waiting = asyncio.create_task(call(runtime, "sync", [2]))
        await asyncio.sleep(0)
        asyncio.get_running_loop().call_soon(LOG.gate("go").set)
    assert await task == [2]
    with pytest.raises(_sdk.ServiceUnavailable):
        await waiting


async def test_a_batch_has_the_request_of_one_of_its_callers() -> None:
    async with alive(Batches) as runtime:
        for path in ("/first", "/second"):
            with runtime.in_request(request(path)):
                running: Any = runtime.run("with_context", (), {"xs": ["x"]})
                assert await running == [f"x {path}"]


async def test_a_service_that_calls_its_own_batches_meets_others_and_itself_alone_on_its_loop() -> None:
    async with alive(Batches) as runtime:
        assert await asyncio.gather(*(call(runtime, "one", x) for x in range(20))) == list(range(1, 21))
        assert await call(runtime, "from_loop", 1) == 2
