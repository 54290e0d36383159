"""Contract, section 7: how a live runner comes, stays and goes, and how callers find it."""

import json

import anyio
import pytest

from livepeer.devnet import RegisteredRunner, Timings
from livepeer.devnet._runner_routes import go_duration

from .kit import Network, Worker, running_network, until

# A runner without heartbeats expires at once, and is swept away when the test says so, or never.
EXPIRING = Timings(heartbeat_ttl_seconds=0.01, heartbeat_interval_seconds=600)
SWEEPING = Timings(heartbeat_ttl_seconds=0.01, heartbeat_interval_seconds=0.02)


async def unregister(network: Network, runner_id: str, secret: str) -> int:
    url = f"{network.net.orchestrator_url}/runners/{runner_id}/unregister"
    return (await network.http.post(url, headers={"Authorization": secret})).status_code


async def test_a_first_heartbeat_registers_a_runner_and_brings_its_secret_and_channel(network: Network, worker: Worker):
    answer = await network.heartbeat(worker)

    fields = answer.json()
    assert answer.status_code == 200
    assert fields["orchestrator"] == network.net.orchestrator_url
    assert (fields["heartbeat_interval"], fields["heartbeat_ttl"]) == ("5s", "20s")
    assert fields["session_ids"] == []
    assert fields["runner_id"].startswith("runner_")
    assert len(fields["heartbeat_secret"]) == 52
    o2r = fields["o2r"]
    assert (o2r["name"], o2r["mime_type"]) == ("o2r", "application/json")
    assert o2r["channel_name"].startswith(fields["runner_id"])
    assert o2r["url"] == f"{network.net.orchestrator_url}/ai/trickle/{o2r['channel_name']}"
    assert "internal_url" not in o2r


async def test_later_heartbeats_bring_neither_and_update_the_runner(network: Network, worker: Worker):
    first = (await network.heartbeat(worker, metadata="old")).json()

    later = await network.heartbeat(
        worker, runner_id=first["runner_id"], secret=first["heartbeat_secret"], capacity=7, metadata="new"
    )

    assert later.status_code == 200
    assert not {"heartbeat_secret", "o2r"} & set(later.json())
    runner = network.net.runners[first["runner_id"]]
    assert (runner.capacity, runner.metadata) == (7, "new")


async def test_a_runner_is_held_with_all_that_it_says(network: Network, worker: Worker):
    await network.heartbeat(
        worker,
        runner_id=" mine ",
        label="a label",
        version="1.2",
        metadata='{"name":"Model"}',
        status="ready",
        mode="single_shot",
        capacity=3,
        proxy=True,
        gpu={"id": "0", "name": "H100", "vram_mb": 80000},
        price_info={"price": 3.5, "currency": "usd", "unit": "hour"},
        session_ids=["unknown"],
    )

    [runner] = network.net.runners.values()
    assert isinstance(runner, RegisteredRunner)
    assert (runner.runner_id, runner.route, runner.label) == ("mine", "mine", "a label")
    assert (runner.app, runner.runner_url, runner.version) == ("me/model", worker.url, "1.2")
    assert (runner.metadata, runner.status, runner.mode) == ('{"name":"Model"}', "ready", "single-shot")
    assert (runner.capacity, runner.proxy, runner.session_ids) == (3, True, ())
    assert runner.gpu is not None
    assert (runner.gpu.id, runner.gpu.name, runner.gpu.vram_mb) == ("0", "H100", 80000)
    assert runner.price_info is not None
    assert (str(runner.price_info.price), runner.price_info.unit) == ("3.5", "hour")
    with pytest.raises(AttributeError):
        runner.capacity = 1  # type: ignore[misc]


async def test_what_is_left_out_has_its_default(network: Network, worker: Worker):
    await network.heartbeat(worker, capacity=0, gpu=1)

    [runner] = network.net.runners.values()
    assert (runner.mode, runner.capacity, runner.status, runner.proxy) == ("persistent", 1, "", False)
    assert runner.gpu is not None
    assert (runner.gpu.id, runner.gpu.name) == ("1", "")
    assert runner.price_info is None


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"runner_url": ""}, "invalid runner_url"),
        ({"runner_url": "worker:8000"}, "invalid runner_url"),
        ({"runner_url": "ftp://worker"}, "invalid runner_url"),
        ({"runner_url": "http://"}, "invalid runner_url"),
        ({"runner_url": "http://[::1"}, "invalid runner_url"),
        ({"app": ""}, "app must be trimmed"),
        ({"app": " me/model"}, "app must be trimmed"),
        ({"metadata": "é" * 513}, "metadata must be at most 1024 bytes"),
        ({"metadata": "\N{REPLACEMENT CHARACTER}"}, "metadata must not contain Unicode replacement character U+FFFD"),
        ({"status": "Ready"}, "status must be lowercase and trimmed"),
        ({"mode": "batch"}, 'mode must be "persistent" or "single-shot"'),
        ({"capacity": -1}, "capacity must be >= 0"),
        ({"capacity": "1"}, "capacity must be an integer"),
        ({"proxy": 1}, "proxy must be a boolean"),
        ({"gpu": True}, "gpu must be a JSON object"),
        ({"price_info": {"price": []}}, "price_info.price must be a number"),
        ({"price_info": {"price": "much"}}, "price_info.price must be a number"),
        ({"app": 1}, "app must be a string"),
        ({"session_ids": [1]}, "session_ids must be a list of strings"),
    ],
)
async def test_a_heartbeat_that_does_not_hold_is_400_and_says_why(
    network: Network, fields: dict[str, object], message: str
):
    answer = await network.heartbeat(secret="wrong", **fields)

    assert (answer.status_code, answer.text) == (400, message + "\n")
    assert not network.net.runners


