"""Announcing to a Live Runner orchestrator: the development network's."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
import uvicorn
from edge_harness import Marks, Served, eventually, make_worker, serve_with
from live_models import LiveModel
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from livepeer.core import Registrar
from livepeer.devnet import DevNet, Timings
from livepeer.server import (
    InlineWorker,
    Lifecycle,
    RegistrationOptions,
    Server,
    ServerOptions,
    bind,
    listening,
    make_registrar,
)

pytestmark = pytest.mark.anyio

CHANNEL_FIELDS = ("subscribe_url", "publish_url", "control_url", "events_url", "data_url")
BRISK = Timings(heartbeat_interval_seconds=0.05, heartbeat_ttl_seconds=1.0)


@asynccontextmanager
async def serve_on(
    net: DevNet, worker: Any, *, options: ServerOptions | None = None, **fields: Any
) -> AsyncIterator[Served]:
    """A server that the network reaches: its own address must be known before it is announced."""
    sock = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    given = {
        "network": "live-runner",
        "orch_url": net.orchestrator_url,
        "orch_token": net.secret,
        "capability_url": url,
        "token": "t0ken",
        "capability_name": "tested",
        "app": "org/tested",
    } | fields
    registration = RegistrationOptions.model_validate(given)

    def registrar(lifecycle: Lifecycle) -> Registrar:
        return make_registrar(lifecycle, registration)

    server = Server(worker, options=options or ServerOptions(token="t0ken"), registrar=registrar)
    async with (
        listening(server, sock),
        httpx2.AsyncClient(base_url=url, timeout=30, trust_env=False) as client,
    ):
        yield Served(server, url, client)


async def until(served: Served, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    with anyio.fail_after(20):
        while True:
            registration = (await served.health())["registration"]
            if condition(registration):
                return registration
            await anyio.sleep(0.01)


async def until_state(served: Served, state: str) -> dict[str, Any]:
    return await until(served, lambda registration: registration["state"] == state)


async def test_a_runner_registers_once_ready_with_its_card(marks: Marks) -> None:
    async with DevNet(timings=BRISK) as net:
        worker = make_worker("process", "SlowSetup")
        async with serve_on(net, worker, price_usd="0.25", price_unit="fixed", image="r/i@sha256:1") as served:
            waiting = await until_state(served, "waiting")
            assert waiting["network"] == "live-runner"
            assert not net.runners
            marks.go("setup")
            registration = await until_state(served, "registered")
            (runner,) = net.runners.values()
            assert runner.runner_id == registration["runner_id"]
            assert (runner.app, runner.mode, runner.capacity, runner.status) == (
                "org/tested",
                "single-shot",
                1,
                "ready",
            )
            assert runner.runner_url == served.url
            card = json.loads(runner.metadata)
            assert (card["name"], card["kind"], card["image"]) == ("tested", "batch", "r/i@sha256:1")
            schema = await served.client.get(card["schema_url"])
            assert hashlib.sha256(schema.content).hexdigest() == card["schema_sha256"]
            (offered,) = (await served.client.get("/capabilities")).json()["capabilities"]
            assert (offered["app"], offered["price_info"]["price"], offered["price_per_unit"]) == (
                "org/tested",
                "0.25",
                0,
            )
        assert not net.runners


async def test_the_network_calls_without_a_token_and_the_worker_asks_for_none() -> None:
    async with DevNet(timings=BRISK) as net, serve_on(net, make_worker("process", "SyncReturn")) as served:
        runner = await net.wait_for_runner("org/tested")
        async with httpx2.AsyncClient(trust_env=False) as caller:
            app = f"{net.orchestrator_url}/apps/{runner.runner_id}/app"
            assert (await caller.post(f"{app}/predict", json={"text": "ab"})).json() == "ba"
            bearing = {"authorization": "Bearer of somebody else's"}
            assert (await caller.post(f"{app}/run", json={"text": "ab"}, headers=bearing)).json() == "ba"
            assert (await caller.post(f"{app}/stream/start", json={})).status_code == 404
        document = (await served.client.get("/openapi.json")).json()
        assert "securitySchemes" not in document.get("components", {})


async def test_the_card_that_is_too_long_says_what_it_goes_without(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        DevNet(timings=BRISK) as net,
        serve_on(net, make_worker("process", "SyncReturn"), capability_description="x" * 1200),
    ):
        runner = await net.wait_for_runner("org/tested")
        assert "description" not in json.loads(runner.metadata)
    assert "goes without description" in caplog.text


async def test_no_more_is_offered_than_is_taken(caplog: pytest.LogCaptureFixture) -> None:
    async with DevNet(timings=BRISK) as net:
        async with serve_on(net, make_worker("process", "SyncReturn"), capacity=7):
            assert (await net.wait_for_runner("org/tested")).capacity == 1
        options = ServerOptions(queue_size=2)
        async with serve_on(net, make_worker("process", "SyncReturn"), capacity=3, options=options):
            assert (await net.wait_for_runner("org/tested")).capacity == 3
    assert caplog.text.count("that many are offered, not 7") == 1


@pytest.mark.parametrize("status", [401, 404])
async def test_a_forgotten_runner_registers_again_under_a_new_id(status: int) -> None:
    answers: list[Response] = []
    seen: list[tuple[str, str]] = []

    async def heartbeat(request: Request) -> Response:
        document = await request.json()
        seen.append((document["runner_id"], request.headers["authorization"]))
        durations = {"heartbeat_interval": "10ms", "heartbeat_ttl": "1m1s", "session_ids": None}
        known = request.headers["authorization"] != "secret"
        first = {} if known else {"heartbeat_secret": f"of {document['runner_id']}"}
        if known and answers:
            return answers.pop()
        return JSONResponse({"runner_id": document["runner_id"], **durations, **first})

    async with orchestrator([Route("/runners/heartbeat", heartbeat, methods=["POST"])]) as url:
        answers.append(PlainTextResponse("runner not found", status))
        async with serve_with(make_worker("process", "SyncReturn"), registrar=announcing(url)):
            await eventually(lambda: len({runner_id for runner_id, _ in seen}) == 2)
            await eventually(lambda: seen[-1][1].startswith("of "))
    first, second = dict.fromkeys(runner_id for runner_id, _ in seen)
    assert [secret for runner_id, secret in seen if runner_id == first][-1] == f"of {first}"
    assert next(secret for runner_id, secret in seen if runner_id == second) == "secret"


async def test_a_name_that_fits_into_no_url_is_no_matter() -> None:
    async with DevNet(timings=BRISK) as net:
        async with serve_on(net, make_worker("process", "SyncReturn"), capability_name="an org/the model"):
            runner = await net.wait_for_runner("org/tested")
            assert (runner.label, json.loads(runner.metadata)["name"]) == ("an org/the model", "an org/the model")
        assert not net.runners


async def test_a_restarted_orchestrator_knows_it_again() -> None:
    async with DevNet(timings=BRISK) as net, serve_on(net, make_worker("process", "SyncReturn")) as served:
        first = await net.wait_for_runner("org/tested")
        await net.restart_orchestrator()
        second = await net.wait_for_runner("org/tested")
        assert first.runner_id != second.runner_id
        await until(served, lambda found: found.get("runner_id") == second.runner_id)


async def test_while_the_model_is_loaded_again_the_runner_is_known_and_not_listed() -> None:
    async with DevNet(timings=BRISK) as net, serve_on(net, make_worker("process", "Dying")) as served:
        runner = await net.wait_for_runner("org/tested")
        statuses: set[str] = set()
        with pytest.raises(httpx2.HTTPStatusError):
            (await served.predict(how="exit")).raise_for_status()
        with anyio.fail_after(20):
            while statuses != {"loading", "ready"}:
                statuses |= {found.status for found in net.runners.values()} - (set() if statuses else {"ready"})
                await anyio.sleep(0.005)
        assert list(net.runners) == [runner.runner_id]


@pytest.mark.parametrize(
    ("secret", "words"), [("wrong", "401"), ("right", "set LIVEPEER_PRICE_USD")], ids=["secret", "price"]
)
async def test_a_refusal_says_what_to_change(secret: str, words: str, caplog: pytest.LogCaptureFixture) -> None:
    async with (
        DevNet(timings=BRISK, secret="right", paid=secret == "right") as net,
        serve_on(net, make_worker("process", "SyncReturn"), orch_token=secret) as served,
    ):
        assert words in (await until_state(served, "refused"))["reason"]
        assert (await served.predict(text="ab")).json() == "ba"
    assert "the orchestrator refuses tested" in caplog.text


@pytest.mark.parametrize("networks", [("byoc",), ("live-runner",), ("byoc", "live-runner")])
async def test_auto_asks_for_byoc_first(networks: tuple[Any, ...]) -> None:
    async with (
        DevNet(timings=BRISK, networks=networks) as net,
        serve_on(net, make_worker("process", "SyncReturn"), network="auto") as served,
    ):
        registration = await until_state(served, "registered")
        assert registration["network"] == networks[0]
        unsigned = await served.predict(text="ab")
        assert unsigned.status_code == (401 if networks[0] == "byoc" else 200)


async def test_auto_is_refused_where_neither_is_spoken() -> None:
    async with (
        DevNet(timings=BRISK, networks=()) as net,
        serve_on(net, make_worker("process", "SyncReturn"), network="auto") as served,
    ):
        assert "404" in (await until_state(served, "refused"))["reason"]


async def test_auto_follows_an_orchestrator_that_comes_back_without_byoc() -> None:
    gone: list[bool] = []

    async def register(_: Request) -> Response:
        return PlainTextResponse("404 page not found", 404) if gone else PlainTextResponse("ok")

    async def heartbeat(_: Request) -> Response:
        return JSONResponse({"heartbeat_interval": "1s", "heartbeat_ttl": "20s", "heartbeat_secret": "s"})

    routes = [
        Route("/capability/register", register, methods=["POST"]),
        Route("/runners/heartbeat", heartbeat, methods=["POST"]),
    ]
    async with orchestrator(routes) as url:
        announced = announcing(url, network="auto", interval_seconds=0.05)
        async with serve_with(make_worker("process", "SyncReturn"), registrar=announced) as served:
            await until(served, lambda found: (found["network"], found["state"]) == ("byoc", "registered"))
            gone.append(True)
            await until(served, lambda found: (found["network"], found["state"]) == ("live-runner", "registered"))


async def test_the_same_failure_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    asked: list[str] = []

    async def heartbeat(request: Request) -> Response:
        asked.append(request.headers["authorization"])
        return PlainTextResponse("down", 502)

    async with (
        orchestrator([Route("/runners/heartbeat", heartbeat, methods=["POST"])]) as url,
        serve_with(make_worker("process", "SyncReturn"), registrar=announcing(url)),
    ):
        await eventually(lambda: len(asked) > 2)
    assert caplog.text.count("502 down") == 1


@pytest.mark.parametrize(
    "answer",
    [
        PlainTextResponse("no JSON"),
        JSONResponse({"heartbeat_interval": "soon", "heartbeat_ttl": "20s", "heartbeat_secret": "s"}),
        JSONResponse({"heartbeat_interval": "-5s", "heartbeat_ttl": "20s", "heartbeat_secret": "s"}),
        JSONResponse({"heartbeat_interval": "5s", "heartbeat_ttl": "20s"}),
        PlainTextResponse("down", 502),
    ],
)
async def test_an_answer_that_says_nothing_is_asked_for_again(answer: Response) -> None:
    async def heartbeat(_: Request) -> Response:
        return answer

    async with (
        orchestrator([Route("/runners/heartbeat", heartbeat, methods=["POST"])]) as url,
        serve_with(make_worker("process", "SyncReturn"), registrar=announcing(url)) as served,
    ):
        assert (await until_state(served, "registering"))["reason"]
        assert (await served.predict(text="ab")).json() == "ba"


async def test_a_released_session_takes_its_calls_with_it(marks: Marks) -> None:
    async with DevNet(timings=BRISK) as net:
        worker = make_worker("process", "AsyncHeld")
        async with (
            serve_on(net, worker, runner_mode="persistent") as served,
            httpx2.AsyncClient(trust_env=False, timeout=30) as caller,
            anyio.create_task_group() as tasks,
        ):
            runner = await net.wait_for_runner("org/tested")
            base = f"{net.orchestrator_url}/apps/{runner.runner_id}/session"
            session = (await caller.post(base)).json()
            statuses: list[int] = []

            async def call() -> None:
                answer = await caller.post(f"{session['app_url']}/predict", json={"gate": "call"})
                statuses.append(answer.status_code)
                assert answer.json()["code"] == "session_ended"

            tasks.start_soon(call)
            await marks.wait("call", "entered")
            assert (await caller.post(f"{base}/{session['session_id']}/stop")).status_code == 204
            await marks.wait("call", "cancelled")
            await eventually(lambda: statuses == [410])
            assert served.server.lifecycle.running == 0


async def test_a_session_that_was_reserved_after_the_question_is_not_ended_by_its_answer() -> None:
    """The list in an answer is as old as the answer's making; the channel may have told of newer sessions since."""
    asked, told = anyio.Event(), anyio.Event()

    async def heartbeat(request: Request) -> Response:
        document = {"heartbeat_interval": "10ms", "heartbeat_ttl": "20s", "session_ids": []}
        if request.headers["authorization"] == "secret":
            o2r = {"url": f"{request.base_url}o2r"}
            return JSONResponse({**document, "heartbeat_secret": "s", "o2r": o2r})
        asked.set()
        await told.wait()
        return JSONResponse(document)

    async def o2r(request: Request) -> Response:
        if request.path_params["number"] == 0:
            await asked.wait()
            return JSONResponse({"event": "reserved", "session": "s1"}, headers={"Lp-Trickle-Seq": "0"})
        told.set()
        await anyio.sleep_forever()
        raise AssertionError

    routes = [
        Route("/runners/heartbeat", heartbeat, methods=["POST"]),
        Route("/o2r/{number:int}", o2r, methods=["GET"]),
    ]
    ended: list[str] = []
    async with orchestrator(routes) as url:
        announced = announcing(url, runner_mode="persistent")
        async with serve_with(make_worker("process", "SyncReturn"), registrar=announced) as served:
            with served.server.lifecycle.sessions.joined("s1", lambda error: ended.append(str(error))):
                await told.wait()
                await until(served, lambda found: found["state"] == "registered")
                # The next question is asked after the session was known, so its answer is believed.
                await eventually(lambda: ended == ["the session s1 was released"])


