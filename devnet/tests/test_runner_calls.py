"""Contract, section 7: how a call reaches a live runner, and its answer the caller."""

import gzip
from collections.abc import AsyncIterator
from typing import Any

import anyio
import httpx2
import pytest

from .kit import Network, Worker, running_network, running_worker, serving, until

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


async def single_shot(network: Network, worker: Worker, **fields: object) -> str:
    """Register a single-shot runner and return the URL of its calls, with the final slash."""
    await network.heartbeat(worker, runner_id="r", mode="single-shot", **fields)
    return network.net.orchestrator_url + "/apps/r/app/"


async def reserve(network: Network, worker: Worker, **fields: object) -> dict[str, str]:
    await network.heartbeat(worker, runner_id="r", **fields)
    answer = await network.http.post(network.net.orchestrator_url + "/apps/r/session")
    assert answer.status_code == 200
    return answer.json()


def headers_of(call: dict[str, Any]) -> dict[str, str]:
    names = [name for name, _ in call["headers"]]
    assert len(names) == len(set(names))
    return dict(call["headers"])


def used(network: Network) -> int:
    return len(network.net.runners["r"].session_ids)


@pytest.mark.parametrize("method", METHODS)
async def test_any_method_arrives_with_path_query_and_body(network: Network, worker: Worker, method: str):
    url = await single_shot(network, worker)

    answer = await network.http.request(method, url + "some/path/?a=1&b=%20;c", content=b"body" * 1000)

    assert answer.status_code == 200
    [call] = worker.calls
    assert (call["method"], call["path"], call["query"]) == (method, "/some/path/", "a=1&b=%20;c")
    assert call["body"] == "body" * 1000


async def test_a_base_path_of_the_worker_is_kept(network: Network, worker: Worker):
    url = await single_shot(network, worker, runner_url=worker.url + "/base/")

    for path in ("", "x", "x/"):
        await network.http.get(url + path)

    assert [call["path"] for call in worker.calls] == ["/base/", "/base/x", "/base/x/"]


