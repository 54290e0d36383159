"""Contract, section 7: runners that are listed in a document instead of sending heartbeats."""

import json

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from livepeer.devnet import Timings

from .kit import Network, Worker, running_network, serving, until


def document(worker: Worker, *entries: dict[str, object]) -> str:
    defaults = {
        "label": "a",
        "runner_url": worker.url,
        "health_url": "/health",
        "app": "me/model",
    }
    return json.dumps({"runners": [defaults | entry for entry in entries or ({},)]})


async def test_a_listed_runner_is_found_and_called_without_heartbeats(network: Network, worker: Worker):
    [runner] = await network.net.register_static_runners(document(worker, {"mode": "single-shot", "version": "1"}))

    assert (runner.label, runner.status, runner.static) == ("a", "ready", True)
    assert runner == network.net.runners[runner.runner_id]
    [card] = await network.discover()
    assert card["url"] == f"{network.net.orchestrator_url}/apps/{runner.runner_id}/app"
    assert (await network.http.post(card["url"] + "/echo", content=b"b")).status_code == 200
    call = worker.calls[-1]
    headers = dict(call["headers"])
    assert headers["livepeer-session-control"].startswith(network.net.orchestrator_url + "/runner/")


async def test_a_label_can_stand_for_the_id_in_urls(network: Network, worker: Worker):
    text = document(worker, {"routing": "label", "label": "my-gpu"}, {"label": "other", "mode": "single-shot"})
    first, other = await network.net.register_static_runners(text)

    assert (first.route, other.route) == ("my-gpu", other.runner_id)
    assert (await network.discover())[0]["url"] == network.net.orchestrator_url + "/apps/my-gpu/session"
    session = (await network.http.post(network.net.orchestrator_url + "/apps/my-gpu/session")).json()
    assert (await network.http.get(session["app_url"] + "/echo")).status_code == 200
    assert set(network.net.runners) == {first.runner_id, other.runner_id}


async def test_a_label_that_is_known_keeps_its_id_and_its_sessions(network: Network, worker: Worker):
    [before] = await network.net.register_static_runners(document(worker))
    url = f"{network.net.orchestrator_url}/apps/{before.route}/session"
    session = (await network.http.post(url)).json()

    [after] = await network.net.register_static_runners(document(worker, {"routing": "label", "capacity": 5}))

    assert (after.runner_id, after.route, after.capacity) == (before.runner_id, "a", 5)
    assert after.session_ids == (session["session_id"],)
    assert (await network.http.post(url)).status_code == 404
    assert len(network.net.runners) == 1


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"label": ""}, "label is required and must be trimmed"),
        ({"label": " b"}, "label is required and must be trimmed"),
        ({"label": "a"}, 'duplicate label "a"'),
        ({"routing": "name"}, 'routing must be "runner-id" or "label"'),
        ({"routing": "label", "label": "b/c"}, 'label cannot contain / when routing is "label"'),
        ({"health_url": ""}, "health_url is required"),
        ({"health_url": "health"}, "invalid health_url"),
        ({"healthy_status_code": 99}, "healthy_status_code must be a valid HTTP status code"),
        ({"runner_url": "x"}, "invalid"),
        ({"app": ""}, "app must be trimmed"),
        ({"capacity": -1}, "capacity must be >= 0"),
        ({"metadata": "x" * 1025}, "metadata must be at most 1024 bytes"),
    ],
)
async def test_one_wrong_entry_spoils_the_document_and_is_named(
    network: Network, worker: Worker, entry: dict[str, object], message: str
):
    text = document(worker, {}, {"label": "b"} | entry)

    with pytest.raises(ValueError, match=r"^runners\[1\]: ") as caught:
        await network.net.register_static_runners(text)

    assert message in str(caught.value)
    assert not network.net.runners


@pytest.mark.parametrize("text", ["", "[]", '{"runners": {}}', '{"runners": [1]}'])
async def test_a_document_of_another_shape_is_refused(network: Network, text: str):
    with pytest.raises(ValueError, match=r"Expecting|must be"):
        await network.net.register_static_runners(text)


async def test_where_calls_are_paid_a_listed_runner_needs_a_price(worker: Worker):
    async with running_network(paid=True) as network:
        with pytest.raises(ValueError, match="price is required"):
            await network.net.register_static_runners(document(worker))


async def test_a_runner_is_hidden_while_its_health_is_another_than_wished(worker: Worker):
    status = [204]

    async def health(_: Request) -> Response:
        return Response(status_code=status[0])

    timings = Timings(health_interval_seconds=0.01)
    async with serving(Starlette(routes=[Route("/ok", health)])) as server, running_network(timings=timings) as network:
        text = document(worker, {"health_url": server.url + "/ok", "healthy_status_code": 204, "routing": "label"})
        [runner] = await network.net.register_static_runners(text)
        assert runner.status == "ready"
        session = (await network.http.post(network.net.orchestrator_url + "/apps/a/session")).json()

        status[0] = 200
        await until(lambda: network.net.runners[runner.runner_id].status == "unavailable")
        assert await network.discover() == []
        assert network.net.runners[runner.runner_id].session_ids == ()
        assert (await network.http.get(session["app_url"] + "/")).status_code == 404

        status[0] = 204
        assert (await network.net.wait_for_runner("me/model", timeout_seconds=5)).status == "ready"


async def test_a_runner_that_is_down_or_never_says_how_it_is_is_listed_but_hidden(worker: Worker):
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as silent,
        running_network(timings=Timings(health_timeout_seconds=0.05)) as network,
    ):
        port = silent.extra(anyio.abc.SocketAttribute.local_port)
        runners = await network.net.register_static_runners(
            document(
                worker,
                {"label": "down", "runner_url": "http://127.0.0.1:9"},
                {"label": "silent", "health_url": f"http://127.0.0.1:{port}/health"},
            )
        )

        assert [runner.status for runner in runners] == ["unavailable", "unavailable"]
        assert await network.discover() == []


async def test_a_listed_runner_neither_sends_heartbeats_nor_unregisters(network: Network, worker: Worker):
    [runner] = await network.net.register_static_runners(document(worker))

    answers = [
        await network.heartbeat(worker, runner_id=runner.runner_id, secret=""),
        await network.http.post(f"{network.net.orchestrator_url}/runners/{runner.runner_id}/unregister"),
    ]

    assert [answer.status_code for answer in answers] == [400, 400]
    assert [answer.text for answer in answers] == [
        "static runner cannot heartbeat\n",
        "static runner cannot unregister with heartbeat credentials\n",
    ]


async def test_a_restart_forgets_listed_runners(network: Network, worker: Worker):
    [before] = await network.net.register_static_runners(document(worker))

    await network.net.restart_orchestrator()

    assert not network.net.runners
    [after] = await network.net.register_static_runners(document(worker))
    assert after.runner_id != before.runner_id


async def test_an_orchestrator_is_chosen_by_its_index(worker: Worker):
    async with running_network(orchestrators=2) as network:
        await network.net.register_static_runners(document(worker), index=1)

        assert [len(orchestrator.runners) for orchestrator in network.net.orchestrators] == [0, 1]