async def test_a_live_capability_runs_a_reserved_session_on_channels_that_the_orchestrator_makes() -> None:
    model = LiveModel()
    async with live_runner(model) as (net, base, caller):
        session = (await caller.post(base)).json()
        began = await caller.post(f"{session['app_url']}/live", json={"params": {"level": 4}})
        assert began.status_code == 200
        document = began.json()
        (start,) = model.sessions.started
        assert (document["stream_id"], start.stream_id) == (session["session_id"],) * 2
        assert start.params == {"level": 4}
        channels = {name: document[name] for name in CHANNEL_FIELDS}
        assert all(url.startswith(f"{net.orchestrator_url}/ai/trickle/") for url in channels.values())
        assert {name: getattr(start, name) for name in CHANNEL_FIELDS} == channels
        assert (await caller.get(f"{channels['publish_url']}/next")).status_code == 200
        found = await caller.post(f"{session['app_url']}/live/params", json={"params": {"level": 6}})
        assert found.json()["level"] == model.sessions.running[session["session_id"]].params.level == 6
        again = await caller.post(f"{session['app_url']}/live", json={})
        assert (again.status_code, again.json()["code"]) == (409, "session_exists")
        assert (await caller.post(f"{base}/{session['session_id']}/stop")).status_code == 204
        await eventually(lambda: model.sessions.ended == [session["session_id"]])