async def test_what_is_encoded_in_a_path_is_encoded_twice_as_on_the_real_network(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    await network.http.get(url + "a%20b/caf%C3%A9")
    answer = await network.http.get(url + "100%25")

    assert worker.calls[0]["path"] == "/a%20b/caf%C3%A9"
    assert (answer.status_code, answer.text) == (502, 'invalid URL escape "%"\n')


async def test_the_worker_is_told_of_runner_and_session_and_of_the_callers_own_authorization(
    network: Network, worker: Worker
):
    url = await single_shot(network, worker)

    await network.http.post(
        url,
        headers={
            "Authorization": "Bearer mine",
            "Livepeer-Session-Id": "forged",
            "Connection": "X-Dropped",
            "X-Dropped": "1",
            "X-Forwarded-For": "1.2.3.4",
            "Proxy-Authorization": "p",
            "X-Kept": "1",
        },
    )

    headers = headers_of(worker.calls[0])
    base = network.net.orchestrator_url
    session_id = headers["livepeer-session-id"]
    assert session_id.startswith("session_")
    assert headers["livepeer-runner-route"] == "r"
    assert len(headers["livepeer-session-token"]) == 52
    assert headers["livepeer-session-control"] == f"{base}/runner/r/session/{session_id}"
    assert (headers["authorization"], headers["x-kept"]) == ("Bearer mine", "1")
    assert headers["host"] == worker.url.removeprefix("http://")
    assert not {"x-dropped", "x-forwarded-for", "proxy-authorization"} & set(headers)


async def test_an_answer_comes_back_with_status_headers_and_body(network: Network, worker: Worker):
    url = await single_shot(network, worker)
    worker.orders.append({"status": 418, "body": "teapot", "headers": {"X-Metadata": "m", "Connection": "close"}})

    answer = await network.http.post(url + "answer")

    assert (answer.status_code, answer.text, answer.headers["X-Metadata"]) == (418, "teapot", "m")
    assert len(answer.headers.get_list("date")) == 1


async def test_a_redirect_is_the_callers_to_follow(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    answer = await network.http.post(url + "moved")

    assert (answer.status_code, answer.headers["Location"]) == (307, "/echo")


async def test_without_a_final_slash_the_answer_is_301_and_the_worker_is_not_asked(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    answer = await network.http.post(url.removesuffix("/") + "?a=1", content=b"lost")

    assert (answer.status_code, answer.headers["Location"]) == (301, "/apps/r/app/?a=1")
    assert not worker.calls
    assert used(network) == 0


async def test_an_id_that_needs_encoding_works_in_every_url(network: Network, worker: Worker):
    runner_id = "größe 100%?"
    o2r = (await network.heartbeat(worker, runner_id=runner_id, mode="single-shot")).json()["o2r"]
    [card] = await network.discover()

    assert (await network.http.post(card["url"] + "/", content=b"b")).status_code == 200
    assert (await network.http.get(o2r["url"] + "/0")).status_code == 200
    bare = await network.http.post(card["url"], follow_redirects=True)
    assert (bare.status_code, worker.calls[-1]["method"]) == (200, "GET")


async def test_a_path_that_is_not_clean_is_301(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    answer = await raw_get(url + "x//y")

    assert answer.startswith(b"HTTP/1.1 301")
    assert b"location: /apps/r/app/x/y" in answer
    assert not worker.calls


async def raw_get(url: str) -> bytes:
    """Get a URL that a client would tidy up."""
    host, _, path = url.removeprefix("http://").partition("/")
    name, port = host.split(":")
    async with await anyio.connect_tcp(name, int(port)) as stream:
        await stream.send(f"GET /{path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        return await stream.receive()


async def test_a_zipped_answer_is_unzipped_only_where_the_caller_did_not_ask_for_it(network: Network):
    zipped = gzip.compress(b"plain " * 1000)

    async def worker(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            return
        assert (b"accept-encoding", b"gzip") in scope["headers"]
        headers = [(b"content-encoding", b"gzip"), (b"content-length", str(len(zipped)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": zipped})

    async with serving(worker) as server:
        await network.heartbeat(runner_url=server.url, runner_id="r", mode="single-shot")
        url = network.net.orchestrator_url + "/apps/r/app/"
        del network.http.headers["Accept-Encoding"]
        plain = await network.http.get(url)
        async with network.http.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])

    assert plain.content == b"plain " * 1000
    assert "Content-Encoding" not in plain.headers
    assert raw == zipped


async def test_events_reach_the_caller_one_by_one_and_unchanged(network: Network, worker: Worker):
    url = await single_shot(network, worker)
    events = [b"data: 1\n\n", b": ping\n\n", b"data: " + b"x" * 100_000 + b"\n\n", b"data: [DONE]\n"]

    async with network.http.stream("POST", url + "gated") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        parts = answer.aiter_raw()
        for event in events:
            await worker.release.send(event)
            received = b""
            while len(received) < len(event):
                received += await anext(parts)
            assert received == event
        worker.release.close()
        assert [part async for part in parts] == []
    assert used(network) == 0


async def test_a_body_reaches_the_worker_part_by_part(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    async def body() -> AsyncIterator[bytes]:
        for size in (1, 10, 100):
            before = worker.uploaded_bytes
            yield b"x" * size
            await until(lambda before=before, size=size: worker.uploaded_bytes == before + size)

    answer = await network.http.post(url + "upload", content=body())

    assert answer.text == "111"


async def test_a_caller_that_leaves_ends_the_call_at_the_worker_and_frees_the_slot(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    for route in ("hang", "gated"):
        worker.called, worker.left = anyio.Event(), anyio.Event()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(network.http.post, url + route)
            await worker.called.wait()
            assert used(network) == 1
            tasks.cancel_scope.cancel()
        await worker.left.wait()
        await until(lambda: used(network) == 0)


async def test_a_caller_that_leaves_amid_its_body_frees_the_slot(network: Network, worker: Worker):
    url = await single_shot(network, worker)
    host, _, path = url.removeprefix("http://").partition("/")
    name, port = host.split(":")

    async with await anyio.connect_tcp(name, int(port)) as stream:
        await stream.send(f"POST /{path}upload HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\nhalf".encode())
        await worker.called.wait()
        assert used(network) == 1
    await worker.left.wait()
    await until(lambda: used(network) == 0)


async def test_a_full_runner_is_503_until_the_call_has_ended(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    async with network.http.stream("POST", url + "gated"):
        [card] = await network.discover()
        assert (card["capacity_used"], card["capacity_available"]) == (1, 0)
        full = await network.http.post(url + "echo")
        assert (full.status_code, full.text) == (503, "no capacity available for runner\n")
        worker.release.close()
    await until(lambda: used(network) == 0)
    assert (await network.http.post(url + "echo")).status_code == 200


@pytest.mark.parametrize("route", ["echo", "sse", "answer", "upload"])
async def test_one_call_after_another_never_meets_its_own_slot(network: Network, worker: Worker, route: str):
    url = await single_shot(network, worker)

    async with httpx2.AsyncClient(trust_env=False) as http:
        for _ in range(30):
            assert (await http.post(url + route, content=b"{}")).status_code == 200
        assert (await http.head(url)).status_code == 200
        assert (await http.post(url, content=b"{}")).status_code == 200


async def test_a_worker_that_is_down_is_502_with_the_reason_and_stays_listed(network: Network):
    async with running_worker() as worker:
        url = await single_shot(network, worker)

    answer = await network.http.post(url + "echo")

    assert answer.status_code == 502
    assert answer.text.strip()
    assert used(network) == 0
    assert len(await network.discover()) == 1


async def test_a_worker_that_breaks_off_before_its_answer_is_502(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    async with anyio.create_task_group() as tasks:

        async def stop() -> None:
            await worker.called.wait()
            await worker.server.stop()

        tasks.start_soon(stop)
        answer = await network.http.post(url + "hang")

    assert answer.status_code == 502
    assert used(network) == 0


async def test_a_worker_that_breaks_off_amid_its_answer_drops_the_caller(network: Network, worker: Worker):
    url = await single_shot(network, worker)

    async with network.http.stream("POST", url + "gated") as answer:
        await worker.server.stop()
        with pytest.raises(httpx2.RemoteProtocolError):
            await answer.aread()

    assert used(network) == 0


@pytest.mark.parametrize(
    ("fields", "path", "status", "message"),
    [
        ({"mode": "single-shot"}, "/apps/other/app/", 404, "runner not found"),
        ({"mode": "single-shot", "status": "busy"}, "/apps/r/app/", 404, "runner not found"),
        ({}, "/apps/r/app/", 400, "runner is not single-shot"),
        ({"mode": "single-shot"}, "/apps/r/session", 400, "only persistent runners have sessions"),
        ({}, "/apps/other/session", 404, "runner not found"),
        ({}, "/apps/r/session/none/app/", 404, "runner session not found"),
        ({}, "/apps/r/session/none/payment", 404, "runner session not found"),
        ({}, "/run/none", 404, "live runner proxy not found"),
        ({"proxy": True}, "/run/r/", 404, "live runner proxy not found"),
    ],
)
async def test_a_call_that_leads_nowhere_is_refused_in_plain_text(
    network: Network, worker: Worker, fields: dict[str, object], path: str, status: int, message: str
):
    await network.heartbeat(worker, runner_id="r", **fields)

    answer = await network.http.post(network.net.orchestrator_url + path)

    assert (answer.status_code, answer.text) == (status, message + "\n")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert not worker.calls


async def test_a_session_is_reserved_called_and_stopped(network: Network, worker: Worker):
    session = await reserve(network, worker)
    control = f"{network.net.orchestrator_url}/apps/r/session/{session['session_id']}"
    assert session == {
        "session_id": session["session_id"],
        "app_url": control + "/app",
        "control_url": control,
    }
    assert network.net.runners["r"].session_ids == (session["session_id"],)

    for _ in range(2):
        assert (await network.http.put(session["app_url"] + "/echo?x=1")).status_code == 200
    first, second = (headers_of(call) for call in worker.calls)
    assert first["livepeer-session-id"] == session["session_id"]
    assert first["livepeer-session-token"] == second["livepeer-session-token"]
    assert used(network) == 1

    for _ in range(2):
        assert (await network.http.post(control + "/stop")).status_code == 204
    assert used(network) == 0
    assert (await network.http.get(session["app_url"] + "/echo")).status_code == 404


async def test_a_session_url_without_a_final_slash_is_301(network: Network, worker: Worker):
    session = await reserve(network, worker)

    answer = await network.http.post(session["app_url"])

    assert answer.status_code == 301
    assert answer.headers["Location"] == session["app_url"].removeprefix(network.net.orchestrator_url) + "/"


async def test_sessions_beyond_the_capacity_are_503(network: Network, worker: Worker):
    await reserve(network, worker, capacity=1)

    full = await network.http.post(network.net.orchestrator_url + "/apps/r/session")

    assert (full.status_code, full.text) == (503, "no capacity available for runner\n")


async def test_heartbeats_bring_the_sessions_oldest_first_whatever_the_runner_thinks(network: Network, worker: Worker):
    secret = (await network.heartbeat(worker, runner_id="r", capacity=3)).json()["heartbeat_secret"]
    url = network.net.orchestrator_url + "/apps/r/session"
    ids = [(await network.http.post(url)).json()["session_id"] for _ in range(3)]
    await network.http.post(f"{url}/{ids[0]}/stop")

    answer = await network.heartbeat(
        worker, runner_id="r", secret=secret, capacity=3, session_ids=["of yesterday", ids[0]]
    )

    assert answer.json()["session_ids"] == ids[1:]


async def test_a_stopped_session_lets_its_calls_end_in_peace(network: Network, worker: Worker):
    session = await reserve(network, worker)

    async with network.http.stream("POST", session["app_url"] + "/gated") as answer:
        await network.http.post(session["control_url"] + "/stop")
        await worker.release.send(b"data: still here\n\n")
        worker.release.close()
        assert await answer.aread() == b"data: still here\n\n"


async def test_a_proxied_runner_hides_runner_and_session(network: Network, worker: Worker):
    session = await reserve(network, worker, proxy=True)
    assert session["app_url"].startswith(network.net.orchestrator_url + "/run/")
    assert session["session_id"] not in session["app_url"]

    for path in ("", "/", "/echo/x?a=1"):
        assert (await network.http.get(session["app_url"] + path)).status_code == 200
    assert [call["path"] for call in worker.calls] == ["/", "/", "/echo/x"]

    await network.http.post(session["control_url"] + "/stop")
    assert (await network.http.get(session["app_url"])).status_code == 404


async def test_a_proxied_single_shot_runner_is_called_by_its_id(network: Network, worker: Worker):
    await single_shot(network, worker, proxy=True)
    url = network.net.orchestrator_url + "/run/r"

    assert (await network.http.post(url + "/echo/x?a=1", content=b"b")).status_code == 200
    assert (worker.calls[0]["path"], worker.calls[0]["query"]) == ("/echo/x", "a=1")
    bare = await network.http.post(url)
    assert (bare.status_code, bare.headers["Location"]) == (301, "/apps/r/app/")


async def test_a_restart_breaks_off_calls_and_forgets_sessions(network: Network, worker: Worker):
    session = await reserve(network, worker)

    async with network.http.stream("POST", session["app_url"] + "/gated") as answer:
        await network.net.restart_orchestrator()
        with pytest.raises(httpx2.RequestError):
            await answer.aread()
    await worker.left.wait()
    assert (await network.http.get(session["app_url"] + "/echo")).status_code == 404


async def test_a_runner_that_unregisters_loses_its_sessions(network: Network, worker: Worker):
    secret = (await network.heartbeat(worker, runner_id="r")).json()["heartbeat_secret"]
    url = network.net.orchestrator_url
    session = (await network.http.post(url + "/apps/r/session")).json()

    await network.http.post(url + "/runners/r/unregister", headers={"Authorization": secret})

    assert (await network.http.get(session["app_url"] + "/")).status_code == 404
    await network.heartbeat(worker, runner_id="r")
    assert network.net.runners["r"].session_ids == ()


async def test_two_networks_know_nothing_of_each_others_runners(network: Network, worker: Worker):
    async with running_network() as other:
        await single_shot(network, worker)

        assert not other.net.runners
        assert (await other.http.post(other.net.orchestrator_url + "/apps/r/app/")).status_code == 404
