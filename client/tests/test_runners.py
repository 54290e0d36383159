"""Calls over Live Runner: which worker is asked, how, and what its answers mean."""

import json
import threading
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import anyio.to_thread
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse

from livepeer.client import (
    BusyError,
    Capability,
    DisconnectedError,
    LivepeerError,
    ModelFailedError,
    NoOrchestratorError,
    ProtocolError,
    RefusedError,
    SettingsError,
    StreamCutError,
    TimedOutError,
    UnreachableError,
)


async def echo(request: Request) -> Response:
    return JSONResponse({"echo": json.loads(await request.body()), "path": request.scope["path"]})


def answers(response: Response) -> Any:
    async def answer(request: Request) -> Response:
        return response

    return answer


def sse(*chunks: bytes) -> Any:
    async def each() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def answer(request: Request) -> Response:
        return StreamingResponse(each(), media_type="text/event-stream")

    return answer


async def silent(request: Request) -> Response:
    await anyio.sleep_forever()
    raise AssertionError


@pytest.mark.parametrize("wanted", ["model", "me/model", "captioner"])
async def test_a_single_shot_runner_is_called_by_any_of_its_names(server: Any, caller: Any, wanted: str) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answers(Response(status_code=500)), app="you/other")
    orchestrator.add(echo, metadata='{"name": "captioner"}')
    gateway = caller.gateway(orch_url=orchestrator.url)
    result = await caller.run(gateway, wanted, {"n": 1}, route="/a b")
    assert result["echo"] == {"n": 1}
    assert orchestrator.whats == ["POST /apps/runner-1/app/a b"]
    assert (await caller.run(gateway, model=wanted, input={"n": 2}))["echo"] == {"n": 2}


async def test_what_discovery_found_is_called_as_it_is(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answers(JSONResponse("first")))
    orchestrator.add(answers(JSONResponse("second")))
    gateway = caller.gateway(orch_url=orchestrator.url)
    _, second = await caller.discover(gateway)
    assert await caller.run(gateway, second) == "second"
    orchestrator.runners["runner-1"].refuses = PlainTextResponse("runner not found", 404)
    with pytest.raises(NoOrchestratorError, match="runner not found") as caught:
        await caller.run(gateway, second)
    assert (caught.value.status, caught.value.retryable) == (404, True)
    orchestrator.runners["runner-1"].refuses = PlainTextResponse("no such picture", 404)
    with pytest.raises(RefusedError, match="no such picture"):
        await caller.run(gateway, second)


async def test_the_root_of_a_worker_keeps_its_slash(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo)
    assert (await caller.run(caller.gateway(orch_url=orchestrator.url), "model", 1, route=""))["echo"] == 1
    assert orchestrator.whats == ["POST /apps/runner-0/app/"]


async def test_a_redirect_is_no_answer(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answers(Response(status_code=301, headers={"Location": "http://127.0.0.1:1"})))
    with pytest.raises(ProtocolError, match="301"):
        await caller.run(caller.gateway(orch_url=orchestrator.url), "model")


@pytest.mark.parametrize(
    ("response", "value"),
    [
        (Response(b'{"a": 1}', media_type="application/json"), {"a": 1}),
        (Response(b'{"a": 1}', media_type="text/plain"), '{"a": 1}'),
        (Response(b'{"a": 1}', media_type="application/octet-stream"), b'{"a": 1}'),
        (Response(b"\x89PNG", media_type="image/png"), b"\x89PNG"),
        (Response(status_code=204), b""),
    ],
)
async def test_the_workers_media_type_says_what_a_value_is(
    server: Any, caller: Any, response: Response, value: object
) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answers(response))
    assert await caller.run(caller.gateway(orch_url=orchestrator.url), "model") == value