async def test_the_channels_of_a_session_that_ends_by_itself_end_too_and_it_can_begin_again() -> None:
    model = LiveModel()
    async with live_runner(model) as (_, base, caller):
        session = (await caller.post(base)).json()
        began = await caller.post(f"{session['app_url']}/live", json={"params": {"end": "at once"}})
        with anyio.fail_after(10):
            while (await caller.get(f"{began.json()['publish_url']}/next")).status_code != 404:  # noqa: ASYNC110
                await anyio.sleep(0.01)
        again = await caller.post(f"{session['app_url']}/live", json={})
        assert again.status_code == 200
        assert (await caller.get(f"{again.json()['publish_url']}/next")).status_code == 200


@pytest.mark.parametrize(("first", "status"), [({"end": "at once"}, 200), ({"level": "x"}, 422)])
async def test_a_start_waits_until_the_channels_of_an_earlier_one_are_gone(first: dict[str, Any], status: int) -> None:
    asked: list[str] = []
    statuses: list[int] = []
    deleting, delete = anyio.Event(), anyio.Event()

    async def channels(request: Request) -> Response:
        asked.append(request.method)
        if request.method == "DELETE":
            deleting.set()
            await delete.wait()
            asked.append("gone")
            return Response(status_code=204)
        wanted = (await request.json())["channels"]
        return JSONResponse({"channels": [{"name": channel["name"], "url": f"{url}/x"} for channel in wanted]})

    model = LiveModel()
    async with orchestrator([Route("/session/channels", channels, methods=["POST", "DELETE"])]) as url:
        options = ServerOptions(channel_origins=(url,))
        headers = {
            "livepeer-session-id": "s",
            "livepeer-session-token": "t",
            "livepeer-session-control": f"{url}/session",
        }
        async with serve_with(InlineWorker(lambda: model), registrar=announcing(url), options=options) as served:

            async def begin(params: dict[str, Any]) -> None:
                answer = await served.client.post("/live", json={"params": params}, headers=headers)
                statuses.append(answer.status_code)

            await begin(first)
            await deleting.wait()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(begin, {})
                tasks.start_soon(begin, {})
                await anyio.wait_all_tasks_blocked()
                delete.set()
    assert asked[:4] == ["POST", "DELETE", "gone", "POST"]
    assert (statuses[0], sorted(statuses[1:])) == (status, [200, 409])