@pytest.mark.parametrize("body", [b"", b"not JSON", b"[]", b'{"app": "\xff"}', b"null", b"[" * 100_000])
async def test_a_heartbeat_that_is_no_json_object_is_400(network: Network, body: bytes):
    url = network.net.orchestrator_url + "/runners/heartbeat"
    answer = await network.http.post(url, content=body, headers={"Authorization": network.net.secret})

    assert answer.status_code == 400


async def test_metadata_with_half_a_surrogate_pair_is_400(network: Network, worker: Worker):
    answer = await network.heartbeat(worker, metadata="\ud800")

    assert (answer.status_code, answer.text.split()[0]) == (400, "metadata")


async def test_metadata_of_1024_bytes_is_taken(network: Network, worker: Worker):
    assert (await network.heartbeat(worker, metadata="é" * 512)).status_code == 200


@pytest.mark.parametrize("prefix", ["wrong", "Bearer "])
async def test_another_authorization_than_the_raw_secret_is_401(network: Network, worker: Worker, prefix: str):
    answer = await network.heartbeat(worker, secret=prefix + network.net.secret)

    assert (answer.status_code, answer.text) == (401, "invalid registration authorization\n")


async def test_while_a_runner_lives_only_its_own_secret_is_taken(network: Network, worker: Worker):
    runner_id = (await network.heartbeat(worker)).json()["runner_id"]

    answer = await network.heartbeat(worker, runner_id=runner_id)

    assert (answer.status_code, answer.text) == (401, "invalid heartbeat authorization\n")


async def test_a_network_without_a_secret_takes_no_registrations(worker: Worker):
    async with running_network(secret="") as network:
        answer = await network.heartbeat(worker)

    assert (answer.status_code, answer.text) == (404, "dynamic live runner registration is disabled\n")


async def test_between_expiry_and_sweep_a_heartbeat_is_404_and_the_runner_is_gone(worker: Worker):
    async with running_network(timings=EXPIRING) as network:
        fields = (await network.heartbeat(worker)).json()
        await until(lambda: not network.net.runners)

        answer = await network.heartbeat(worker, runner_id=fields["runner_id"], secret=fields["heartbeat_secret"])

        assert (answer.status_code, answer.text) == (404, "runner not found\n")
        assert await network.discover() == []
        assert await unregister(network, fields["runner_id"], fields["heartbeat_secret"]) == 404


async def test_after_the_sweep_a_heartbeat_is_401_and_the_secret_registers_again(worker: Worker):
    async with running_network(timings=SWEEPING) as network:
        first = (await network.heartbeat(worker)).json()
        with anyio.fail_after(5):
            while (await network.http.get(first["o2r"]["url"] + "/next")).status_code != 404:
                pass

        again = await network.heartbeat(worker, runner_id=first["runner_id"], secret=first["heartbeat_secret"])
        anew = await network.heartbeat(worker, runner_id=first["runner_id"])

        assert (again.status_code, anew.status_code) == (401, 200)
        assert anew.json()["heartbeat_secret"] != first["heartbeat_secret"]


async def test_unregistering_is_204_once_and_then_401_for_heartbeats(network: Network, worker: Worker):
    fields = (await network.heartbeat(worker)).json()
    runner_id, secret = fields["runner_id"], fields["heartbeat_secret"]

    assert await unregister(network, runner_id, network.net.secret) == 401
    assert await unregister(network, runner_id, secret) == 204

    assert not network.net.runners
    assert await unregister(network, runner_id, secret) == 404
    assert (await network.heartbeat(worker, runner_id=runner_id, secret=secret)).status_code == 401
    assert (await network.http.get(fields["o2r"]["url"] + "/next")).status_code == 404


