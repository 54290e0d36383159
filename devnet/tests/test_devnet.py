"""A network as a whole: it starts, restarts and stops, and leaves nothing behind."""

import asyncio
import signal
import socket
import threading
import time
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
import uvicorn

import livepeer.devnet
from livepeer.devnet import BlockingDevNet, DevNet, Gateway, Orchestrator, Timings

from .kit import Network, Worker, job_header, running_network, running_worker, until


def test_the_public_names_are_sorted_and_there():
    names = livepeer.devnet.__all__

    assert names == sorted(names)
    assert all(hasattr(livepeer.devnet, name) for name in names)


def test_the_durations_are_those_of_go_livepeer_unless_changed():
    timings = Timings()

    assert timings.job_seconds(30) == 30
    assert (timings.gateway_grace_seconds, timings.gateway_stream_grace_seconds) == (5, 10)


async def test_a_network_has_a_random_secret_of_its_own():
    assert DevNet().secret != DevNet().secret
    assert DevNet(secret="mine").secret == "mine"


async def test_a_network_that_is_not_running_has_no_urls():
    net = DevNet()

    for read in (lambda: net.gateway_url, lambda: net.orchestrator_url):
        with pytest.raises(RuntimeError, match="not running"):
            read()
    async with net:
        assert net.gateway_url != net.orchestrator_url
    with pytest.raises(RuntimeError, match="not running"):
        _ = net.gateway_url


async def test_a_network_without_orchestrators_is_refused():
    with pytest.raises(ValueError, match="at least one"):
        DevNet(orchestrators=0)


async def test_a_network_that_would_speak_what_there_is_not_is_refused():
    with pytest.raises(ValueError, match="no such network: runner"):
        DevNet(networks=["byoc", "runner"])  # type: ignore[list-item]


async def test_a_taken_port_is_an_os_error_and_leaves_nothing_bound():
    async with DevNet() as net:
        port = urlsplit(net.gateway_url).port or 0
        other = DevNet(gateway_port=port)
        with pytest.raises(OSError, match="in use"):
            await other.__aenter__()
        with pytest.raises(RuntimeError, match="not running"):
            _ = other.gateway_url


async def test_an_error_inside_a_network_comes_out_as_it_is():
    with pytest.raises(LookupError):
        async with DevNet():
            raise LookupError


async def test_a_cancelled_network_stops():
    async with DevNet() as outer:
        url = ""
        with anyio.CancelScope() as scope:
            async with DevNet() as net:
                url = net.gateway_url
                scope.cancel()
                await anyio.sleep_forever()
        assert outer.gateway_url
        assert scope.cancelled_caught
        assert is_refused(url)


async def test_signal_handlers_are_left_alone():
    before = signal.getsignal(signal.SIGINT)
    async with DevNet():
        assert signal.getsignal(signal.SIGINT) is before


async def test_a_network_that_is_entered_again_knows_nothing(worker: Worker):
    async with httpx2.AsyncClient(trust_env=False) as http:
        net = DevNet()
        async with net:
            await Network(net, http).register(worker)
        async with net:
            assert not net.capabilities


async def test_chosen_ports_are_used():
    async with DevNet(orchestrators=2) as net:
        ports = [urlsplit(url).port or 0 for url in (*net.orchestrator_urls, net.gateway_url)]
    async with DevNet(orchestrator_port=ports[0], gateway_port=ports[2]) as net:
        assert [urlsplit(url).port for url in (net.orchestrator_url, net.gateway_url)] == [ports[0], ports[2]]


async def test_stopping_breaks_off_every_job_and_closes_every_socket(worker: Worker):
    broken: list[Exception] = []

    async with httpx2.AsyncClient(trust_env=False, timeout=None) as http, anyio.create_task_group() as tasks:
        before = asyncio.all_tasks()
        async with DevNet() as net:
            network = Network(net, http)
            await network.register(worker, capacity=10)

            async def call(route: str, direct: bool) -> None:
                try:
                    await network.call(route, direct=direct)
                except httpx2.RequestError as error:
                    broken.append(error)

            for route in ("gated", "hang"):
                for direct in (False, True):
                    tasks.start_soon(call, route, direct)
            await until(lambda: len(worker.calls) == 4)
            urls = [*net.orchestrator_urls, net.gateway_url]
            idle = [connect(url) for url in urls]

        for connection in idle:
            with connection:
                connection.settimeout(5)
                assert connection.recv(1) == b""

    assert len(broken) == 4
    assert all(is_refused(url) for url in urls)
    await until(lambda: asyncio.all_tasks() <= before)


@pytest.mark.parametrize("direct", [False, True])
async def test_stopping_amid_a_flood_ends_it(worker: Worker, direct: bool):
    async with httpx2.AsyncClient(trust_env=False, timeout=None) as http:
        async with DevNet() as net:
            network = Network(net, http)
            await network.register(worker)
            response = await flooded(network, direct=direct)
        with pytest.raises(httpx2.RequestError):
            await response.aread()


async def flooded(network: Network, *, direct: bool) -> httpx2.Response:
    headers = {"Livepeer": job_header()}
    request = network.http.build_request("POST", network.url("sse", direct=direct), content=b"data\n", headers=headers)
    return await network.http.send(request, stream=True)


async def test_two_networks_in_one_process_know_nothing_of_each_other(worker: Worker):
    async with running_network() as one, running_network() as other:
        await one.register(worker)

        assert list(one.net.capabilities) == ["model"]
        assert not other.net.capabilities


