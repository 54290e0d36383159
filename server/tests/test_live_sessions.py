"""Live sessions as a BYOC orchestrator begins, changes and ends them (contract, sections 5 and 8)."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from edge_harness import Served, eventually, serve_with
from live_models import LiveModel

from livepeer.server import InlineWorker, ReplicatedWorker, ServerOptions, Settings, WorkerState

pytestmark = pytest.mark.anyio

ORCHESTRATOR = "https://orch.example:8935"
CHANNELS = {
    f"{name}_url": f"{ORCHESTRATOR}/ai/trickle/s-{name}" for name in ("subscribe", "publish", "control", "events")
}
OPTIONS = ServerOptions(channel_origins=(ORCHESTRATOR,))


@asynccontextmanager
async def live(model: LiveModel, options: ServerOptions = OPTIONS) -> AsyncIterator[Served]:
    async with serve_with(InlineWorker(lambda: model), options=options) as served:
        yield served


@pytest.fixture
def model() -> LiveModel:
    return LiveModel()


@pytest.fixture
async def served(model: LiveModel) -> AsyncIterator[Served]:
    async with live(model) as served:
        yield served


async def start(served: Served, name: str | None = "s", **document: Any) -> httpx2.Response:
    headers = {} if name is None else {"x-stream-id": name}
    return await served.client.post("/stream/start", json={**CHANNELS, **document}, headers=headers)


async def post(served: Served, route: str, name: str | None = "s", **content: Any) -> httpx2.Response:
    return await served.client.post(f"/stream/{route}", headers={"x-stream-id": name} if name else {}, **content)


async def test_a_session_runs_until_it_is_stopped_and_health_says_so(served: Served, model: LiveModel):
    answer = await start(served, gateway_request_id="s", params={"level": 3})
    assert (answer.status_code, answer.json()) == (200, {"status": "running", "stream_id": "s"})
    (began,) = model.sessions.started
    assert began.params == {"level": 3}
    assert {name: getattr(began, name) for name in CHANNELS} == CHANNELS
    assert began.data_url is None
    health = await served.health()
    assert (health["status"], health["slots"]) == ("OK", {"in_use": 1, "capacity": 2, "waiting": 0})
    assert (await post(served, "stop")).status_code == 200
    assert model.sessions.ended == ["s"]
    assert (await served.health())["status"] == "IDLE"


async def test_what_a_caller_merged_into_the_body_does_no_harm(served: Served, model: LiveModel):
    answer = await start(served, stream_name="mine", rtmp_output="", gateway_request_id=7, params=None)
    assert answer.status_code == 200
    assert model.sessions.started[0].params is None


async def test_params_may_come_as_a_document_in_a_string(served: Served, model: LiveModel):
    assert (await start(served, params='{"level": 5}')).status_code == 200
    assert model.sessions.running["s"].params.level == 5


async def test_any_subset_of_the_channels_will_do(served: Served, model: LiveModel):
    body = {"events_url": CHANNELS["events_url"], "publish_url": ""}
    assert (await post(served, "start", json=body)).status_code == 200
    assert (await post(served, "start", "bare", content=b"")).status_code == 200
    assert [each.publish_url for each in model.sessions.started] == [None, None]


async def test_only_an_orchestrator_starts_a_session(served: Served, model: LiveModel):
    answer = await start(served, None)
    assert (answer.status_code, answer.json()["code"]) == (403, "stranger")
    assert model.sessions.started == []


@pytest.mark.parametrize(
    "url",
    [
        "https://orch.example/ai/trickle/s",
        "http://orch.example:8935/s",
        "https://orch.example.evil:8935/s",
        "https://orch.example:8935@evil/s",
        "https://169.254.169.254/latest",
        "file:///etc/passwd",
        "ftp://orch.example:8935/s",
        "https://[::1",
        "https://orch.example:99999/s",
        "",
    ],
)
@pytest.mark.parametrize("field", ["subscribe_url", "publish_url", "control_url", "events_url", "data_url"])
async def test_a_channel_that_is_elsewhere_is_refused_by_name(served: Served, model: LiveModel, field: str, url: str):
    answer = await start(served, **{field: url})
    if not url:
        assert answer.status_code == 200
        return
    assert (answer.status_code, answer.json()["code"]) == (403, "foreign_channel")
    assert field in answer.json()["detail"]
    assert model.sessions.started == []


async def test_an_origin_is_the_same_however_it_is_written(served: Served):
    assert (await start(served, publish_url="HTTPS://ORCH.example:8935/x")).status_code == 200


async def test_a_setting_lets_channels_be_anywhere(model: LiveModel):
    async with live(model, ServerOptions(channel_origins=("*",))) as served:
        assert (await start(served, publish_url="http://elsewhere:1/x")).status_code == 200


def test_the_orchestrators_own_origin_needs_no_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ORCH_URL", ORCHESTRATOR)
    monkeypatch.setenv("LIVEPEER_CHANNEL_ORIGINS", "https://a:1, http://b")
    assert Settings.read().server_options().channel_origins == ("https://a:1", "http://b", ORCHESTRATOR)


async def test_a_channel_that_is_no_string_is_named(served: Served):
    answer = await start(served, publish_url=7)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["publish_url"]


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"{", b"\xff", b"1", b"[" * 100_000])
async def test_a_start_that_is_no_object_is_refused(served: Served, model: LiveModel, body: bytes):
    answer = await post(served, "start", content=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed_body")
    assert model.sessions.started == []


async def test_a_body_over_ten_megabytes_is_refused(served: Served):
    answer = await post(served, "start", content=b" " * (10 * 1024 * 1024 + 1))
    assert answer.status_code == 413


async def test_a_stream_id_that_is_too_long_is_refused(served: Served):
    assert (await start(served, "x" * 257)).status_code == 400


async def test_params_that_do_not_fit_are_refused_field_by_field(served: Served, model: LiveModel):
    answer = await start(served, params={"level": "high"})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["level"]
    assert (await served.health())["status"] == "IDLE"


@pytest.mark.parametrize(
    "odd",
    [
        b"[" * 230 + b"]" * 230,
        b"[" * 300 + b"]" * 300,
        b'"\\ud800"',
        b'{"\\ud800": 1}',
        b'"\\"\\\\ud800\\""',
    ],
)
async def test_params_that_have_no_json_form_take_no_place(served: Served, model: LiveModel, odd: bytes):
    answer = await post(served, "start", content=b'{"params": %b}' % odd)
    assert answer.status_code in (400, 422)
    health = await served.health()
    assert (health["status"], health["slots"]["in_use"], model.sessions.started) == ("IDLE", 0, [])


async def test_a_start_that_fails_is_a_500_and_leaves_no_session(served: Served, model: LiveModel):
    answer = await start(served, params={"start": "badly"})
    assert (answer.status_code, answer.json()["code"]) == (500, "model_failed")
    assert (await served.health())["slots"]["in_use"] == 0
    assert model.sessions.ended == ["s"]


async def test_a_session_that_says_how_far_it_has_come_and_reports_at_length_goes_on(served: Served, model: LiveModel):
    assert (await start(served, params={"talks": True})).status_code == 200
    assert (await post(served, "params", json={"level": 2})).status_code == 200
    assert (model.sessions.ended, len(model.sessions.running)) == ([], 1)


async def test_a_name_need_not_be_ascii(served: Served, model: LiveModel):
    headers = [(b"x-stream-id", b"caf\xe9")]
    assert (await served.client.post("/stream/start", json={}, headers=headers)).status_code == 200
    assert (await served.client.post("/stream/params", json={"level": 2}, headers=headers)).json()["level"] == 2
    assert (await served.client.post("/stream/stop", headers=headers)).status_code == 200
    assert (model.sessions.ended, model.sessions.reasons) == (["caf\xe9"], ["stopped"])


async def test_a_session_that_runs_already_is_a_conflict(served: Served, model: LiveModel):
    await start(served)
    answer = await start(served)
    assert (answer.status_code, answer.json()["code"]) == (409, "session_exists")
    assert len(model.sessions.started) == 1
    assert (await post(served, "stop")).status_code == 200
    assert (await start(served)).status_code == 200


async def test_more_sessions_than_may_run_are_turned_away(served: Served, model: LiveModel):
    assert (await start(served, "a")).status_code == (await start(served, "b")).status_code == 200
    answer = await start(served, "c")
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert "retry-after" in answer.headers
    await post(served, "stop", "a")
    assert (await start(served, "c")).status_code == 200
    assert sorted(model.sessions.running) == ["b", "c"]


async def test_a_caller_that_leaves_while_its_session_starts_ends_it(served: Served, model: LiveModel):
    with anyio.move_on_after(5) as leaving:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: start(served, params={"start": "never"}))
            await model.sessions.waits.wait()
            tasks.cancel_scope.cancel()
    assert not leaving.cancelled_caught
    await served.until("IDLE")
    await eventually(lambda: model.sessions.ended == ["s"])


async def test_calls_find_the_replica_of_their_session_whatever_the_requests_were_called():
    models = [LiveModel(1), LiveModel(1)]
    worker = ReplicatedWorker([InlineWorker(lambda model=model: model) for model in models])
    async with serve_with(worker, options=OPTIONS) as served:
        await eventually(lambda: all(each.state is WorkerState.READY for each in worker._replicas))
        served.client.headers["x-request-id"] = "mine"
        for name in ("a", "b"):
            assert (await start(served, name)).status_code == 200
        for level, name in enumerate(("a", "b")):
            assert (await post(served, "params", name, json={"level": level})).status_code == 200
        levels = {name: session.params.level for model in models for name, session in model.sessions.running.items()}
        assert levels == {"a": 0, "b": 1}
        for name in ("a", "b"):
            assert (await post(served, "stop", name)).status_code == 200
    assert sorted(name for model in models for name in model.sessions.ended) == ["a", "b"]
    assert [model.sessions.reasons for model in models] == [["stopped"], ["stopped"]]


async def test_a_session_that_ends_by_itself_gives_its_place_back(served: Served, model: LiveModel):
    assert (await start(served, params={"end": "at once"})).status_code == 200
    await served.until("IDLE")
    assert model.sessions.ended == ["s"]
    assert (await post(served, "params", json={})).status_code == 404


async def test_other_params_are_answered_with_those_in_force(served: Served, model: LiveModel):
    await start(served)
    answer = await post(served, "params", json={"level": 9})
    assert (answer.status_code, answer.json()["level"]) == (200, 9)
    refused = await post(served, "params", json={"level": "x"})
    assert [error["field"] for error in refused.json()["errors"]] == ["level"]
    assert model.sessions.running["s"].params.level == 9


async def test_an_answer_of_any_size_comes_back(served: Served):
    await start(served)
    answer = await post(served, "params", json={"filler": 300_000})
    assert len(answer.json()["filler"]) == 300_000


async def test_params_need_no_name_while_there_is_one_session(served: Served, model: LiveModel):
    await start(served, "a")
    assert (await post(served, "params", None, json={"level": 1})).status_code == 200
    await start(served, "b")
    assert (await post(served, "params", None, json={"level": 2})).status_code == 404
    assert (await post(served, "params", None, json={"level": 2, "gateway_request_id": "b"})).status_code == 200
    assert [session.params.level for session in model.sessions.running.values()] == [1, 2]


async def test_params_of_no_session_are_a_404(served: Served):
    for name in ("s", None):
        answer = await post(served, "params", name, json={})
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_session")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "stopped"),
        (b"the watchdog\n", "the watchdog"),
        (b'{"gateway_request_id": "s"}', "stopped"),
        (b"\xff", "\ufffd"),
        (b"x" * 1000, "x" * 200),
    ],
)
async def test_a_stop_may_say_anything(served: Served, model: LiveModel, body: bytes, reason: str):
    await start(served)
    for _ in range(3):
        assert (await post(served, "stop", content=body)).status_code == 200
    assert (model.sessions.ended, model.sessions.reasons) == (["s"], [reason])


async def test_a_stop_is_fine_while_the_model_cannot_serve():
    model = LiveModel()
    model.setup = lambda: 1 / 0
    async with serve_with(InlineWorker(lambda: model), options=OPTIONS, wait=False) as served:
        await served.until("ERROR")
        assert (await post(served, "stop")).status_code == 200
        assert (await start(served)).status_code == 503


async def test_a_stop_is_for_the_session_that_it_names(served: Served, model: LiveModel):
    await start(served, "a")
    await start(served, "b")
    assert (await post(served, "stop", "stranger")).status_code == 200
    assert (await post(served, "stop", None)).status_code == 404
    assert (await post(served, "stop", None, json={"stream_id": "b"})).status_code == 200
    assert model.sessions.ended == ["b"]


async def test_stops_at_the_same_time_all_wait_for_the_end(served: Served, model: LiveModel):
    await start(served)
    answers: list[int] = []

    async def stop() -> None:
        answers.append((await post(served, "stop")).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(3):
            tasks.start_soon(stop)
    assert answers == [200, 200, 200]
    assert model.sessions.ended == ["s"]


async def test_a_session_that_does_not_end_is_cancelled(
    served: Served, model: LiveModel, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("livepeer.server._live_sessions._STOP_SECONDS", 0.1)
    await start(served, params={"end": "never"})
    assert (await post(served, "stop")).status_code == 200
    await eventually(lambda: model.sessions.ended == ["s"])
    await served.until("IDLE")


async def test_shutting_down_ends_the_sessions_in_their_own_way(model: LiveModel):
    async with live(model) as served:
        await start(served, "a")
        await start(served, "b")
    assert sorted(model.sessions.ended) == ["a", "b"]


async def test_a_start_whose_body_comes_while_the_server_shuts_down_is_refused(served: Served, model: LiveModel):
    drains = anyio.Event()
    sent = anyio.Event()
    answers: list[int] = []

    async def body() -> AsyncIterator[bytes]:
        yield b'{"params":'
        sent.set()
        await drains.wait()
        yield b"{}}"

    async def begin() -> None:
        answer = await served.client.post("/stream/start", content=body(), headers={"x-stream-id": "s"})
        answers.append(answer.status_code)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(begin)
        await sent.wait()
        # The route is chosen before this is answered: both go through the same loop.
        await start(served, "other")
        await served.server.withdraw()
        drains.set()
    assert answers == [503]
    assert list(model.sessions.running) == ["other"]


async def test_a_token_is_asked_for_on_every_route(model: LiveModel):
    async with live(model, OPTIONS.model_copy(update={"token": "secret"})) as served:
        for route in ("start", "params", "stop"):
            assert (await post(served, route, json={})).status_code == 401
        served.client.headers["authorization"] = "Bearer secret"
        assert (await start(served)).status_code == 200


async def test_the_routes_of_live_runner_are_off(served: Served):
    answer = await served.client.post("/live", json={}, headers={"livepeer-session-id": "x"})
    assert answer.status_code == 404


async def test_a_get_names_the_method(served: Served):
    answer = await served.client.get("/stream/start")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


async def test_without_operations_the_default_route_is_not_there(served: Served):
    for route in ("/predict", "/run", "/", "/live-model"):
        assert (await served.client.post(route, json={})).status_code in (404, 405)


async def test_the_documents_tell_of_the_params(served: Served, model: LiveModel):
    schema = (await served.client.get("/schema")).json()
    assert schema["live"] == model.sessions.description.model_dump()
    assert "input" not in schema
    document = (await served.client.get("/openapi.json")).json()
    assert document["components"]["schemas"]["LiveParams"]["properties"]["level"]["type"] == "integer"
    assert {"/stream/start", "/stream/params", "/stream/stop"} <= set(document["paths"])
    (offer,) = (await served.client.get("/capabilities")).json()["capabilities"]
    assert (offer["name"], offer["capacity"]) == ("live-model", 2)
    assert json.loads((await served.client.get("/")).content)["live"] == {"capacity": 2}
