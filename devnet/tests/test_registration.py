"""BYOC contract, section 1: how a worker announces itself, and when it is forgotten."""

import anyio
import httpx2
import pytest

from .kit import Network, Worker, encode


async def post(network: Network, path: str, *, secret: str | None = None, content: bytes = b"") -> httpx2.Response:
    authorization = network.net.secret if secret is None else secret
    return await network.http.post(
        network.net.orchestrator_url + path, headers={"Authorization": authorization}, content=content
    )


async def test_registering_answers_ok_and_announces_the_capability(network: Network, worker: Worker):
    answer = await network.register(worker, description="a model", capacity=3, price_per_unit=7, token="t")

    assert (answer.status_code, answer.text) == (200, "ok")
    capability = network.net.capabilities["model"]
    assert (capability.url, capability.description, capability.capacity) == (worker.url, "a model", 3)
    assert (capability.price_per_unit, capability.token, capability.load) == (7, "t", 0)


async def test_registering_again_replaces_the_entry(network: Network, worker: Worker):
    await network.register(worker, capacity=1)

    assert (await network.register(worker, capacity=5)).status_code == 200

    assert list(network.net.capabilities) == ["model"]
    assert network.net.capabilities["model"].capacity == 5


async def test_a_token_stays_out_of_what_is_printed(network: Network, worker: Worker):
    await network.register(worker, token="hush")

    assert "hush" not in repr(network.net.capabilities["model"])


@pytest.mark.parametrize("path", ["/capability/register", "/capability/unregister"])
@pytest.mark.parametrize("prefix", ["wrong", "Bearer "])
async def test_another_authorization_than_the_raw_secret_is_400(network: Network, path: str, prefix: str):
    answer = await post(network, path, secret=prefix + network.net.secret, content=b'{"name": "model"}')

    assert (answer.status_code, answer.text.strip()) == (400, "invalid authorization")
    assert not network.net.capabilities


async def test_a_registration_that_is_not_such_json_is_400(network: Network):
    for body in (
        b"",
        b"not JSON",
        b"[]",
        b'{"name": 1}',
        b'{"name": "model", "capacity": "1"}',
        b'{"name": "model", "capacity": 1.0}',
        b'{"name": "model", "capacity": true}',
        b'{"name": "model", "capacity": NaN}',
    ):
        answer = await post(network, "/capability/register", content=body)
        assert (body, answer.status_code) == (body, 400)
        assert answer.text.startswith("Error registering capability: ")
    assert not network.net.capabilities


@pytest.mark.parametrize("path", ["/capability/register", "/capability/unregister"])
async def test_another_method_is_405(network: Network, path: str):
    answer = await network.http.get(network.net.orchestrator_url + path)

    assert answer.status_code == 405


async def test_a_price_scaling_of_0_is_read_as_1(network: Network, worker: Worker):
    await network.register(worker, price_scaling=0)

    assert network.net.capabilities["model"].price_scaling == 1


async def test_a_price_in_wei_needs_no_conversion(network: Network, worker: Worker):
    for currency in ("", "wei", "WEI", None):
        assert (currency, (await network.register(worker, currency=currency)).status_code) == (currency, 200)


async def test_a_currency_that_cannot_be_converted_drops_the_connection(network: Network, worker: Worker):
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending a response"):
        await network.register(worker, currency="usd")

    assert not network.net.capabilities
    assert (await network.register(worker, currency="wei")).status_code == 200


async def test_unregistering_takes_the_name_as_plain_text(network: Network, worker: Worker):
    await network.register(worker)

    as_json = await post(network, "/capability/unregister", content=b'"model"')
    assert (as_json.status_code, list(network.net.capabilities)) == (200, ["model"])

    as_text = await post(network, "/capability/unregister", content=b"model")
    assert (as_text.status_code, as_text.text, list(network.net.capabilities)) == (200, "ok", [])


async def test_unregistering_an_unknown_name_is_200(network: Network):
    assert (await post(network, "/capability/unregister", content=b"nobody")).status_code == 200


async def test_a_restart_forgets_every_registration_and_keeps_the_port(network: Network, worker: Worker):
    await network.register(worker)
    url = network.net.orchestrator_url

    await network.net.restart_orchestrator()

    assert network.net.orchestrator_url == url
    assert not network.net.capabilities
    await network.register(worker)
    assert (await network.call()).status_code == 200


async def test_a_worker_that_cannot_be_reached_is_forgotten(network: Network, worker: Worker):
    await network.register(worker)
    await worker.server.stop()

    await network.call()

    assert not network.net.capabilities


async def test_a_worker_that_breaks_off_before_it_answers_is_forgotten(network: Network, worker: Worker):
    await network.register(worker)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(network.call, "hang")
        await worker.called.wait()
        await worker.server.stop()

    assert not network.net.capabilities


async def test_a_worker_that_answers_401_is_forgotten(network: Network, worker: Worker):
    await network.register(worker)

    await network.call("answer", {"status": 401})

    assert not network.net.capabilities


async def test_waiting_for_a_capability_ends_when_it_is_registered(network: Network, worker: Worker):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(network.register, worker)
        capability = await network.net.wait_for("model", timeout_seconds=5)

    assert capability == network.net.capabilities["model"]


async def test_waiting_for_a_capability_that_never_comes_is_a_timeout_that_names_it(network: Network):
    with pytest.raises(TimeoutError, match="'nobody'"):
        await network.net.wait_for("nobody", timeout_seconds=0.01)
    with pytest.raises(TimeoutError, match="'nobody'"):
        await network.net.orchestrators[0].wait_for("nobody", timeout_seconds=0.01)


async def test_a_gateway_is_told_how_many_jobs_a_capability_takes(network: Network, worker: Worker):
    await network.register(worker, capacity=4)
    headers = {"Livepeer-Eth-Address": encode({"addr": "0x00", "sig": ""}), "Livepeer-Capability": "model"}

    token = (await network.http.get(network.net.orchestrator_url + "/process/token", headers=headers)).json()

    assert token["available_capacity"] == 4
    assert token["service_addr"] == network.net.orchestrator_url


@pytest.mark.parametrize(
    "headers",
    [
        {"Livepeer-Capability": "model"},
        {"Livepeer-Capability": "model", "Livepeer-Eth-Address": "not base64"},
        {"Livepeer-Capability": "model", "Livepeer-Eth-Address": encode({"addr": "0x00", "sig": "0x"})},
        {"Livepeer-Eth-Address": encode({"addr": "0x00", "sig": ""})},
    ],
)
async def test_a_gateway_without_address_or_capability_is_told_nothing(network: Network, headers: dict[str, str]):
    answer = await network.http.get(network.net.orchestrator_url + "/process/token", headers=headers)

    assert answer.status_code == 400