async def test_capabilities_are_read_only(network: Network, worker: Worker):
    await network.register(worker)

    view = network.net.orchestrators[0].capabilities
    with pytest.raises(TypeError):
        view["model"] = None  # type: ignore[index]
    with pytest.raises(AttributeError):
        view["model"].load = 1  # type: ignore[misc]


async def test_capabilities_of_every_orchestrator_are_seen(worker: Worker):
    async with running_network(orchestrators=2) as network:
        await network.register(worker, at=1)

        assert (await network.net.wait_for("model")).url == worker.url
        assert list(network.net.capabilities) == ["model"]
        assert not network.net.orchestrators[0].capabilities


async def test_a_restart_breaks_off_what_the_orchestrator_was_doing(network: Network, worker: Worker):
    await network.register(worker)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(network.call, "hang")
        await worker.called.wait()
        await network.net.restart_orchestrator()

    await worker.left.wait()


async def test_orchestrators_are_restarted_by_their_index(worker: Worker):
    async with running_network(orchestrators=2) as network:
        for at in range(2):
            await network.register(worker, at=at)

        await network.net.restart_orchestrator(-1)
        assert [len(orchestrator.capabilities) for orchestrator in network.net.orchestrators] == [1, 0]
        with pytest.raises(IndexError):
            await network.net.restart_orchestrator(2)


async def test_waiting_for_a_capability_survives_a_restart(network: Network, worker: Worker):
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(network.net.wait_for, "model")
        await network.net.restart_orchestrator()
        await network.register(worker)


async def test_orchestrator_and_gateway_can_be_served_alone_by_any_server(worker: Worker):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    urls = [f"http://127.0.0.1:{listener.getsockname()[1]}" for listener in sockets]
    orchestrator = Orchestrator(secret="s")
    configs = [uvicorn.Config(app, log_config=None) for app in (orchestrator.app, Gateway(urls[:1]).app)]
    servers = [uvicorn.Server(config) for config in configs]
    async with anyio.create_task_group() as tasks, httpx2.AsyncClient(trust_env=False) as http:
        for server, listener in zip(servers, sockets, strict=True):
            tasks.start_soon(server.serve, [listener])
        body = {"name": "model", "url": worker.url, "capacity": 1}
        await http.post(urls[0] + "/capability/register", headers={"Authorization": "s"}, json=body)
        assert (await orchestrator.wait_for("model")).url == worker.url
        answer = await http.post(urls[1] + "/process/request/echo", headers={"Livepeer": job_header()})
        assert answer.headers["X-Orchestrator-Url"] == urls[0]
        for server in servers:
            server.should_exit = True


def test_a_blocking_network_runs_on_a_thread_of_its_own():
    threads = threading.active_count()
    with BlockingDevNet(orchestrators=2) as net, httpx2.Client(trust_env=False) as http:
        assert len(net.orchestrator_urls) == 2
        body = {"name": "model", "url": "http://127.0.0.1:1", "capacity": 1}
        for url in net.orchestrator_urls:
            http.post(url + "/capability/register", headers={"Authorization": net.secret}, json=body)
        assert net.wait_for("model", timeout_seconds=5) == net.capabilities["model"]
        assert http.post(net.gateway_url + "/process/request/", headers={"Livepeer": job_header()}).content == b""
        net.restart_orchestrator(1)
        assert not net.capabilities
        with pytest.raises(TimeoutError):
            net.wait_for("model", timeout_seconds=0.01)
        url = net.gateway_url

    assert is_refused(url)
    assert threading.active_count() == threads


def test_a_blocking_network_has_live_runners_and_a_signer():
    with BlockingDevNet(paid=True, networks=["live-runner"]) as net, httpx2.Client(trust_env=False) as http:
        body = {"runner_url": "http://127.0.0.1:9", "app": "me/model", "price_info": {"price": 1}}
        headers = {"Authorization": net.secret}
        assert http.post(net.orchestrator_url + "/runners/heartbeat", headers=headers, json=body).status_code == 200
        runner = net.wait_for_runner("me/model", timeout_seconds=5)
        assert runner == net.runners[runner.runner_id]
        assert http.get(net.signer_url + "/discover-orchestrators").status_code == 200
        assert net.register_static_runners('{"runners": []}') == ()
        with pytest.raises(TimeoutError):
            net.wait_for_runner("nobody", timeout_seconds=0.01)


def test_a_blocking_network_starts_and_stops_more_than_once():
    net = BlockingDevNet()
    for _ in range(2):
        net.start()
        assert not is_refused(net.gateway_url)
        net.stop()
        with pytest.raises(RuntimeError, match="not running"):
            _ = net.capabilities


def test_a_wait_that_an_interrupt_broke_off_does_not_hold_up_the_end():
    main_thread = threading.main_thread().ident
    interrupt = threading.Timer(0.1, lambda: signal.pthread_kill(main_thread, signal.SIGUSR1))
    before = signal.signal(signal.SIGUSR1, signal.default_int_handler)
    try:
        with BlockingDevNet() as net:
            interrupt.start()
            started = time.monotonic()
            with pytest.raises(KeyboardInterrupt):
                net.wait_for("nobody", timeout_seconds=60)
    finally:
        interrupt.join()
        signal.signal(signal.SIGUSR1, before)
    assert time.monotonic() - started < 10


async def test_a_worker_behind_two_networks_serves_both(worker: Worker):
    async with running_network() as one, running_network() as other, running_worker() as _:
        for network in (one, other):
            await network.register(worker)
            assert (await network.call("echo", b"hello")).json()["body"] == "hello"


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port))


def is_refused(url: str) -> bool:
    try:
        connect(url).close()
    except ConnectionRefusedError:
        return True
    return False
