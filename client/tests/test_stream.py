"""Streams, with the end that the network gives them."""

import asyncio
import gc
import json
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from starlette.responses import JSONResponse, Response, StreamingResponse

from livepeer.client import (
    AllOrchestratorsFailedError,
    DisconnectedError,
    Event,
    Gateway,
    InsufficientBalanceError,
    LivepeerError,
    ModelFailedError,
    ProtocolError,
    RefusedError,
    StreamCutError,
    TimedOutError,
)

HOPS = ["gateway_url", "orch_url"]
DONE = b"data: [DONE]\n\n"


def sse(*chunks: bytes) -> Any:
    async def answer(seen: Any) -> Response:
        return StreamingResponse(each(chunks), media_type="text/event-stream")

    return answer


async def each(chunks: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def node(server: Any, hop: str, answer: Any) -> dict[str, str]:
    url, _ = server.gateway(answer) if hop == "gateway_url" else server.orchestrator(answer)
    return {hop: url}


def raw(server: Any, *chunks: bytes) -> dict[str, str]:
    """A node that says exactly these bytes and then closes."""
    return {"orch_url": server.add(StreamingResponse(each(chunks), media_type="text/event-stream"))}


class Endless:
    """A node that never ends its stream, and notes when the caller has left."""

    def __init__(self, server: Any, first: bytes = b'data: "one"\n\n') -> None:
        self.left = threading.Event()
        self.settings = {"orch_url": server.add(self)}
        self._first = first

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def chunks() -> AsyncIterator[bytes]:
            try:
                yield self._first
                await anyio.sleep_forever()
            finally:
                self.left.set()

        await StreamingResponse(chunks(), media_type="text/event-stream")(scope, receive, send)

    async def see_the_caller_leave(self) -> None:
        assert await anyio.to_thread.run_sync(self.left.wait, 5)


async def failure(caller: Any, settings: dict[str, Any], **kwargs: Any) -> tuple[list[Event], LivepeerError]:
    events: list[Event] = []
    grace_seconds = kwargs.pop("grace_seconds", None)
    with pytest.raises(LivepeerError) as caught:
        await caller.stream(caller.gateway(**settings, grace_seconds=grace_seconds), "model", into=events, **kwargs)
    return events, caught.value


@pytest.mark.parametrize("hop", HOPS)
async def test_a_stream_gives_the_models_events_and_nothing_of_the_networks(server: Any, caller: Any, hop: str) -> None:
    answer = sse(b": ping\n\nevent: token\nid: 7\nretry: 250\ndata: {", b'"i": 0}\n\ndata: {"i": 1}\n\n', DONE)
    events = await caller.stream(caller.gateway(**node(server, hop, answer)), "model")
    assert events == [Event('{"i": 0}', "token", "7", 250), Event('{"i": 1}', "message", "7", None)]
    assert [event.json() for event in events] == [{"i": 0}, {"i": 1}]


@pytest.mark.parametrize("hop", HOPS)
async def test_a_balance_that_the_model_gives_itself_survives(server: Any, caller: Any, hop: str) -> None:
    own = b'data: {"balance": 5}\n\n'
    answer = sse(own, b"data: 1\n\n", own, own, DONE)
    events = await caller.stream(caller.gateway(**node(server, hop, answer)), "model")
    assert [event.json() for event in events] == [{"balance": 5}, 1, {"balance": 5}, {"balance": 5}]


@pytest.mark.parametrize("hop", HOPS)
async def test_a_stream_without_items_is_empty(server: Any, caller: Any, hop: str) -> None:
    assert await caller.stream(caller.gateway(**node(server, hop, sse(DONE))), "model") == []


@pytest.mark.parametrize("hop", HOPS)
async def test_a_long_item_in_lines_of_less_than_65536_bytes_is_one_value(server: Any, caller: Any, hop: str) -> None:
    value = {"text": "häß[DONE]" * 40_000}
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("[DONE]", "\\u005bDONE]")
    lines = [text[start : start + 60_000] for start in range(0, len(text), 60_000)]
    answer = sse("".join(f"data: {line}\n" for line in lines).encode() + b"\n", DONE)
    (event,) = await caller.stream(caller.gateway(**node(server, hop, answer)), "model")
    assert event.json() == value


async def test_bytes_that_drip_one_by_one_are_the_same_stream(server: Any, caller: Any) -> None:
    document = 'data: {"text": "日本語"}\r\n\r\n: ping\r\ndata: [DONE]\r\n'.encode()
    (event,) = await caller.stream(caller.gateway(**raw(server, *(bytes((byte,)) for byte in document))), "model")
    assert event.json() == {"text": "日本語"}


async def test_the_end_needs_neither_a_blank_line_nor_a_newline(server: Any, caller: Any) -> None:
    for end in (b"data: [DONE]", b"data: [DONE]\n", b"data:[DONE]\n", b"data: 2\ndata: [DONE]\n"):
        events = await caller.stream(caller.gateway(**raw(server, b"data: 1\n\n", end)), "model")
        assert events[0].data == "1"


@pytest.mark.parametrize("end", [b"data: [DONE]\n", b'data: {"balance": 0.000}\n\ndata: [DONE]\n'])
async def test_the_connection_is_closed_at_the_end_line(server: Any, caller: Any, end: bytes) -> None:
    endless = Endless(server, b"data: 1\n\n" + end)
    assert len(await caller.stream(caller.gateway(**endless.settings), "model")) == 1
    await endless.see_the_caller_leave()


async def test_funds_that_run_out_are_an_error_after_the_events_before(server: Any, caller: Any) -> None:
    end = b'event: insufficient balance\ndata: {"balance": 0}\n\ndata: [DONE]\n\n'
    events, error = await failure(caller, raw(server, b"data: 1\n\n", end))
    assert [event.data for event in events] == ["1"]
    assert isinstance(error, InsufficientBalanceError)


@pytest.mark.parametrize("hop", HOPS)
async def test_a_model_that_fails_midway_is_an_error_after_its_events(server: Any, caller: Any, hop: str) -> None:
    problem = {"title": "The model failed", "status": 500, "detail": "bad luck", "code": "model_failed"}
    end = f"event: error\ndata: {json.dumps({'error': problem})}\n\n".encode()
    events, error = await failure(caller, node(server, hop, sse(b"data: 1\n\n", end, DONE)))
    assert [event.data for event in events] == ["1"]
    assert isinstance(error, ModelFailedError)
    assert (error.status, error.code, error.problem) == (500, "model_failed", problem)
    assert str(error) == "The model failed: bad luck"
    assert error.orchestrator_url is not None


async def test_an_error_event_keeps_its_meaning(server: Any, caller: Any) -> None:
    late = b'event: error\ndata: {"error": {"status": 504, "code": "deadline_exceeded"}}\n\n'
    _, error = await failure(caller, raw(server, late))
    assert isinstance(error, TimedOutError)
    assert error.code == "deadline_exceeded"
    _, error = await failure(caller, raw(server, b"event: error\ndata: out of memory\n\n"))
    assert isinstance(error, ModelFailedError)
    assert str(error) == "out of memory"


async def test_a_stream_without_its_end_is_cut(server: Any, caller: Any) -> None:
    events, error = await failure(caller, raw(server, b'data: 1\n\ndata: {"balance": 5}\n\ndata: half'))
    assert [event.data for event in events] == ["1", '{"balance": 5}']
    assert isinstance(error, StreamCutError)
    assert isinstance(error, ProtocolError)


async def test_a_connection_that_breaks_midway_is_an_error_after_the_events_before(server: Any, caller: Any) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass  # what is left unread at the end resets the connection, and may take the events with it
        headers = [(b"content-type", b"text/event-stream"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"data: 1\n\n", "more_body": False})

    events, error = await failure(caller, {"orch_url": server.add(broken)})
    assert [event.data for event in events] == ["1"]
    assert isinstance(error, DisconnectedError)


async def test_a_stream_that_only_pings_ends_at_the_deadline(server: Any, caller: Any) -> None:
    async def pings() -> AsyncIterator[bytes]:
        while True:
            yield b": ping\n\n"
            await anyio.sleep(0.02)

    url = server.add(StreamingResponse(pings(), media_type="text/event-stream"))
    _, error = await failure(caller, {"orch_url": url}, timeout_seconds=1, grace_seconds=0)
    assert isinstance(error, TimedOutError)


async def test_an_event_over_the_limit_ends_the_stream(server: Any, caller: Any) -> None:
    settings = raw(server, b"data: 1\n\n", *([b"data: " + b"x" * 1000 + b"\n"] * 50))
    events: list[Event] = []
    with pytest.raises(ProtocolError, match="over 10000 bytes"):
        await caller.stream(caller.gateway(**settings, max_answer_bytes=10_000), "model", into=events)
    assert [event.data for event in events] == ["1"]


@pytest.mark.parametrize("hop", HOPS)
async def test_a_model_that_does_not_stream_gives_one_event(server: Any, caller: Any, hop: str) -> None:
    async def answer(seen: Any) -> Response:
        return JSONResponse({"answer": 42})

    (event,) = await caller.stream(caller.gateway(**node(server, hop, answer)), "model")
    assert event.json() == {"answer": 42}


async def test_a_binary_answer_is_no_stream(server: Any, caller: Any) -> None:
    async def answer(seen: Any) -> Response:
        return Response(b"\x89PNG\xff")

    _, error = await failure(caller, node(server, "gateway_url", answer))
    assert isinstance(error, ProtocolError)
    assert "run()" in str(error)


async def test_a_refusal_before_the_stream_is_the_same_error_as_elsewhere(server: Any, caller: Any) -> None:
    async def refuse(seen: Any) -> Response:
        return JSONResponse({"title": "Bad", "status": 422}, 422)

    async def fail(seen: Any) -> Response:
        return Response(status_code=500)

    _, error = await failure(caller, node(server, "gateway_url", refuse))
    assert isinstance(error, RefusedError)
    _, error = await failure(caller, node(server, "gateway_url", fail))
    assert isinstance(error, AllOrchestratorsFailedError)


async def test_leaving_the_with_closes_the_connection(server: Any, caller: Any) -> None:
    endless = Endless(server)
    event = await caller.first(caller.gateway(**endless.settings), "model")
    assert event.json() == "one"
    await endless.see_the_caller_leave()


def dropped(gateway: Gateway) -> None:
    for _ in gateway.stream("model"):
        break


def closed(gateway: Gateway) -> None:
    events = gateway.stream("model")
    next(events)
    events.close()
    events.close()
    assert list(events) == []


def failed(gateway: Gateway) -> None:
    with pytest.raises(KeyError), gateway.stream("model") as events:
        {}[next(events)]


@pytest.mark.parametrize("leave", [dropped, closed, failed])
async def test_leaving_a_blocking_stream_closes_the_connection(server: Any, leave: Callable[[Gateway], None]) -> None:
    endless = Endless(server)
    with Gateway(**endless.settings) as gateway:
        await anyio.to_thread.run_sync(leave, gateway)
        await endless.see_the_caller_leave()


async def dropped_async(gateway: Gateway) -> None:
    async for _ in gateway.stream_async("model"):
        break


async def closed_async(gateway: Gateway) -> None:
    events = gateway.stream_async("model")
    await anext(events)
    await events.aclose()
    await events.aclose()
    assert [event async for event in events] == []


async def failed_async(gateway: Gateway) -> None:
    with pytest.raises(KeyError):
        async with gateway.stream_async("model") as events:
            {}[await anext(events)]


async def cancelled_async(gateway: Gateway) -> None:
    async with anyio.create_task_group() as tasks:
        got_one = anyio.Event()

        async def take() -> None:
            async for _ in gateway.stream_async("model"):
                got_one.set()

        tasks.start_soon(take)
        await got_one.wait()
        tasks.cancel_scope.cancel()


async def cancelled_task_async(gateway: Gateway) -> None:
    got_one = asyncio.Event()

    async def take() -> None:
        async with gateway.stream_async("model") as events:
            async for _ in events:
                got_one.set()

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(take())
        await got_one.wait()
        task.cancel()


@pytest.mark.parametrize("leave", [dropped_async, closed_async, failed_async, cancelled_async, cancelled_task_async])
async def test_leaving_an_asynchronous_stream_closes_the_connection(server: Any, leave: Any) -> None:
    endless = Endless(server)
    tasks = asyncio.all_tasks()
    with anyio.fail_after(5):
        async with Gateway(**endless.settings) as gateway:
            await leave(gateway)
            gc.collect()
            await endless.see_the_caller_leave()
        while asyncio.all_tasks() != tasks:
            await anyio.lowlevel.checkpoint()


async def test_a_call_that_is_cancelled_while_it_waits_closes_the_connection(server: Any) -> None:
    left, arrived = threading.Event(), threading.Event()

    async def waits(scope: Any, receive: Any, send: Any) -> None:
        arrived.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        left.set()

    with anyio.fail_after(5):
        async with Gateway(orch_url=server.add(waits)) as gateway, anyio.create_task_group() as tasks:
            tasks.start_soon(gateway.run_async, "model")
            assert await anyio.to_thread.run_sync(arrived.wait, 5)
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(left.wait, 5)


async def test_a_stream_that_nobody_asks_sends_nothing(server: Any, caller: Any) -> None:
    url, (worker,) = server.gateway(sse(DONE))
    gateway = caller.gateway(gateway_url=url)
    with gateway.stream("model"):
        pass
    async with gateway.stream_async("model"):
        pass
    assert worker.seen == []


def test_a_gateway_outlives_its_event_loop(server: Any) -> None:
    url, _ = server.gateway(sse(b"data: 1\n\n", DONE))
    gateway = Gateway(gateway_url=url)
    assert asyncio.run(gateway.run_async("model")) == [1]
    assert asyncio.run(gateway.run_async("model")) == [1]
    gateway.close()
