"""Persistent runners: a session is reserved, serves one call or many, and is stopped whatever happens."""

import asyncio
import threading
from typing import Any

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from livepeer.client import (
    BusyError,
    Gateway,
    LivepeerError,
    ModelFailedError,
    NoOrchestratorError,
    ProtocolError,
    RefusedError,
    SettingsError,
    TimedOutError,
)


async def echo(request: Request) -> Response:
    return JSONResponse(await request.json())


async def counted(request: Request) -> Response:
    async def each() -> Any:
        for chunk in (b"data: 1\n\n", b"data: 2\n\n", b"data: [DONE]\n\n"):
            yield chunk

    return StreamingResponse(each(), media_type="text/event-stream")


async def endless(request: Request) -> Response:
    async def each() -> Any:
        yield b"data: 1\n\n"
        await anyio.sleep_forever()

    return StreamingResponse(each(), media_type="text/event-stream")


async def silent(request: Request) -> Response:
    await anyio.sleep_forever()
    raise AssertionError


def persistent(server: Any, answer: Any, **entry: Any) -> Any:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answer, mode="persistent", **entry)
    return orchestrator


async def test_one_call_reserves_a_session_and_stops_it(server: Any, caller: Any) -> None:
    orchestrator = persistent(server, echo)
    assert await caller.run(caller.gateway(orch_url=orchestrator.url), "model", {"n": 1}) == {"n": 1}
    assert orchestrator.whats == [
        "POST /apps/runner-0/session",
        "POST /apps/runner-0/session/session-0/app/predict",
        "POST /apps/runner-0/session/session-0/stop",
    ]
    assert orchestrator.seen[1].body == b""


async def test_a_stream_stops_its_session_at_its_end_and_where_it_is_left(server: Any, caller: Any) -> None:
    orchestrator = persistent(server, counted)
    gateway = caller.gateway(orch_url=orchestrator.url)
    assert [event.json() for event in await caller.stream(gateway, "model")] == [1, 2]
    orchestrator.runners["runner-0"].answer = endless
    assert (await caller.first(gateway, "model")).json() == 1
    assert orchestrator.stopped == ["session-0", "session-1"]


async def test_a_call_that_fails_stops_its_session(server: Any, caller: Any) -> None:
    async def fail(request: Request) -> Response:
        return PlainTextResponse("broken", 500)

    orchestrator = persistent(server, fail)
    gateway = caller.gateway(orch_url=orchestrator.url)
    with pytest.raises(ModelFailedError):
        await caller.run(gateway, "model")
    orchestrator.runners["runner-0"].answer = silent
    with pytest.raises(TimedOutError):
        await caller.run(gateway, "model", timeout_seconds=0.2)
    assert orchestrator.stopped == ["session-0", "session-1"]


async def test_a_call_that_is_cancelled_stops_its_session(server: Any) -> None:
    called = threading.Event()

    async def answer(request: Request) -> Response:
        called.set()
        return await silent(request)

    orchestrator = persistent(server, answer)
    with anyio.fail_after(10):
        async with Gateway(orch_url=orchestrator.url) as gateway, anyio.create_task_group() as tasks:
            tasks.start_soon(gateway.run_async, "model")
            assert await anyio.to_thread.run_sync(called.wait, 5)
            tasks.cancel_scope.cancel()
    assert orchestrator.stopped == ["session-0"]


@pytest.mark.parametrize("asks_asyncio", [False, True])
@pytest.mark.parametrize("keeps_session", [False, True])
async def test_a_call_that_is_cancelled_while_it_reserves_stops_what_it_got(
    server: Any, asks_asyncio: bool, keeps_session: bool
) -> None:
    reserving, go_on = threading.Event(), threading.Event()
    orchestrator = persistent(server, echo)
    name = orchestrator.url.rpartition("/")[2]
    node = server.nodes[name]

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"].endswith("/session"):
            reserving.set()
            await anyio.to_thread.run_sync(go_on.wait, 5)
        await node(scope, receive, send)

    async def call() -> None:
        if keeps_session:
            async with gateway.session_async("model"):
                raise AssertionError
        await gateway.run_async("model")

    server.nodes[name] = slow
    task: asyncio.Future[None] | None = None
    async with Gateway(orch_url=orchestrator.url) as gateway:
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                if asks_asyncio:
                    task = asyncio.ensure_future(call())
                    cancel = task.cancel
                else:
                    tasks.start_soon(call)
                    cancel = tasks.cancel_scope.cancel
                assert await anyio.to_thread.run_sync(reserving.wait, 5)
                cancel()
                go_on.set()
            if task is not None:
                with pytest.raises(asyncio.CancelledError):
                    await task
    assert orchestrator.stopped == ["session-0"]
    assert not [what for what in orchestrator.whats if "/app/" in what]


