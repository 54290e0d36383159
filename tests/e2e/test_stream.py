"""An answer that comes piece by piece, over both transports."""

import base64
import json
from typing import Any

import anyio.to_thread
import httpx2
import pytest
from edge_harness import Marks, eventually

from livepeer.client import AllOrchestratorsFailedError, Event, Gateway, ModelFailedError
from livepeer.devnet import BlockingDevNet

from .network import Transport, calling, load

pytestmark = pytest.mark.anyio

SERVES: dict[str, dict[str, str]] = {
    f"{prefix}{model}": {} for prefix in ("", "Async") for model in ("Stepping", "Items", "Endless")
}

both = pytest.mark.parametrize("prefix", ["", "async-"], ids=["sync", "async"])

MEGABYTE = 1024 * 1024
MANY = list(range(5000))


async def items(caller: Gateway, name: str, input: Any) -> list[Any]:
    return [event.json() async for event in caller.stream_async(name, input)]


@both
async def test_each_item_comes_before_the_next_is_made(caller: Gateway, marks: Marks, gate: str, prefix: str) -> None:
    async with caller.stream_async(f"{prefix}stepping", {"gate": gate, "count": 3}) as events:
        for number in range(3):
            marks.go(f"{gate}-{number}")
            assert (await anext(events)).json() == number
        assert await anext(events, None) is None


async def test_each_item_reaches_a_blocking_caller_before_the_next_is_made(
    caller: Gateway, marks: Marks, gate: str
) -> None:
    name = "stepping"

    def call() -> None:
        with caller.stream(name, {"gate": gate, "count": 3}) as events:
            for number in range(3):
                marks.go(f"{gate}-{number}")
                assert next(events).json() == number
            assert next(events, None) is None

    await anyio.to_thread.run_sync(call)


@both
@pytest.mark.parametrize(
    "text",
    [
        "x" * MEGABYTE,
        "é" * MEGABYTE,
        "a" + "😀" * (MEGABYTE // 4),
        '\\"\n\r\u2028\0' * (MEGABYTE // 8),
        "[DONE]" * (MEGABYTE // 6),
    ],
    ids=["ascii", "two-bytes", "four-bytes", "escaped", "done"],
)
async def test_a_megabyte_item_comes_back_unchanged(caller: Gateway, prefix: str, text: str) -> None:
    given = ["before", text, "after"]
    assert await items(caller, f"{prefix}items", {"items": given}) == given


@both
async def test_an_item_that_looks_like_the_end_or_the_balance_comes_back_unchanged(
    caller: Gateway, prefix: str
) -> None:
    given = [
        "[DONE]",
        "data: [DONE]",
        "\n\ndata: [DONE]\n\n",
        {"[DONE]": ["[DONE]"]},
        {"balance": 0},
        {"balance": 0.0, "more": 1},
        "event: error",
        {"error": {"status": 500}},
        None,
        "",
        {"balance": 5},
    ]
    assert await items(caller, f"{prefix}items", {"items": given}) == given


@both
async def test_5000_small_items_come_in_order(caller: Gateway, prefix: str) -> None:
    assert await items(caller, f"{prefix}items", {"items": MANY}) == MANY


@pytest.mark.usefixtures("edges")
@pytest.mark.parametrize("way", ["gateway", "orchestrator"])
async def test_the_balance_event_is_on_the_wire_and_not_seen(way: Transport, net: BlockingDevNet) -> None:
    name = "items"
    url = net.gateway_url if way == "gateway" else net.orchestrator_url
    lines = await raw_lines(url, name, {"items": [0, 1]})
    assert [line.replace(" ", "")[:15] for line in lines] == ["data:0", "data:1", 'data:{"balance"', "data:[DONE]"]
    async with calling(net, way) as caller:
        seen = [event async for event in caller.stream_async(name, {"items": [0, 1]})]
    assert seen == [Event("0"), Event("1")]


async def raw_lines(url: str, name: str, input: Any) -> list[str]:
    """The lines of a stream that are not blank, as the wire has them, to its end."""
    job = {"request": "{}", "parameters": "{}", "capability": name, "timeout_seconds": 10, "sig": "0x" + "0" * 130}
    header = base64.b64encode(json.dumps(job).encode()).decode()
    lines: list[str] = []
    async with (
        httpx2.AsyncClient(trust_env=False) as http,
        http.stream("POST", f"{url}/process/request/predict", json=input, headers={"Livepeer": header}) as response,
    ):
        assert response.headers["content-type"] == "text/event-stream"
        async for line in response.aiter_lines():
            if line:
                lines.append(line)
            if line == "data: [DONE]":
                break
    return lines


@both
@pytest.mark.parametrize("fail_at", [1, 3])
async def test_an_error_comes_after_the_items_that_were_made_before_it(
    net: BlockingDevNet, caller: Gateway, prefix: str, fail_at: int
) -> None:
    name = f"{prefix}items"
    events = caller.stream_async(name, {"items": ["a", "b", "c"], "fail_at": fail_at})
    assert [(await anext(events)).json() for _ in range(fail_at)] == ["a", "b", "c"][:fail_at]
    with pytest.raises(ModelFailedError) as raised:
        await anext(events)
    assert raised.value.code == "model_failed"
    assert "no more" not in str(raised.value)
    assert "at the end" not in str(raised.value)
    assert raised.value.orchestrator_url in net.orchestrator_urls
    with pytest.raises(ModelFailedError):
        await caller.run_async(name, {"items": ["a", "b", "c"], "fail_at": fail_at})


@both
async def test_an_error_before_the_first_item_is_a_failed_call(
    caller: Gateway, transport: Transport, prefix: str
) -> None:
    error = AllOrchestratorsFailedError if transport == "gateway" else ModelFailedError
    with pytest.raises(error):
        await items(caller, f"{prefix}items", {"items": ["a"], "fail_at": 0})


@both
@pytest.mark.parametrize("size", [10, 100_000])
async def test_a_caller_who_leaves_an_endless_stream_closes_the_generator(
    caller: Gateway, marks: Marks, gate: str, prefix: str, size: int
) -> None:
    async with caller.stream_async(f"{prefix}endless", {"gate": gate, "size": size}) as events:
        async for event in events:
            assert event.json() == "x" * size
            break
    await marks.wait(gate, "closed")


@both
async def test_a_caller_who_leaves_a_silent_stream_closes_the_generator(
    caller: Gateway, marks: Marks, gate: str, prefix: str
) -> None:
    marks.go(f"{gate}-0")
    async with caller.stream_async(f"{prefix}stepping", {"gate": gate, "count": 2}) as events:
        assert (await anext(events)).json() == 0
        assert not marks.has(gate, "closed")
    await marks.wait(gate, "closed")


async def test_a_blocking_caller_who_leaves_closes_the_generator(caller: Gateway, marks: Marks, gate: str) -> None:
    name = "endless"

    def call() -> None:
        for event in caller.stream(name, {"gate": gate}):
            assert event.json() == "x" * 10
            break

    await anyio.to_thread.run_sync(call)
    await marks.wait(gate, "closed")


async def test_the_slot_of_a_stream_is_free_again_after_it(caller: Gateway, net: BlockingDevNet) -> None:
    name = "items"
    for _ in range(3):
        assert await items(caller, name, {"items": [0, 1]}) == [0, 1]
        await eventually(lambda: load(net, name) == 0)
