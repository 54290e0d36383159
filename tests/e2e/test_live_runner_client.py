"""The client on a network that speaks Live Runner, with a plain HTTP worker behind it."""

import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.to_thread
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from livepeer.client import (
    BusyError,
    Card,
    Event,
    Gateway,
    LivepeerError,
    NoOrchestratorError,
    PaymentRequiredError,
    PriceTooHighError,
    RefusedError,
    TimedOutError,
)
from livepeer.devnet import DevNet, PaymentRefusal, PaymentRequest, Timings

from .network import listening

APP = "me/model"
PRICES = {
    "seconds": {"price": 1, "currency": "usd", "unit": "hour"},
    "720p-pixel-seconds": {"price": 1, "currency": "usd", "unit": "720p"},
    "fixed": {"price": 0.01, "currency": "usd", "unit": "fixed"},
}


class Worker:
    """A worker that knows nothing of Livepeer but its routes."""

    def __init__(self) -> None:
        self.sessions: list[str] = []
        self.has_left = anyio.Event()
        self.is_called = anyio.Event()
        self.app = Starlette(
            routes=[
                Route("/predict", self._predict, methods=["POST"]),
                Route("/stream", self._stream, methods=["POST"]),
                Route("/stay", self._stay, methods=["POST"]),
            ]
        )

    async def _predict(self, request: Request) -> Response:
        self.sessions.append(request.headers["livepeer-session-id"])
        body = await request.body()
        if request.headers["content-type"] == "application/octet-stream":
            return Response(body[::-1], media_type="application/octet-stream")
        return JSONResponse({"echo": json.loads(body)})

    async def _stream(self, request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            for index in range(await request.json()):
                yield f'data: {{"i": {index}}}\n\n'
            yield "data: [DONE]\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    async def _stay(self, request: Request) -> Response:
        await request.body()
        self.is_called.set()
        assert await request.receive() == {"type": "http.disconnect"}
        self.has_left.set()
        return Response()


@asynccontextmanager
async def serving(net: DevNet, at: int = 0, **fields: Any) -> AsyncIterator[Worker]:
    """Serve a worker, and announce it with a heartbeat."""
    worker = Worker()
    async with listening(worker.app) as url, httpx2.AsyncClient(trust_env=False) as http:
        heartbeat = {"runner_url": url, "app": APP, "mode": "single-shot", "capacity": 2, **fields}
        path, headers = f"{net.orchestrator_urls[at]}/runners/heartbeat", {"Authorization": net.secret}
        (await http.post(path, json=heartbeat, headers=headers)).raise_for_status()
        yield worker


@pytest.fixture
async def net() -> AsyncIterator[DevNet]:
    async with DevNet(networks=("live-runner",), orchestrators=2) as running:
        yield running


@pytest.fixture
async def gateway(net: DevNet) -> AsyncIterator[Gateway]:
    async with Gateway(orch_url=net.orchestrator_urls) as gateway:
        yield gateway


@pytest.mark.parametrize("mode", ["single-shot", "persistent"])
async def test_values_bytes_and_streams_come_back_as_the_worker_gave_them(
    net: DevNet, gateway: Gateway, mode: str
) -> None:
    async with serving(net, mode=mode):
        assert await gateway.run_async("model", {"n": 1}) == {"echo": {"n": 1}}
        assert await gateway.run_async(APP, b"\x00\x01") == b"\x01\x00"
        assert await gateway.run_async("model", 3, route="stream") == [{"i": 0}, {"i": 1}, {"i": 2}]
        events = [event async for event in gateway.stream_async("model", 2, route="stream")]
        assert events == [Event('{"i": 0}'), Event('{"i": 1}')]
        assert not any(runner.session_ids for runner in net.runners.values())


async def test_a_blocking_caller_gets_the_same(net: DevNet, gateway: Gateway) -> None:
    async with serving(net):

        def call() -> list[Any]:
            found = gateway.discover("model")
            return [gateway.run(found[0], 1), [event.json() for event in gateway.stream("model", 1, route="stream")]]

        assert await anyio.to_thread.run_sync(call) == [{"echo": 1}, [{"i": 0}]]


async def test_discovery_tells_the_card_and_the_slots(net: DevNet, gateway: Gateway) -> None:
    card = {"name": "captioner", "kind": "stream", "deadline_seconds": 5}
    async with serving(net, at=1, metadata=json.dumps(card), version="2"):
        (found,) = await gateway.discover_async("captioner", kind="stream")
        assert found.card == Card(name="captioner", kind="stream", deadline_seconds=5)
        assert (found.app, found.version, found.capacity, found.capacity_available) == (APP, "2", 2, 2)
        assert found.orchestrator_url == net.orchestrator_urls[1]
        assert found.price is None


async def test_a_session_serves_its_calls_and_is_stopped(net: DevNet, gateway: Gateway) -> None:
    async with serving(net, mode="persistent", capacity=1) as worker:
        async with gateway.session_async("model") as session:
            assert await session.run(1) == {"echo": 1}
            assert [event.json() async for event in session.stream(1, route="stream")] == [{"i": 0}]
            assert await session.run(2) == {"echo": 2}
            with pytest.raises(BusyError):
                await gateway.run_async("model", 3)
            (runner,) = net.runners.values()
            assert runner.session_ids == (session.id,)
        assert worker.sessions == [runner.session_ids[0]] * 2
        assert await gateway.run_async("model", 4) == {"echo": 4}


@pytest.mark.parametrize("mode", ["single-shot", "persistent"])
async def test_time_that_is_up_leaves_the_worker_and_frees_the_slot(net: DevNet, gateway: Gateway, mode: str) -> None:
    async with serving(net, mode=mode, capacity=1) as worker:
        with pytest.raises(TimedOutError):
            await gateway.run_async("model", route="stay", timeout_seconds=0.5)
        await worker.has_left.wait()
        assert await gateway.run_async("model", 1) == {"echo": 1}


async def test_a_call_that_is_cancelled_leaves_nothing_reserved(net: DevNet, gateway: Gateway) -> None:
    async with serving(net, mode="persistent") as worker:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(lambda: gateway.run_async("model", route="stay"))
            await worker.is_called.wait()
            tasks.cancel_scope.cancel()
        assert not any(runner.session_ids for runner in net.runners.values())


async def test_a_worker_that_is_down_is_left_for_the_next(net: DevNet, gateway: Gateway) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        dead_url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with serving(net, at=1), httpx2.AsyncClient(trust_env=False) as http:
            heartbeat = {"runner_url": dead_url, "app": APP, "mode": "single-shot", "capacity": 1}
            url, headers = f"{net.orchestrator_url}/runners/heartbeat", {"Authorization": net.secret}
            (await http.post(url, json=heartbeat, headers=headers)).raise_for_status()
            assert await gateway.run_async("model", 1) == {"echo": 1}


async def test_nobody_has_the_name(gateway: Gateway) -> None:
    with pytest.raises(NoOrchestratorError, match="does not speak BYOC"):
        await gateway.run_async("model")
    assert await gateway.discover_async("model") == []


async def test_a_route_that_the_worker_does_not_have_is_refused(net: DevNet, gateway: Gateway) -> None:
    async with serving(net):
        with pytest.raises(RefusedError) as caught:
            await gateway.run_async("model", route="nowhere")
        assert caught.value.status == 404


@pytest.mark.parametrize("unit", PRICES)
@pytest.mark.parametrize("mode", ["single-shot", "persistent"])
async def test_a_paid_worker_is_paid_through_the_signer(mode: str, unit: str) -> None:
    async with (
        DevNet(networks=("live-runner",), paid=True) as net,
        serving(net, mode=mode, price_info=PRICES[unit]) as worker,
        Gateway(orch_url=net.orchestrator_url, signer_url=net.signer_url) as gateway,
    ):
        (found,) = await gateway.discover_async("model")
        assert found.price is not None
        assert (found.price.unit, found.price.currency) == (unit, "wei")
        assert await gateway.run_async(found, 1) == {"echo": 1}
        assert await gateway.run_async("model", b"ab" * 500_000) == b"ba" * 500_000
        assert len(set(worker.sessions)) == 2


async def test_a_signer_alone_is_enough_to_find_call_and_pay() -> None:
    async with (
        DevNet(networks=("live-runner",), paid=True) as net,
        serving(net, price_info=PRICES["fixed"]),
        Gateway(signer_url=net.signer_url) as gateway,
    ):
        (found,) = await gateway.discover_async()
        assert found.orchestrator_url == net.orchestrator_url
        assert await gateway.run_async("model", 1) == {"echo": 1}


async def test_a_paid_worker_without_a_signer_says_what_to_give() -> None:
    async with (
        DevNet(networks=("live-runner",), paid=True) as net,
        serving(net, price_info=PRICES["fixed"]) as worker,
        Gateway(orch_url=net.orchestrator_url) as gateway,
    ):
        with pytest.raises(PaymentRequiredError, match="signer_url"):
            await gateway.run_async("model", 1)
        assert worker.sessions == []


class Thrifty:
    """Pays nothing over a limit, and at first wants fresh terms."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.asked: list[str] = []

    def judge(self, request: PaymentRequest) -> PaymentRefusal | None:
        self.asked.append(request.manifest_id)
        if len(self.asked) == 1:
            return PaymentRefusal(status=480, reason="refresh")
        return PaymentRefusal(status=481, reason="too dear") if request.price > self.limit else None


@pytest.mark.parametrize("limit", [10**30, 1])
async def test_a_signer_may_want_fresh_terms_and_find_the_price_too_high(limit: int) -> None:
    payer = Thrifty(limit)
    async with (
        DevNet(networks=("live-runner",), paid=True, payer=payer) as net,
        serving(net, price_info=PRICES["fixed"]),
        Gateway(orch_url=net.orchestrator_url, signer_url=net.signer_url) as gateway,
    ):
        if limit > 1:
            assert await gateway.run_async("model", 1) == {"echo": 1}
        else:
            with pytest.raises(PriceTooHighError, match=r"wei \(fixed\).*too dear"):
                await gateway.run_async("model", 1)
        assert len(set(payer.asked)) == 2


class Counting:
    """Pays everything, and says when it has paid for the third time."""

    def __init__(self) -> None:
        self.has_paid_thrice = anyio.Event()

    def judge(self, request: PaymentRequest) -> None:
        if request.sequence == 2:
            self.has_paid_thrice.set()


async def test_a_session_lives_on_what_is_paid_while_it_lasts() -> None:
    payer = Counting()
    # Payments are due every five seconds: the first and the second together last until the third.
    timings = Timings(payment_interval_seconds=1, prepaid_seconds=7)
    async with (
        DevNet(networks=("live-runner",), paid=True, payer=payer, timings=timings) as net,
        serving(net, mode="persistent", price_info=PRICES["seconds"]),
        Gateway(orch_url=net.orchestrator_url, signer_url=net.signer_url) as gateway,
        gateway.session_async("model") as session,
    ):
        await payer.has_paid_thrice.wait()
        assert await session.run(1) == {"echo": 1}


async def test_a_session_for_which_the_signer_stops_to_pay_says_so() -> None:
    class Once:
        def judge(self, request: PaymentRequest) -> PaymentRefusal | None:
            return PaymentRefusal(status=481, reason="no more") if request.sequence else None

    timings = Timings(payment_interval_seconds=1, prepaid_seconds=6)
    async with (
        DevNet(networks=("live-runner",), paid=True, payer=Once(), timings=timings) as net,
        serving(net, mode="persistent", price_info=PRICES["seconds"]),
        Gateway(orch_url=net.orchestrator_url, signer_url=net.signer_url) as gateway,
    ):
        with pytest.raises(PriceTooHighError, match="no more"):
            async with gateway.session_async("model") as session:
                await session.run(route="stay")


async def test_the_same_name_on_both_networks_is_called_over_live_runner_first() -> None:
    async with DevNet() as net, Gateway(orch_url=net.orchestrator_url) as gateway:
        with pytest.raises(LivepeerError):
            await gateway.run_async("model", 1)
        async with serving(net):
            gateway_found = await gateway.discover_async("model")
            assert [found.network for found in gateway_found] == ["live-runner"]
            assert await gateway.run_async("model", 1) == {"echo": 1}