async def test_discovery_tells_what_callers_need_and_nothing_else(network: Network, worker: Worker):
    await network.heartbeat(
        worker,
        runner_id="a",
        label="secret label",
        version="1.2",
        metadata="{}",
        capacity=2,
        gpu={"name": "H100"},
        price_info={"price": 1},
    )
    await network.heartbeat(worker, runner_id="b", mode="single-shot", app="me/other")
    await network.heartbeat(worker, runner_id="c", mode="single-shot", proxy=True)
    await network.heartbeat(worker, runner_id="d", status="busy")

    base = network.net.orchestrator_url
    counts = {"capacity": 1, "capacity_used": 0, "capacity_available": 1, "mode": "single-shot"}
    assert await network.discover() == [
        {
            "url": f"{base}/apps/a/session",
            "gpu": {"name": "H100"},
            "app": "me/model",
            "version": "1.2",
            "metadata": "{}",
            "mode": "persistent",
            "capacity": 2,
            "capacity_used": 0,
            "capacity_available": 2,
        },
        {"url": f"{base}/apps/b/app", "app": "me/other"} | counts,
        {"url": f"{base}/run/c", "app": "me/model"} | counts,
    ]


async def test_discovery_without_runners_is_the_address_alone(network: Network):
    answer = await network.http.get(network.net.orchestrator_url + "/discovery")

    assert answer.json() == [{"address": network.net.orchestrator_url}]


async def test_waiting_for_a_runner_ends_when_callers_can_find_it(network: Network, worker: Worker):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(network.heartbeat, worker)
        runner = await network.net.wait_for_runner("me/model", timeout_seconds=5)

    assert runner == network.net.runners[runner.runner_id]


async def test_waiting_for_a_runner_that_never_comes_or_is_not_ready_is_a_timeout(network: Network, worker: Worker):
    await network.heartbeat(worker, status="loading")

    for node in (network.net, network.net.orchestrators[0]):
        with pytest.raises(TimeoutError, match="'me/model'"):
            await node.wait_for_runner("me/model", timeout_seconds=0.01)


async def test_a_restart_forgets_runners_and_their_channels(network: Network, worker: Worker):
    fields = (await network.heartbeat(worker)).json()

    await network.net.restart_orchestrator()

    assert not network.net.runners
    assert (await network.http.get(fields["o2r"]["url"] + "/next")).status_code == 404
    again = await network.heartbeat(worker, runner_id=fields["runner_id"], secret=fields["heartbeat_secret"])
    assert again.status_code == 401


async def test_runners_of_every_orchestrator_are_seen(worker: Worker):
    async with running_network(orchestrators=2) as network:
        await network.heartbeat(worker, at=1, runner_id="r")

        assert (await network.net.wait_for_runner("me/model")).runner_id == "r"
        assert list(network.net.runners) == ["r"]
        assert not network.net.orchestrators[0].runners


@pytest.mark.parametrize(
    ("networks", "there", "absent"),
    [
        (["byoc"], "/capability/register", "/runners/heartbeat"),
        (["live-runner"], "/runners/heartbeat", "/capability/register"),
    ],
)
async def test_a_network_that_speaks_one_way_has_no_route_of_the_other(networks: list[str], there: str, absent: str):
    async with running_network(networks=networks) as network:
        assert (await network.http.post(network.net.orchestrator_url + there)).status_code == 400
        assert (await network.http.post(network.net.orchestrator_url + absent)).status_code == 404


@pytest.mark.parametrize(
    ("seconds", "text"), [(5, "5s"), (20.0, "20s"), (0.05, "50ms"), (90, "1m30s"), (1.5, "1.5s"), (3600, "1h0m0s")]
)
def test_durations_are_written_as_go_writes_them(seconds: float, text: str):
    assert go_duration(seconds) == text


async def test_a_message_tells_the_runner_of_its_sessions_and_another_that_all_is_well(worker: Worker):
    async with running_network(timings=Timings(o2r_keepalive_seconds=0.05)) as network:
        o2r = (await network.heartbeat(worker, runner_id="r")).json()["o2r"]["url"]

        first = await network.http.get(f"{o2r}/0")
        assert first.content == b'{"keep":"alive"}'
        assert first.headers["Content-Type"] == "application/json"

    async with running_network() as network:
        o2r = (await network.heartbeat(worker, runner_id="r")).json()["o2r"]["url"]
        session = (await network.http.post(network.net.orchestrator_url + "/apps/r/session")).json()
        await network.http.post(session["control_url"] + "/stop")
        events = [json.loads((await network.http.get(f"{o2r}/{seq}")).content) for seq in range(2)]

    assert [event["event"] for event in events] == ["reserved", "released"]
    assert {event["session"] for event in events} == {session["session_id"]}
    assert all(event["timestamp"].endswith("Z") for event in events)
