"""Announcing to a real orchestrator: the development network's."""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
import uvicorn
from edge_harness import Marks, Served, eventually, make_worker, serve_with
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from livepeer.devnet import DevNet
from livepeer.server import BYOCRegistrar, Lifecycle, RegistrationOptions, bind

pytestmark = pytest.mark.anyio


def registering(orch_url: str, secret: str, **fields: Any) -> Callable[[Lifecycle], BYOCRegistrar]:
    fields = {"capability_url": "http://127.0.0.1:1", "token": "t0ken", "capability_name": "tested"} | fields
    options = RegistrationOptions(orch_url=orch_url, orch_token=secret, **fields)
    return lambda lifecycle: BYOCRegistrar(lifecycle, options)


async def until_state(served: Served, state: str) -> dict[str, Any]:
    with anyio.fail_after(20):
        while True:
            registration = (await served.health())["registration"]
            if registration["state"] == state:
                return registration
            await anyio.sleep(0.01)


@asynccontextmanager
async def orchestrator(answer: Callable[[Request], Response]) -> AsyncIterator[tuple[str, list[str]]]:
    """An orchestrator that answers as it is told: for what the real one does only on bad days."""
    seen: list[str] = []

    async def register(request: Request) -> Response:
        seen.append(request.url.path)
        return answer(request)

    app = Starlette(routes=[Route("/capability/{what}", register, methods=["POST"])])
    sock = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server._serve, [sock])
        yield f"http://127.0.0.1:{sock.getsockname()[1]}", seen
        server.should_exit = True


async def test_a_capability_registers_once_ready_with_all_that_it_offers(marks: Marks) -> None:
    async with DevNet() as net:
        registrar = registering(
            net.orchestrator_url, net.secret, capacity=3, price_per_unit=7, price_scaling=2, capability_description="d"
        )
        async with serve_with(make_worker("process", "SlowSetup"), wait=False, registrar=registrar) as served:
            assert (await until_state(served, "waiting"))["network"] == "byoc"
            assert not net.capabilities
            marks.go("setup")
            await until_state(served, "registered")
            (found,) = net.capabilities.values()
            assert (found.name, found.capacity, found.price_per_unit) == ("tested", 3, 7)
            offered = (await served.client.get("/capabilities")).json()["capabilities"][0]
            assert (offered["name"], offered["capacity"], offered["price_scaling"]) == ("tested", 3, 2)
        assert not net.capabilities


async def test_a_wrong_secret_is_refused_at_once_and_serving_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with DevNet() as net:
        registrar = registering(net.orchestrator_url, "wrong")
        async with serve_with(make_worker("process", "SyncReturn"), registrar=registrar) as served:
            registration = await until_state(served, "refused")
            assert "invalid authorization" in registration["reason"]
            assert (await served.predict(text="ab")).json() == "ba"
            assert (await served.health())["status"] == "IDLE"
    assert "invalid authorization" in caplog.text


@pytest.mark.parametrize("status", [404, 405])
async def test_404_and_405_are_final(status: int) -> None:
    async with orchestrator(lambda _: PlainTextResponse("no such thing", status)) as (url, seen):
        async with serve_with(make_worker("process", "SyncReturn"), registrar=registering(url, "s")) as served:
            registration = await until_state(served, "refused")
            assert f"{status} no such thing" in registration["reason"]
            assert len(seen) == 1
        assert seen == ["/capability/register"]


async def test_5xx_and_a_refused_connection_are_tried_again() -> None:
    answers = iter([500, 503])

    def answer(_: Request) -> Response:
        return PlainTextResponse("x", next(answers, 200))

    async with (
        orchestrator(answer) as (url, seen),
        serve_with(make_worker("process", "SyncReturn"), registrar=registering(url, "s")) as served,
    ):
        await until_state(served, "registered")
        assert len(seen) == 3
    closed = bind("127.0.0.1", 0)
    port = closed.getsockname()[1]
    closed.close()
    registrar = registering(f"http://127.0.0.1:{port}", "s")
    async with serve_with(make_worker("process", "SyncReturn"), registrar=registrar) as served:
        assert "ConnectError" in (await until_state(served, "registering"))["reason"]
        assert (await served.predict(text="ab")).json() == "ba"


async def test_a_currency_that_drops_the_connection_is_named() -> None:
    async with DevNet() as net:
        registrar = registering(net.orchestrator_url, net.secret, currency="usd")
        async with serve_with(make_worker("process", "SyncReturn"), registrar=registrar) as served:
            registration = await until_state(served, "refused")
            assert "'usd'" in registration["reason"]
            assert "'wei'" in registration["reason"]


async def test_a_forgotten_capability_registers_again_by_itself() -> None:
    async with DevNet() as net:
        registrar = registering(net.orchestrator_url, net.secret, interval_seconds=0.1)
        async with serve_with(make_worker("process", "SyncReturn"), registrar=registrar):
            await eventually(lambda: bool(net.capabilities))
            await net.restart_orchestrator(0)
            await eventually(lambda: bool(net.capabilities), "registered again")


async def test_it_registers_again_only_while_nothing_runs(marks: Marks) -> None:
    async with orchestrator(lambda _: PlainTextResponse("ok")) as (url, seen):
        registrar = registering(url, "s", interval_seconds=0.05)
        async with serve_with(make_worker("process", "HeldOne"), registrar=registrar) as served:
            await eventually(lambda: len(seen) > 2)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: served.predict(gate="busy", looks=True))
                await marks.wait("busy", "entered")
                before = len(seen)
                await anyio.sleep(0.3)  # six intervals
                assert len(seen) <= before + 1
                marks.go("busy")
            count = len(seen)
            await eventually(lambda: len(seen) > count + 1)


async def test_the_orchestrators_secret_goes_raw_and_the_name_as_text() -> None:
    requests: list[tuple[str, str, bytes]] = []

    async def keep(request: Request) -> Response:
        body = await request.body()
        requests.append((request.url.path, request.headers["authorization"], body))
        return PlainTextResponse("ok")

    app = Starlette(routes=[Route("/capability/{what}", keep, methods=["POST"])])
    sock = bind("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server._serve, [sock])
        registrar = registering(f"http://127.0.0.1:{sock.getsockname()[1]}", "raw secret")
        async with serve_with(make_worker("process", "SyncReturn"), registrar=registrar) as served:
            await until_state(served, "registered")
        server.should_exit = True
    assert [path for path, _, _ in requests] == ["/capability/register", "/capability/unregister"]
    assert {secret for _, secret, _ in requests} == {"raw secret"}
    assert requests[1][2] == b"tested"