async def test_a_session_that_is_released_while_it_starts_is_stopped() -> None:
    model = LiveModel()
    async with live_runner(model) as (_, base, caller), anyio.create_task_group() as tasks:
        session = (await caller.post(base)).json()
        statuses: list[int] = []

        async def begin() -> None:
            answer = await caller.post(f"{session['app_url']}/live", json={"params": {"start": "when told"}})
            statuses.append(answer.status_code)

        tasks.start_soon(begin)
        await model.sessions.waits.wait()
        assert (await caller.post(f"{base}/{session['session_id']}/stop")).status_code == 204
        await eventually(lambda: model.sessions.ended == [session["session_id"]])
        await eventually(lambda: statuses == [410])


async def test_a_session_that_does_not_start_says_why_and_leaves_nothing() -> None:
    model = LiveModel()
    async with live_runner(model) as (_, base, caller):
        session = (await caller.post(base)).json()
        refused = await caller.post(f"{session['app_url']}/live", json={"params": {"level": "x"}})
        assert [error["field"] for error in refused.json()["errors"]] == ["level"]
        assert model.sessions.running == {}


async def test_strangers_begin_no_session_under_live_runner() -> None:
    model = LiveModel()
    async with live_runner(model) as (net, base, caller):
        (runner,) = net.runners.values()
        session = (await caller.post(base)).json()
        stream = await caller.post(f"{session['app_url']}/stream/start", json={}, headers={"x-stream-id": "s"})
        assert stream.status_code == 404
        for headers in (
            {},
            {"livepeer-session-id": "s"},
            {"livepeer-session-id": "s", "livepeer-session-token": "t", "livepeer-session-control": "http://evil/x"},
        ):
            answer = await caller.post(f"{runner.runner_url}/live", json={}, headers=headers)
            assert (answer.status_code, model.sessions.started) == (403, [])
        forged = {
            "livepeer-session-id": session["session_id"],
            "livepeer-session-token": "wrong",
            "livepeer-session-control": f"{net.orchestrator_url}/runner/{runner.runner_id}/session/"
            + session["session_id"],
        }
        answer = await caller.post(f"{runner.runner_url}/live", json={}, headers=forged)
        assert (answer.status_code, answer.json()["code"]) == (502, "orchestrator_failed")


