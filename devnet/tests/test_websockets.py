"""Contract, section 7: WebSockets between callers and live runners."""

import anyio
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Subprotocol

from .kit import Network, Worker, running_worker, until


def socket_url(network: Network, path: str = "talk") -> str:
    return network.net.orchestrator_url.replace("http", "ws") + f"/apps/r/app/{path}"


async def register(network: Network, worker: Worker) -> None:
    await network.heartbeat(worker, runner_id="r", mode="single-shot")


def used(network: Network) -> int:
    return len(network.net.runners["r"].session_ids)


async def closing_code(socket: ClientConnection) -> tuple[int, str] | None:
    with pytest.raises(ConnectionClosed) as caught:
        await socket.recv()
    return (caught.value.rcvd.code, caught.value.rcvd.reason) if caught.value.rcvd else None


async def test_text_and_bytes_of_any_size_pass_both_ways(network: Network, worker: Worker):
    await register(network, worker)

    async with connect(socket_url(network), proxy=None, max_size=None) as socket:
        for message in ("text", b"bytes", "", b"", "é" * 100_000, b"\0" * 20_000_000):
            await socket.send(message)
            assert await socket.recv() == message


async def test_the_worker_sees_path_query_headers_and_session(network: Network, worker: Worker):
    await register(network, worker)
    headers = {"Authorization": "Bearer mine", "Livepeer-Session-Id": "forged", "Origin": "http://page"}

    async with connect(socket_url(network, "talk?a=1"), proxy=None, additional_headers=headers) as socket:
        assert socket.response is not None
        assert socket.response.headers["X-Answer"] == "yes"

    [call] = worker.calls
    assert (call["path"], call["query"]) == ("/talk", "a=1")
    assert (call["headers"]["authorization"], call["headers"]["origin"]) == ("Bearer mine", "http://page")
    assert call["headers"]["livepeer-session-id"].startswith("session_")
    assert call["headers"]["livepeer-runner-route"] == "r"


async def test_the_subprotocol_is_the_one_that_the_worker_chose(network: Network, worker: Worker):
    await register(network, worker)
    offered = [Subprotocol("first"), Subprotocol("second")]

    async with connect(socket_url(network), proxy=None, subprotocols=offered) as socket:
        assert socket.subprotocol == "second"


@pytest.mark.parametrize("code", [1000, 1001, 1011, 1013, 4321])
async def test_a_close_of_the_worker_reaches_the_caller(network: Network, worker: Worker, code: int):
    await register(network, worker)

    async with connect(socket_url(network), proxy=None) as socket:
        await socket.send(f"close {code}")
        assert await closing_code(socket) == (code, "bye")
    await until(lambda: used(network) == 0)


@pytest.mark.parametrize("code", [1000, 1001, 4321])
async def test_a_close_of_the_caller_reaches_the_worker(network: Network, worker: Worker, code: int):
    await register(network, worker)

    async with connect(socket_url(network), proxy=None) as socket:
        await worker.called.wait()
        assert used(network) == 1
        await socket.close(code, "done")

    await until(lambda: worker.closed_with == (code, "done"))
    await until(lambda: used(network) == 0)


async def test_a_caller_that_is_lost_is_lost_to_the_worker_too(network: Network, worker: Worker):
    await register(network, worker)

    async with connect(socket_url(network), proxy=None) as socket:
        await worker.called.wait()
        socket.transport.abort()

    await until(lambda: worker.closed_with is not None)
    assert worker.closed_with is not None
    assert worker.closed_with[0] != 1000
    await until(lambda: used(network) == 0)


async def test_a_worker_that_is_lost_is_lost_to_the_caller_too(network: Network, worker: Worker):
    await register(network, worker)

    async with connect(socket_url(network), proxy=None) as socket:
        await worker.called.wait()
        await worker.server.stop()
        assert await closing_code(socket) is None
    await until(lambda: used(network) == 0)


async def test_a_worker_that_refuses_has_its_answer_passed_back(network: Network, worker: Worker):
    await register(network, worker)

    with pytest.raises(InvalidStatus) as caught:
        await connect(socket_url(network, "no"), proxy=None)

    response = caught.value.response
    assert (response.status_code, response.body, response.headers["X-Answer"]) == (418, b"not here", "no")
    assert used(network) == 0


async def test_a_worker_that_is_down_is_502(network: Network):
    async with running_worker() as worker:
        await register(network, worker)

    with pytest.raises(InvalidStatus) as caught:
        await connect(socket_url(network), proxy=None)

    assert caught.value.response.status_code == 502
    assert used(network) == 0


async def test_a_full_runner_is_503(network: Network, worker: Worker):
    await register(network, worker)

    async with connect(socket_url(network), proxy=None):
        with pytest.raises(InvalidStatus) as caught:
            await connect(socket_url(network), proxy=None)

    assert caught.value.response.status_code == 503
    assert caught.value.response.body == b"no capacity available for runner\n"


async def test_a_caller_that_leaves_while_the_worker_makes_up_its_mind_frees_the_slot(network: Network):
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        await network.heartbeat(
            runner_url=f"http://127.0.0.1:{listener.extra(anyio.abc.SocketAttribute.local_port)}",
            runner_id="r",
            mode="single-shot",
        )
        reached, left = anyio.Event(), anyio.Event()

        async def never_answer(stream: anyio.abc.SocketStream) -> None:
            async with stream:
                await stream.receive()
                reached.set()
                with pytest.raises((anyio.EndOfStream, anyio.BrokenResourceError)):
                    await stream.receive()
                left.set()

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, never_answer)
            async with anyio.create_task_group() as callers:
                callers.start_soon(connect_and_wait, socket_url(network))
                await reached.wait()
                assert used(network) == 1
                callers.cancel_scope.cancel()
            await left.wait()
            await until(lambda: used(network) == 0)
            tasks.cancel_scope.cancel()


async def connect_and_wait(url: str) -> None:
    await connect(url, proxy=None)


async def test_a_session_carries_a_websocket_and_ends_apart_from_it(network: Network, worker: Worker):
    await network.heartbeat(worker, runner_id="r")
    session = (await network.http.post(network.net.orchestrator_url + "/apps/r/session")).json()

    async with connect(session["app_url"].replace("http", "ws") + "/talk", proxy=None) as socket:
        await network.http.post(session["control_url"] + "/stop")
        await socket.send("still here")
        assert await socket.recv() == "still here"


async def test_a_restart_breaks_websockets_off(network: Network, worker: Worker):
    await register(network, worker)

    async with connect(socket_url(network), proxy=None) as socket:
        await network.net.restart_orchestrator()
        assert await closing_code(socket) is None
    await until(lambda: worker.closed_with is not None)