async def test_a_stream_gives_every_event_of_the_worker(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    own = (b'{"balance": 5}\n\n', b"event: insufficient balance\ndata: 2\n\n")
    orchestrator.add(sse(b"data: 1\n\ndata: ", *own, b"data: [DONE]\n\n"))
    gateway = caller.gateway(orch_url=orchestrator.url)
    events = await caller.stream(gateway, "model")
    assert [(event.event, event.json()) for event in events] == [
        ("message", 1),
        ("message", {"balance": 5}),
        ("insufficient balance", 2),
    ]
    assert await caller.run(gateway, "model") == [1, {"balance": 5}, 2]


async def test_a_stream_without_its_end_was_cut(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(sse(b"data: 1\n\n"))
    events: list[Any] = []
    with pytest.raises(StreamCutError):
        await caller.stream(caller.gateway(orch_url=orchestrator.url), "model", into=events)
    assert len(events) == 1


async def test_a_runner_with_a_free_slot_is_asked_first(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answers(JSONResponse("full")), capacity_available=0)
    orchestrator.add(answers(JSONResponse("free")))
    assert await caller.run(caller.gateway(orch_url=orchestrator.url), "model") == "free"


@pytest.mark.parametrize("status", [404, 502, 503])
async def test_the_next_runner_is_asked_where_nothing_has_run(server: Any, caller: Any, status: int) -> None:
    first, second = server.live_orchestrator(), server.live_orchestrator()
    first.add(echo).refuses = PlainTextResponse("not this one", status)
    second.add(answers(JSONResponse("second")))
    assert await caller.run(caller.gateway(orch_url=[first.url, second.url]), "model") == "second"
    assert len(first.whats) == 1


async def test_the_next_runner_is_asked_where_no_connection_opens(server: Any, caller: Any, dead_url: str) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo, url=f"{dead_url}/apps/gone/app")
    orchestrator.add(answers(JSONResponse("second")))
    assert await caller.run(caller.gateway(orch_url=orchestrator.url), "model") == "second"


@pytest.mark.parametrize(
    ("status", "kind"), [(400, RefusedError), (401, RefusedError), (422, RefusedError), (500, ModelFailedError)]
)
async def test_any_other_answer_is_final(server: Any, caller: Any, status: int, kind: type[LivepeerError]) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answers(JSONResponse({"title": "No", "status": status}, status)))
    orchestrator.add(answers(JSONResponse("second")))
    with pytest.raises(kind, match="No") as caught:
        await caller.run(caller.gateway(orch_url=orchestrator.url), "model")
    assert caught.value.orchestrator_url == orchestrator.url
    assert len(orchestrator.whats) == 1


