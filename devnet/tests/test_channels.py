"""The trickle channels of live runners: the orchestrator makes them, and nobody else."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import anyio
import httpx2
import pytest

from .kit import Network, Worker, running_network

TRICKLE = "/ai/trickle"


async def o2r_url(network: Network, worker: Worker) -> str:
    registered = await network.heartbeat(worker, runner_id="r")
    return registered.json()["o2r"]["url"]


@pytest.mark.parametrize("path", ["/unknown", "/unknown/0"])
async def test_a_post_makes_no_channel(network: Network, path: str):
    answer = await network.http.post(network.net.orchestrator_url + TRICKLE + path, content=b"data")

    assert (answer.status_code, answer.text) == (404, "Stream not found\n")


async def test_the_router_of_channels_speaks_under_their_path_alone(network: Network):
    base = network.net.orchestrator_url

    twice = await network.http.get(f"{base}{TRICKLE}//x")
    no_seq = await network.http.get(f"{base}{TRICKLE}/x")

    assert (twice.status_code, twice.headers["Location"]) == (307, f"{TRICKLE}/x")
    assert (no_seq.status_code, no_seq.headers["Allow"]) == (405, "DELETE, POST")


async def test_a_runner_is_told_of_a_session_as_json(network: Network, worker: Worker):
    url = await o2r_url(network, worker)

    await network.http.post(network.net.orchestrator_url + "/apps/r/session")

    answer = await network.http.get(f"{url}/0")
    assert answer.json()["event"] == "reserved"
    assert answer.headers["Content-Type"] == "application/json"


async def test_a_deleted_channel_from_the_orchestrator_stops_no_session(network: Network, worker: Worker):
    url = await o2r_url(network, worker)
    assert (await network.http.delete(url)).status_code == 200

    session = await network.http.post(network.net.orchestrator_url + "/apps/r/session")

    assert session.status_code == 200
    assert (await network.http.get(f"{url}/next")).status_code == 404


async def test_a_network_stops_at_once_in_the_middle_of_a_segment(worker: Worker):
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        await anyio.sleep_forever()

    async def post(http: httpx2.AsyncClient, url: str) -> None:
        await http.post(f"{url}/0", content=half())

    async with (
        httpx2.AsyncClient(trust_env=False, timeout=None) as http,
        AsyncExitStack() as reading,
        anyio.create_task_group() as tasks,
    ):
        with anyio.fail_after(5):
            async with running_network() as network:
                url = await o2r_url(network, worker)
                tasks.start_soon(post, http, url)
                answer = await reading.enter_async_context(http.stream("GET", f"{url}/0"))
                parts = answer.aiter_raw()
                assert await anext(parts) == b"half"
        with pytest.raises(httpx2.TransportError):
            await anext(parts)
        tasks.cancel_scope.cancel()