@asynccontextmanager
async def live_runner(model: LiveModel) -> AsyncIterator[tuple[DevNet, str, httpx2.AsyncClient]]:
    """A live capability on a network: the network, where sessions are reserved, and a caller."""
    async with DevNet(timings=BRISK) as net:
        options = ServerOptions(token="t0ken", channel_origins=(net.orchestrator_url,))
        async with (
            serve_on(net, InlineWorker(lambda: model), options=options),
            httpx2.AsyncClient(trust_env=False, timeout=30) as caller,
        ):
            runner = await net.wait_for_runner("org/tested")
            assert (runner.mode, json.loads(runner.metadata)["kind"]) == ("persistent", "live")
            yield net, f"{net.orchestrator_url}/apps/{runner.runner_id}/session", caller


def announcing(orch_url: str, **fields: Any) -> Callable[[Lifecycle], Registrar]:
    given = {"network": "live-runner", "capability_url": "http://127.0.0.1:1", "token": "t", "orch_token": "secret"}
    options = RegistrationOptions.model_validate({**given, "orch_url": orch_url, **fields})
    return lambda lifecycle: make_registrar(lifecycle, options)


@asynccontextmanager
async def orchestrator(routes: list[Route]) -> AsyncIterator[str]:
    """An orchestrator that answers as it is told: for what the real one does only on bad days."""
    sock = bind("127.0.0.1", 0)
    config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server._serve, [sock])
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
        server.should_exit = True