async def test_all_runners_full_is_busy_and_each_was_asked_once(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    for _ in range(2):
        orchestrator.add(echo).refuses = PlainTextResponse("no capacity available for runner", 503)
    with pytest.raises(BusyError, match="no capacity"):
        await caller.run(caller.gateway(orch_url=orchestrator.url), "model")
    assert len(orchestrator.whats) == 2


async def test_a_worker_that_came_back_under_another_id_is_found_at_once(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(answers(JSONResponse("before")))
    gateway = caller.gateway(orch_url=orchestrator.url)
    assert await caller.run(gateway, "model") == "before"
    orchestrator.add(answers(JSONResponse("after")))
    del orchestrator.runners["runner-0"]
    assert await caller.run(gateway, "model") == "after"


async def test_calls_in_a_row_look_for_the_runner_once(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo)
    gateway = caller.gateway(orch_url=orchestrator.url)
    for n in range(3):
        await caller.run(gateway, "model", n)
    assert [seen.what for seen in orchestrator.seen].count("GET /discovery") == 1


async def test_where_no_runner_has_the_name_byoc_is_called(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo, app="me/other")

    async def answer(seen: Any) -> Response:
        return JSONResponse(seen.job["capability"])

    byoc, worker = server.orchestrator(answer)
    gateway = caller.gateway(orch_url=[orchestrator.url, byoc])
    assert await caller.run(gateway, "org/model") == "org/model"
    assert len(worker.seen) == 1
    (found,) = [Capability(name="m", network="byoc", app="m", url=byoc, orchestrator_url=byoc)]
    assert await caller.run(gateway, found) == "m"


async def test_where_nobody_knows_the_name_the_error_says_so(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    with pytest.raises(NoOrchestratorError, match=r"no runner for 'model'.*does not speak BYOC"):
        await caller.run(caller.gateway(orch_url=orchestrator.url), "model")


async def test_an_unreachable_runner_is_unreachable(server: Any, caller: Any, dead_url: str) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo, url=f"{dead_url}/apps/gone/app")
    with pytest.raises(UnreachableError, match="cannot connect"):
        await caller.run(caller.gateway(orch_url=orchestrator.url, connect_retries=0), "model")


async def test_the_client_looks_at_the_clock_itself_and_the_worker_is_left(server: Any, caller: Any) -> None:
    left = threading.Event()

    async def slow(request: Request) -> Response:
        await request.body()
        assert await request.receive() == {"type": "http.disconnect"}
        left.set()
        return JSONResponse(None)

    orchestrator = server.live_orchestrator()
    orchestrator.add(slow)
    started = time.monotonic()
    with pytest.raises(TimedOutError, match=r"0\.3 s are over") as caught:
        await caller.run(caller.gateway(orch_url=orchestrator.url), "model", timeout_seconds=0.3)
    assert time.monotonic() - started < 3
    assert caught.value.orchestrator_url == orchestrator.url
    assert await anyio.to_thread.run_sync(left.wait, 5)


async def test_an_orchestrator_that_is_slow_to_list_its_runners_costs_no_more_than_the_call(
    server: Any, caller: Any
) -> None:
    async def hang(scope: Any, receive: Any, send: Any) -> None:
        await anyio.sleep_forever()

    gateway = caller.gateway(orch_url=server.add(hang, speaks_live_runner=True), grace_seconds=0)
    started = time.monotonic()
    with pytest.raises(TimedOutError):
        await caller.run(gateway, "model", timeout_seconds=0.3)
    assert time.monotonic() - started < 3


async def test_a_connection_that_breaks_is_not_tried_again(server: Any, caller: Any) -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
        await send({"type": "http.response.body", "body": b"half"})

    async def answer(request: Request) -> Any:
        return broken

    orchestrator = server.live_orchestrator()
    orchestrator.add(answer)
    orchestrator.add(echo)
    with pytest.raises(DisconnectedError):
        await caller.run(caller.gateway(orch_url=orchestrator.url), "model")
    assert len(orchestrator.whats) == 1


@pytest.mark.parametrize("arguments", [{}, {"capability": "a", "model": "b"}, {"capability": ""}])
async def test_exactly_one_capability_is_named(server: Any, caller: Any, arguments: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="capability"):
        await caller.run(caller.gateway(orch_url=server.live_orchestrator().url), **arguments)


async def test_an_orchestrator_that_does_not_list_its_runners_is_asked_over_byoc(server: Any, caller: Any) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        response = PlainTextResponse("out of order", 500)
        if scope["path"].startswith("/process"):
            response = PlainTextResponse("404 page not found\n", 404)
        await response(scope, receive, send)

    gateway = caller.gateway(orch_url=server.add(app, speaks_live_runner=True))
    with pytest.raises(NoOrchestratorError, match=r"does not list its runners: out of order"):
        await caller.run(gateway, "model")


async def test_a_runner_that_appears_is_found_by_the_call_after_the_one_that_missed_it(
    server: Any, caller: Any
) -> None:
    orchestrator = server.live_orchestrator()
    gateway = caller.gateway(orch_url=orchestrator.url)
    with pytest.raises(NoOrchestratorError):
        await caller.run(gateway, "model", 1)
    orchestrator.add(echo)
    assert (await caller.run(gateway, "model", 1))["echo"] == 1


async def test_a_name_is_looked_for_the_first_time_that_it_is_asked_for(server: Any, caller: Any) -> None:
    orchestrator = server.live_orchestrator()
    orchestrator.add(echo)
    gateway = caller.gateway(orch_url=orchestrator.url)
    assert (await caller.run(gateway, "model", 1))["echo"] == 1
    orchestrator.add(answers(JSONResponse("other")), app="me/other")
    assert await caller.run(gateway, "other", 1) == "other"


async def test_byoc_calls_in_a_row_look_for_a_runner_once(server: Any, caller: Any) -> None:
    looked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        looked.append(scope["path"])
        await (JSONResponse([]) if scope["method"] == "GET" else JSONResponse(1))(scope, receive, send)

    gateway = caller.gateway(orch_url=server.add(app, speaks_live_runner=True))
    for name in ("one", "two", "one", "two", "one"):
        assert await caller.run(gateway, name) == 1
    assert looked.count("/discovery") == 2
