"""Streams: order, the network's line rules, backpressure, ends."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import httpx2
import pytest
from edge_harness import Marks, Serve, Served, eventually

from livepeer.server import ServerOptions

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def streamed(served: Served, **fields: object) -> AsyncIterator[httpx2.Response]:
    async with served.client.stream("POST", "/predict", json=fields) as answer:
        yield answer


async def whole(served: Served, **fields: object) -> bytes:
    return (await served.predict(**fields)).content


def data_of(body: bytes) -> list[object]:
    """What a reader of the contract makes of a stream: newlines inside JSON data are taken out again."""
    events = body.decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    found = []
    for event in events[:-2]:
        lines = [line.removeprefix("data: ") for line in event.split("\n") if line.startswith("data: ")]
        found.append(json.loads("".join(lines)))
    return found


@pytest.mark.parametrize("name", ["SyncYield", "AsyncYield"])
async def test_each_yielded_item_is_one_event_and_done_is_the_last(serve: Serve, name: str) -> None:
    async with serve(name) as served:
        answer = await served.predict(text="abc")
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.content == b'data: "a"\n\ndata: "b"\n\ndata: "c"\n\ndata: [DONE]\n\n'


@pytest.mark.parametrize("name", ["SyncYield", "AsyncYield"])
async def test_an_empty_stream_is_only_done(serve: Serve, name: str) -> None:
    async with serve(name) as served:
        assert await whole(served, text="") == b"data: [DONE]\n\n"


@pytest.mark.parametrize("name", ["Items", "AsyncItems"])
async def test_no_payload_breaks_a_line_or_ends_the_stream_early(serve: Serve, name: str) -> None:
    items: list[object] = ["x" * 1_000_000, "a [DONE] inside", {"[DONE]": ["é" * 70_000]}, "line\nbreak\r\n", None, 1.5]
    async with serve(name) as served:
        body = await whole(served, items=items)
        assert max(len(line) for line in body.split(b"\n")) < 65_536
        assert body.count(b"[DONE]") == 1
        assert all(line.decode() or True for line in body.split(b"\n"))
        assert data_of(body) == items


@pytest.mark.parametrize("name", ["Items", "AsyncItems"])
async def test_thousands_of_items_come_in_order(serve: Serve, name: str) -> None:
    async with serve(name) as served:
        items = list(range(20_000))
        assert data_of(await whole(served, items=items)) == items


@pytest.mark.parametrize("name", ["Items", "AsyncItems"])
@pytest.mark.parametrize("fail_at", [1, 3])
async def test_an_error_after_the_first_item_is_an_error_event_then_done(serve: Serve, name: str, fail_at: int) -> None:
    async with serve(name) as served:
        events = (await whole(served, items=[1, 2, 3], fail_at=fail_at)).decode().split("\n\n")
        assert events[:fail_at] == [f"data: {number}" for number in range(1, fail_at + 1)]
        kind, data = events[fail_at].split("\n")
        assert kind == "event: error"
        assert json.loads(data.removeprefix("data: "))["error"]["code"] == "model_failed"
        assert events[fail_at + 1 :] == ["data: [DONE]", ""]


@pytest.mark.parametrize("name", ["Items", "AsyncItems"])
async def test_an_error_before_the_first_item_is_an_ordinary_error(serve: Serve, name: str) -> None:
    async with serve(name) as served:
        answer = await served.predict(items=[1], fail_at=0)
        assert (answer.status_code, answer.json()["code"]) == (500, "model_failed")
        assert (await served.predict(items="no list")).status_code == 422


@pytest.mark.parametrize("name", ["BurstThenThink", "AsyncBurstThenThink"])
async def test_no_item_waits_for_the_next(serve: Serve, marks: Marks, name: str) -> None:
    async with serve(name) as served, streamed(served, gate="burst") as answer:
        seen = b""
        chunks = answer.aiter_raw()
        with anyio.fail_after(10):
            while b"data: 3\n\n" not in seen:
                seen += await anext(chunks)
        assert b"data: 4" not in seen
        marks.go("burst")
        with anyio.fail_after(10):
            async for chunk in chunks:
                seen += chunk
        assert data_of(seen) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["Endless", "AsyncEndless"])
async def test_a_generator_is_stepped_as_its_reader_reads_and_closed_when_that_leaves(
    serve: Serve, marks: Marks, name: str
) -> None:
    async with serve(name) as served:
        async with streamed(served, gate="endless", size=10_000) as answer:
            chunks = answer.aiter_raw()
            await anext(chunks)
            await eventually(lambda: marks.count("endless") > 10)
            made = -1
            while made != marks.count("endless"):
                made = marks.count("endless")
                await anyio.sleep(0.2)  # long enough for a producer that nothing holds back
            # What is on its way: the seam's window, and the socket's buffers.
            assert made * 10_000 < 16 * 1024 * 1024
        await marks.wait("endless", "closed")
        await served.until("IDLE")


async def test_a_reader_that_stops_reading_stalls_only_its_own_call(serve: Serve, marks: Marks) -> None:
    async with serve("Endless") as served, streamed(served, gate="stalled", size=50_000) as stalled:
        await anext(stalled.aiter_raw())
        with anyio.fail_after(20):
            async with streamed(served, gate="other", size=50_000) as other:
                taken = 0
                async for chunk in other.aiter_raw():
                    taken += len(chunk)
                    if taken > 20 * 1024 * 1024:
                        break
        started = time.monotonic()
        assert (await served.client.get("/health")).status_code == 200
        assert time.monotonic() - started < 1


async def test_a_silent_stream_gets_comments(serve: Serve, marks: Marks) -> None:
    async with serve("Quiet", options=ServerOptions(ping_seconds=0.05)) as served:
        async with streamed(served, gate="quiet") as answer:
            seen = b""
            with anyio.fail_after(10):
                async for chunk in answer.aiter_raw():
                    seen += chunk
                    if seen.count(b": ping\n\n") == 2:
                        marks.go("quiet")
        assert seen.replace(b": ping\n\n", b"") == b'data: "at last"\n\ndata: [DONE]\n\n'


async def test_progress_is_an_event_of_its_own_type(serve: Serve) -> None:
    async with serve("Progressing") as served:
        body = await whole(served)
        assert body.startswith(b'event: progress\ndata: {"progress":0.5,"message":"half"}\n\n')
        assert body.endswith(b"data: 1\n\ndata: [DONE]\n\n")
