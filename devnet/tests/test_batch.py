"""BYOC contract, section 3: what the worker is asked, and what becomes of its answer."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest

from .kit import FAST, Network, Worker, job_header, running_network, running_worker

both_ways = pytest.mark.parametrize("direct", [False, True], ids=["gateway", "orchestrator"])


@asynccontextmanager
async def two_orchestrators(bad: Worker) -> AsyncIterator[tuple[Network, Worker]]:
    """A network of two orchestrators, one with the bad worker and one with a good one."""
    async with running_network(orchestrators=2) as network, running_worker() as good:
        await network.register(bad, at=0)
        await network.register(good, at=1)
        yield network, good


@both_ways
async def test_the_worker_gets_the_body_and_none_of_the_callers_other_headers(
    network: Network, worker: Worker, direct: bool
):
    await network.register(worker)
    headers = {"Livepeer": job_header(), "Content-Type": "text/x-own", "X-Own": "1", "Authorization": "Bearer own"}

    await network.http.post(network.url("echo?q=1", direct=direct), content=b"hello", headers=headers)

    [call] = worker.calls
    assert (call["method"], call["path"], call["query"], call["body"]) == ("POST", "/echo", "", "hello")
    sent = dict(call["headers"])
    assert (sent["content-type"], sent["content-length"]) == ("text/x-own", "5")
    assert sent.keys() == {"host", "user-agent", "accept-encoding", "content-type", "content-length"}


async def test_the_worker_gets_its_token(network: Network, worker: Worker):
    await network.register(worker, token="hush")

    await network.call()

    assert ["authorization", "Bearer hush"] in worker.calls[0]["headers"]


@both_ways
@pytest.mark.parametrize(("route", "path"), [("", "/"), ("a/b%20c", "/a/b c"), ("stream/start", "/stream/start")])
async def test_the_route_is_whatever_follows_the_prefix(
    network: Network, worker: Worker, route: str, path: str, direct: bool
):
    await network.register(worker)

    await network.call(route, direct=direct)

    assert worker.calls[0]["path"] == path


@both_ways
async def test_another_method_than_post_is_405(network: Network, worker: Worker, direct: bool):
    await network.register(worker)

    answer = await network.http.get(network.url("echo", direct=direct), headers={"Livepeer": job_header()})

    assert answer.status_code == 405


async def test_the_orchestrator_passes_back_content_type_and_metadata(network: Network, worker: Worker):
    await network.register(worker)
    order = {"body": "{}", "headers": {"Content-Type": "application/x-own", "X-Metadata": "m", "X-Own": "1"}}

    answer = await network.call("answer", order, direct=True)

    assert (answer.headers["Content-Type"], answer.headers["X-Metadata"]) == ("application/x-own", "m")
    assert answer.headers["Livepeer-Balance"] == "0"
    assert "X-Own" not in answer.headers


async def test_the_gateway_guesses_the_content_type_and_adds_its_headers(network: Network, worker: Worker):
    await network.register(worker)
    order = {"body": "{}", "headers": {"Content-Type": "application/json", "X-Metadata": "m", "X-Own": "1"}}

    answer = await network.call("answer", order)

    assert (answer.headers["Content-Type"], answer.headers["X-Metadata"]) == ("text/plain; charset=utf-8", "m")
    assert answer.headers["X-Orchestrator-Url"] == network.net.orchestrator_url
    assert answer.headers["Livepeer-Balance"] == "0"
    assert "X-Own" not in answer.headers


@both_ways
async def test_any_status_below_400_comes_back_as_200_with_the_whole_body(
    network: Network, worker: Worker, direct: bool
):
    await network.register(worker)
    body = "x" * 3_000_000

    answer = await network.call("answer", {"status": 201, "body": body}, direct=direct)

    assert (answer.status_code, answer.text) == (200, body)


@both_ways
async def test_a_redirect_is_followed(network: Network, worker: Worker, direct: bool):
    await network.register(worker)

    answer = await network.call("moved", b"hello", direct=direct)

    assert answer.json()["body"] == "hello"


async def test_a_url_that_cannot_be_read_is_500_and_one_that_cannot_be_called_costs_the_registration(
    network: Network, worker: Worker
):
    await network.register(worker, url="http://host:port")
    assert (await network.call(direct=True)).status_code == 500
    assert list(network.net.capabilities) == ["model"]

    await network.register(worker, url="gopher://nowhere")
    assert (await network.call(direct=True)).status_code == 500
    assert not network.net.capabilities


async def test_cookies_of_a_worker_are_not_sent_back(network: Network, worker: Worker):
    await network.register(worker)

    for _ in range(2):
        await network.call("answer", {"headers": {"Set-Cookie": "a=b"}})

    assert "cookie" not in dict(worker.calls[1]["headers"])


@both_ways
async def test_an_error_of_the_caller_is_passed_back(network: Network, worker: Worker, direct: bool):
    await network.register(worker)

    for status in (400, 404, 422, 499):
        answer = await network.call("answer", {"status": status, "body": '{"why": 1}'}, direct=direct)
        assert (answer.status_code, answer.json()) == (status, {"why": 1})
        assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


async def test_an_error_of_the_caller_is_not_tried_elsewhere(worker: Worker):
    async with two_orchestrators(worker) as (network, good):
        order = {"status": 422}
        for _ in range(2):
            assert (await network.call("answer", order)).status_code == 422
        assert len(worker.calls) + len(good.calls) == 2


@pytest.mark.parametrize("order", [{"status": 500}, {"status": 503}, {"status": 401}])
async def test_a_failing_worker_makes_the_gateway_try_the_next_orchestrator(worker: Worker, order: dict[str, Any]):
    async with two_orchestrators(worker) as (network, good):
        good.orders[:] = [{"body": "good"}] * 100
        with anyio.fail_after(10):
            while not worker.calls:
                answer = await network.call("answer", order)
                assert (answer.status_code, answer.text) == (200, "good")
                assert answer.headers["X-Orchestrator-Url"] == network.net.orchestrator_urls[1]


async def test_an_unreachable_worker_makes_the_gateway_try_the_next_orchestrator(worker: Worker):
    async with two_orchestrators(worker) as (network, _):
        await worker.server.stop()
        with anyio.fail_after(10):
            while network.net.orchestrators[0].capabilities:
                assert (await network.call()).headers["X-Orchestrator-Url"] == network.net.orchestrator_urls[1]


async def test_a_job_that_times_out_is_brought_to_the_next_orchestrator(worker: Worker):
    async with two_orchestrators(worker) as (network, good):
        answer = await network.call("hang", timeout_seconds=1)

        assert (answer.status_code, answer.content) == (200, b"")
        assert (len(worker.calls), len(good.calls)) == (1, 1)


@pytest.mark.parametrize("status", [401, 500, 503])
async def test_when_every_orchestrator_fails_the_answer_is_an_empty_200(network: Network, worker: Worker, status: int):
    await network.register(worker)

    answer = await network.call("answer", {"status": status, "body": "why"})

    assert (answer.status_code, answer.content) == (200, b"")
    assert not {"X-Orchestrator-Url", "Content-Type", "Livepeer-Balance"} & set(answer.headers)


async def test_an_error_of_the_worker_is_passed_back_by_the_orchestrator(network: Network, worker: Worker):
    await network.register(worker)

    answer = await network.call("answer", {"status": 503, "body": "busy"}, direct=True)

    assert (answer.status_code, answer.text.strip()) == (503, "busy")


async def test_a_401_of_the_worker_is_a_500_of_the_orchestrator(network: Network, worker: Worker):
    await network.register(worker)

    answer = await network.call("answer", {"status": 401}, direct=True)

    assert answer.status_code == 500
    assert not network.net.capabilities


async def test_an_unreachable_worker_is_a_500_of_the_orchestrator(network: Network, worker: Worker):
    await network.register(worker)
    await worker.server.stop()

    answer = await network.call(direct=True)

    assert answer.status_code == 500
    assert "removing capability" in answer.text
    assert not network.net.capabilities


@both_ways
async def test_at_the_deadline_the_worker_sees_a_disconnect(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    begin = anyio.current_time()

    answer = await network.call("hang", timeout_seconds=2, direct=direct)

    assert FAST.job_seconds(2) <= anyio.current_time() - begin < 2
    assert answer.status_code == (500 if direct else 200)
    assert list(network.net.capabilities) == ["model"]
    await worker.left.wait()


@both_ways
async def test_when_the_caller_leaves_the_worker_sees_a_disconnect(network: Network, worker: Worker, direct: bool):
    await network.register(worker)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lambda: network.call("hang", direct=direct))
        await worker.called.wait()
        tasks.cancel_scope.cancel()

    await worker.left.wait()


@both_ways
async def test_a_caller_that_leaves_amid_its_body_reaches_no_worker(network: Network, worker: Worker, direct: bool):
    await network.register(worker)
    begun = anyio.Event()

    async def endless() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await anyio.sleep_forever()

    async with anyio.create_task_group() as tasks:
        url, headers = network.url("echo", direct=direct), {"Livepeer": job_header()}
        tasks.start_soon(lambda: network.http.post(url, content=endless(), headers=headers))
        await begun.wait()
        tasks.cancel_scope.cancel()

    assert (await network.call("echo", b"next", direct=True)).status_code == 200
    assert [call["body"] for call in worker.calls] == ["next"]


async def test_large_bodies_pass_both_ways(network: Network, worker: Worker):
    await network.register(worker)
    body = b"x" * 5_000_000

    assert json.loads((await network.call("echo", body)).content)["body"] == body.decode()


async def test_many_callers_are_served_at_once(network: Network, worker: Worker):
    await network.register(worker, capacity=1000)
    answers: list[httpx2.Response] = []

    async def call(number: int) -> None:
        answers.append(await network.call("echo", str(number).encode()))

    async with anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(call, number)

    assert sorted(int(answer.json()["body"]) for answer in answers) == list(range(100))
    assert network.load == 0