@pytest.mark.parametrize("status", [404, 502, 503])
async def test_the_next_runner_is_asked_where_there_is_no_session_to_be_had(
    server: Any, caller: Any, status: int
) -> None:
    orchestrator = persistent(server, echo)
    orchestrator.runners["runner-0"].refuses = PlainTextResponse("no", status)
    orchestrator.add(echo, mode="persistent")
    gateway = caller.gateway(orch_url=orchestrator.url)
    assert await caller.run(gateway, "model", 1) == 1
    assert await caller.in_session(gateway, "model", runs=[2]) == [2]
    assert orchestrator.stopped == ["session-0", "session-1"]


async def test_a_worker_that_breaks_within_the_session_is_left_for_the_next(server: Any, caller: Any) -> None:
    async def down(request: Request) -> Response:
        return PlainTextResponse("connection refused", 502)

    orchestrator = persistent(server, down)
    orchestrator.add(echo, mode="persistent")
    assert await caller.run(caller.gateway(orch_url=orchestrator.url), "model", 1) == 1
    assert orchestrator.stopped == ["session-0", "session-1"]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"session_id": "s"}', b'{"session_id": 1, "app_url": 2, "control_url": 3}']
)
async def test_a_reservation_that_says_nothing_is_a_protocol_error(server: Any, caller: Any, body: bytes) -> None:
    orchestrator = persistent(server, echo)
    orchestrator.runners["runner-0"].refuses = Response(body)
    with pytest.raises(ProtocolError):
        await caller.run(caller.gateway(orch_url=orchestrator.url), "model")


async def test_a_session_serves_several_calls_and_is_stopped_once(server: Any, caller: Any) -> None:
    async def answer(request: Request) -> Response:
        return await (counted if await request.json() == "stream" else echo)(request)

    orchestrator = persistent(server, answer)
    gateway = caller.gateway(orch_url=orchestrator.url)
    assert await caller.in_session(gateway, "model", runs=[1, 2], streams=["stream"]) == [1, 2, [1, 2]]
    assert orchestrator.whats == [
        "POST /apps/runner-0/session",
        *["POST /apps/runner-0/session/session-0/app/predict"] * 3,
        "POST /apps/runner-0/session/session-0/stop",
    ]
    (found,) = await caller.discover(gateway)
    assert await caller.in_session(gateway, model=found, runs=[3]) == [3]


async def test_a_call_that_fails_in_a_session_leaves_the_session(server: Any, caller: Any) -> None:
    async def answer(request: Request) -> Response:
        return PlainTextResponse("no", 503)

    orchestrator = persistent(server, answer)
    orchestrator.add(echo, mode="persistent")
    with pytest.raises(BusyError):
        await caller.in_session(caller.gateway(orch_url=orchestrator.url), "model", runs=[1])
    assert orchestrator.sessions == orchestrator.stopped == ["session-0"]


async def test_a_session_that_the_orchestrator_ended_is_refused(server: Any, caller: Any) -> None:
    async def forget(request: Request) -> Response:
        orchestrator.sessions.clear()
        return JSONResponse(1)

    orchestrator = persistent(server, forget)
    with pytest.raises(RefusedError, match="session not found"):
        await caller.in_session(caller.gateway(orch_url=orchestrator.url), "model", runs=[1, 2])


async def test_a_failing_stop_spoils_nothing(server: Any, caller: Any, dead_url: str) -> None:
    async def reserve(request: Request) -> Response:
        raise AssertionError

    orchestrator = persistent(server, reserve)
    lease = {"session_id": "s", "app_url": f"{orchestrator.url}/apps/runner-1/app/", "control_url": dead_url}
    orchestrator.runners["runner-0"].refuses = JSONResponse(lease)
    orchestrator.add(echo, app="me/hidden")
    assert await caller.run(caller.gateway(orch_url=orchestrator.url), "model", 1) == 1


async def test_a_session_that_is_over_refuses_calls(server: Any, caller: Any) -> None:
    gateway = caller.gateway(orch_url=persistent(server, echo).url)
    if caller.face == "async":
        async with gateway.session_async("model") as session:
            assert session.id == "session-0"
        with pytest.raises(SettingsError, match="over"):
            await session.run(1)
        return

    def call() -> None:
        with gateway.session("model") as session:
            assert session.id == "session-0"
        with pytest.raises(SettingsError, match="over"):
            session.run(1)

    await anyio.to_thread.run_sync(call)


async def test_only_persistent_runners_have_sessions(server: Any, caller: Any, dead_url: str) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo)
    gateway = caller.gateway(orch_url=orchestrator.url)
    with pytest.raises(SettingsError, match="single-shot"):
        await caller.in_session(gateway, "model")
    with pytest.raises(NoOrchestratorError, match="unknown"):
        await caller.in_session(gateway, "unknown")
    with pytest.raises(SettingsError, match="orch_url"):
        await caller.in_session(caller.gateway(gateway_url=dead_url), "model")
    with pytest.raises(LivepeerError):
        await caller.in_session(caller.gateway(orch_url=dead_url), "model")
