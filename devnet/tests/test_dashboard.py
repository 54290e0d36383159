"""The dashboard as an application: what it knows, whom it asks, what it hands on, and whom it refuses."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

import livepeer.devnet
from livepeer.devnet import DevNet

from .kit import Network, Worker, job_header, running_network, serving, until
from .stream_kit import publisher, stream_network

PAGE = Path(livepeer.devnet.__file__).with_name("dashboard")
SCHEMA = {
    "name": "model",
    "path": "/predict",
    "input": {"type": "object", "properties": {"prompt": {"type": "string"}}},
}
CARD = {"name": "model", "kind": "batch", "description": "Draws.", "image": "registry/model@sha256:1"}


class Talker:
    """A worker that says of itself what a test wants."""

    def __init__(self) -> None:
        self.url = ""
        self.health = Response('{"status": "IDLE", "slots": {"in_use": 0, "capacity": 2, "waiting": 0}}')
        self.schema = Response(json.dumps(SCHEMA))
        self.asked: list[str] = []
        self.hangs = anyio.Event()
        self.hangs.set()
        self.app = Starlette(
            routes=[
                Route("/health", self._health),
                Route("/schema", self._schema),
                Route("/predict", self._predict, methods=["POST"]),
            ]
        )

    async def _health(self, _: Request) -> Response:
        self.asked.append("health")
        await self.hangs.wait()
        return self.health

    async def _schema(self, _: Request) -> Response:
        self.asked.append("schema")
        return self.schema

    async def _predict(self, request: Request) -> Response:
        return PlainTextResponse(await request.body(), headers={"X-Said-Host": request.headers["Host"]})


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with running_network(dashboard_port=0) as running:
        yield running


@pytest.fixture
async def talker() -> AsyncIterator[Talker]:
    worker = Talker()
    async with serving(worker.app) as server:
        worker.url = server.url
        yield worker


async def register(network: Network, worker_url: str, **fields: Any) -> None:
    """Register a worker with the orchestrator's BYOC side."""
    body = {"name": "model", "url": worker_url, "capacity": 2, "currency": "wei", "description": "Draws."} | fields
    headers = {"Authorization": network.net.secret}
    url = f"{network.net.orchestrator_url}/capability/register"
    answer = await network.http.post(url, headers=headers, content=json.dumps(body))
    assert answer.status_code == 200, answer.text


async def announce(network: Network, worker_url: str, card: object = CARD, **fields: Any) -> None:
    """Register a worker with the orchestrator's Live Runner side."""
    metadata = card if isinstance(card, str) else json.dumps(card)
    body = {
        "runner_url": worker_url,
        "app": "acme/model",
        "mode": "single-shot",
        "capacity": 2,
        "metadata": metadata,
    } | fields
    headers = {"Authorization": network.net.secret}
    url = f"{network.net.orchestrator_url}/runners/heartbeat"
    answer = await network.http.post(url, headers=headers, content=json.dumps(body))
    assert answer.status_code == 200, answer.text


async def ask(network: Network, path: str = "/api/network", **headers: str) -> httpx2.Response:
    return await network.http.get(network.net.dashboard_url + path, headers=headers)


async def entries(network: Network) -> list[dict[str, Any]]:
    """What the page would show, asked anew."""
    return (await ask(network)).json()["capabilities"]


@asynccontextmanager
async def events(network: Network) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """The documents that the page is sent."""

    async def documents(lines: AsyncIterator[str]) -> AsyncIterator[dict[str, Any]]:
        async for line in lines:
            if line.startswith("data: "):
                yield json.loads(line.removeprefix("data: "))

    async with network.http.stream("GET", f"{network.net.dashboard_url}/api/events") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        yield documents(answer.aiter_lines())


async def test_a_network_has_a_dashboard_only_if_it_is_asked_for():
    async with DevNet() as net:
        with pytest.raises(RuntimeError, match="dashboard"):
            _ = net.dashboard_url
    async with DevNet(dashboard_port=0) as net:
        port = urlsplit(net.dashboard_url).port or 0
        assert port not in {urlsplit(url).port for url in (net.gateway_url, *net.orchestrator_urls)}
    async with DevNet(dashboard_port=port) as net:
        assert urlsplit(net.dashboard_url).port == port


def test_the_command_says_where_its_dashboard_is():
    command = [sys.executable, "-m", "livepeer.devnet", *(f"--{node}-port=0" for node in ("orchestrator", "gateway"))]
    with subprocess.Popen([*command, "--dashboard-port=0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = next(line for line in iter(process.stdout.readline, "") if line.startswith("dashboard"))
        assert "<title>Livepeer devnet</title>" in httpx2.get(line.split()[1], trust_env=False).text
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=10)

    assert process.returncode == 0


@pytest.mark.parametrize("file", sorted(PAGE.iterdir()), ids=lambda file: file.name)
async def test_every_file_of_the_page_is_served_as_what_it_is(network: Network, file: Path):
    answer = await ask(network, "/" if file.name == "index.html" else f"/{file.name}")

    kinds = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
    assert answer.headers["Content-Type"].partition(";")[0] == kinds[file.suffix]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self';")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.content == await anyio.Path(file).read_bytes()


@pytest.mark.parametrize("file", sorted(PAGE.iterdir()), ids=lambda file: file.name)
def test_no_file_of_the_page_asks_elsewhere_or_makes_markup_of_text(file: Path):
    text = file.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")

    for word in ("http://", "https://", '"//', "innerHTML", "outerHTML", "insertAdjacentHTML", "eval(", "style="):
        assert word not in text


async def test_a_path_that_is_no_file_of_the_page_is_not_found(network: Network):
    for path in ("/_dashboard.py", "/../_dashboard.py", "/%2e%2e/_dashboard.py", "/orchestrators/7/discovery", "/api"):
        assert (await ask(network, path)).status_code == 404


async def test_one_entry_tells_of_both_networks(network: Network, talker: Talker):
    await register(network, talker.url)
    await announce(network, talker.url, {**CARD, "schema_sha256": "abc", "deadline_seconds": 60}, version="1.2")

    (entry,) = await entries(network)

    assert entry["card"] == CARD | {
        "transport": "",
        "deadline_seconds": 60,
        "schema_url": "",
        "schema_sha256": "abc",
    }
    runner, capability = entry["registrations"]
    assert (capability["network"], capability["price"], capability["worker_url"]) == ("byoc", "free", talker.url)
    assert (runner["network"], runner["app"], runner["mode"]) == ("live-runner", "acme/model", "single-shot")
    assert (runner["version"], runner["capacity"], runner["ready"]) == ("1.2", 2, True)
    assert [worker["url"] for worker in entry["workers"]] == [talker.url]


async def test_a_worker_tells_its_health_and_its_schema(network: Network, talker: Talker):
    talker.health = Response('{"status": "ERROR", "reason": "no weights", "slots": {"in_use": 1, "waiting": 3}}')
    await register(network, talker.url)

    ((worker,),) = [entry["workers"] for entry in await entries(network)]

    assert (worker["state"], worker["reason"]) == ("ERROR", "no weights")
    assert (worker["in_use"], worker["capacity"], worker["waiting"]) == (1, None, 3)
    assert worker["schema"] == json.dumps(SCHEMA)
    assert worker["schema_sha256"] == sha256(json.dumps(SCHEMA).encode()).hexdigest()


async def test_a_price_is_told_in_words(network: Network, talker: Talker):
    await register(network, talker.url, price_per_unit=3, price_scaling=2)
    await announce(network, talker.url, price_info={"price": 0.5, "currency": "usd", "unit": "hour"})

    ((runner, capability),) = [entry["registrations"] for entry in await entries(network)]

    assert (capability["price"], runner["price"]) == ("1.5 wei a unit", "0.5 usd an hour")


OURS = {"fps_in": 30, "fps_out": 29.9, "latency_ms": 12.5, "frames_dropped": 2}


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        (OURS | {"inference_status": {"fps": 1}}, OURS),
        ({"inference_status": {"fps": 24.5}}, {"fps_out": 24.5}),
        ({"fps_in": "many", "fps_out": None, "latency_ms": True, "inference_status": []}, {}),
    ],
    ids=["ours", "another's", "nonsense"],
)
async def test_a_stream_is_listed_with_what_its_worker_tells_until_it_ends(told: dict[str, Any], shown: dict[str, Any]):
    async with stream_network(dashboard_port=0) as streams:
        assert [entry["streams"] for entry in await entries(streams.network)] == [[]]
        start = await streams.started()
        async with publisher(start["events_url"]) as events:
            await events.publish(json.dumps({"type": "status", "state": "ONLINE", **told}).encode())
            await streams.until_status(state="ONLINE")

            (stream,) = await listed(streams.network, 1)

            unknown = dict.fromkeys(OURS)
            assert stream == {"stream_id": "s-1", "network": "byoc"} | unknown | shown
        await streams.stop()
        assert await listed(streams.network, 0) == []


async def test_the_sessions_of_a_live_runner_are_listed(network: Network, talker: Talker):
    await announce(network, talker.url, CARD | {"kind": "live"}, mode="persistent", runner_id="r")
    session = (await network.http.post(network.net.orchestrator_url + "/apps/r/session")).json()

    (stream,) = await listed(network, 1)

    assert (stream["stream_id"], stream["network"]) == (session["session_id"], "live-runner")


async def listed(network: Network, count: int) -> list[dict[str, Any]]:
    """The streams of the only capability, once there are so many."""
    with anyio.fail_after(5):
        while len(found := (await entries(network))[0]["streams"]) != count:
            await anyio.lowlevel.checkpoint()
    return found


@pytest.mark.parametrize(
    "metadata",
    ["", "words", "[]", "null", "[" * 900, '{"name": 1, "kind": [], "deadline_seconds": 1e999, "image": null}'],
    ids=["none", "words", "list", "null", "deep", "wrong"],
)
async def test_a_runner_without_a_readable_card_is_named_by_its_app(network: Network, talker: Talker, metadata: str):
    await announce(network, talker.url, metadata)

    (entry,) = await entries(network)

    assert entry["card"]["name"] == "model"
    assert (entry["card"]["kind"], entry["card"]["deadline_seconds"]) == ("", None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response("down", 500), "answered 500"),
        (Response(status_code=307, headers={"Location": "/schema"}), "answered 307"),
        (Response(b" " * 1_048_577), "more than 1048576 bytes"),
        (Response("[]"), ""),
        (Response("no json"), ""),
        (Response("[" * 100_000), ""),
        (Response('{"status": "FINE", "reason": 3, "slots": [1]}'), ""),
        (Response('{"status": ["OK"], "slots": {"in_use": true, "capacity": "2", "waiting": 0.5}}'), ""),
    ],
    ids=["error", "redirect", "large", "list", "text", "deep", "state", "types"],
)
async def test_a_worker_that_tells_nonsense_of_its_health_is_shown_without(
    network: Network, talker: Talker, answer: Response, reason: str
):
    talker.health = talker.schema = answer
    await register(network, talker.url)

    ((worker,),) = [entry["workers"] for entry in await entries(network)]

    assert worker["state"] == "UNKNOWN"
    assert reason in worker["reason"]
    assert [worker[name] for name in ("in_use", "capacity", "waiting")] == [None, None, None]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://[", "nonsense", "", "http://\ud800/"])
async def test_a_worker_that_cannot_be_reached_is_shown_with_the_reason(network: Network, url: str):
    await register(network, url)

    ((worker,),) = [entry["workers"] for entry in await entries(network)]

    assert worker["state"] == "UNREACHABLE"
    assert "cannot be reached" in worker["reason"]


async def test_a_worker_that_does_not_answer_holds_up_nobody_for_long(network: Network, talker: Talker, worker: Worker):
    talker.hangs = anyio.Event()
    await register(network, talker.url, name="stuck")
    await register(network, worker.url, name="well")

    with anyio.fail_after(5):
        stuck, well = [entry["workers"][0] for entry in await entries(network)]

    assert (stuck["state"], well["state"]) == ("UNREACHABLE", "UNKNOWN")
    assert "did not answer within" in stuck["reason"]
    assert json.loads(stuck["schema"]) == SCHEMA


async def test_many_pages_cost_a_worker_no_more_than_one(network: Network, talker: Talker):
    await register(network, talker.url)

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(ask, network)

    assert sorted(talker.asked) == ["health", "schema"]


async def test_a_page_is_sent_what_changes(network: Network, talker: Talker):
    async with events(network) as documents:
        first = await anext(documents)
        assert first["capabilities"] == []
        assert (first["gateway_url"], first["orchestrator_urls"]) == (
            network.net.gateway_url,
            list(network.net.orchestrator_urls),
        )
        await register(network, talker.url)
        assert [entry["card"]["name"] for entry in (await anext(documents))["capabilities"]] == ["model"]
        talker.health = Response('{"status": "LOADING"}')
        assert (await anext(documents))["capabilities"][0]["workers"][0]["state"] == "LOADING"
        await network.net.restart_orchestrator()
        assert (await anext(documents))["capabilities"] == []


async def test_nobody_is_asked_anything_once_the_page_is_closed(network: Network, talker: Talker):
    await register(network, talker.url)
    before = asyncio.all_tasks()

    async with events(network) as documents:
        await anext(documents)
    await until(lambda: asyncio.all_tasks() <= before)

    assert sorted(talker.asked) == ["health", "schema"]


async def test_a_network_that_stops_ends_the_streams_of_its_pages():
    async with httpx2.AsyncClient(trust_env=False, timeout=None) as http:
        async with DevNet(dashboard_port=0) as net:
            request = http.build_request("GET", f"{net.dashboard_url}/api/events")
            answer = await http.send(request, stream=True)
        with pytest.raises(httpx2.RequestError):
            await answer.aread()


async def test_a_call_is_handed_on_to_the_gateway(network: Network, worker: Worker):
    await network.register(worker)

    answer = await network.http.post(
        f"{network.net.dashboard_url}/gateway/process/request/echo?query=1",
        content=b"hello",
        headers={"Livepeer": job_header(), "Content-Type": "application/json"},
    )

    assert answer.json()["body"] == "hello"
    assert answer.json()["path"] == "/echo"
    assert answer.headers["X-Orchestrator-Url"] == network.net.orchestrator_url
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"


async def test_a_call_is_handed_on_to_an_orchestrator_as_if_it_had_been_called_itself(network: Network, talker: Talker):
    await announce(network, talker.url, runner_id="one")
    prefix = f"{network.net.dashboard_url}/orchestrators/0"

    answer = await network.http.post(f"{prefix}/apps/one/app/predict", content=b"hello")
    listed = (await network.http.get(f"{prefix}/discovery")).text

    assert answer.text == "hello"
    assert f"{network.net.orchestrator_url}/apps/one" in listed


async def test_a_stream_is_handed_on_as_it_arrives(network: Network, worker: Worker):
    await network.register(worker)
    headers = {"Livepeer": job_header()}

    url = f"{network.net.dashboard_url}/gateway/process/request/gated"
    await worker.release.send(b"data: 1\n\n")
    async with network.http.stream("POST", url, headers=headers) as answer:
        chunks = answer.aiter_bytes()
        assert await anext(chunks) == b"data: 1\n\n"
        await worker.release.send(b"data: 2\n\n")
        assert await anext(chunks) == b"data: 2\n\n"
    await worker.left.wait()


async def test_a_call_is_broken_off_when_its_orchestrator_restarts(network: Network, worker: Worker):
    await network.register(worker)
    url = f"{network.net.dashboard_url}/orchestrators/0/process/request/hang"

    async def call() -> None:
        with pytest.raises(httpx2.RequestError):
            await network.http.post(url, headers={"Livepeer": job_header()})

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(call)
        await worker.called.wait()
        await network.net.restart_orchestrator()


@pytest.mark.parametrize(
    "path", ["/", "/app.js", "/api/network", "/api/events", "/gateway/x", "/orchestrators/0/discovery"]
)
@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "192.0.2.1", "", "["])
async def test_a_name_that_points_here_from_elsewhere_is_refused(network: Network, path: str, host: str):
    answer = await ask(network, path, Host=host)

    assert answer.status_code == 403
    assert "localhost" in answer.text


@pytest.mark.parametrize("host", ["localhost", "localhost:1234", "127.0.0.1", "[::1]:80", "LOCALHOST"])
async def test_the_names_of_this_machine_are_answered(network: Network, host: str):
    assert (await ask(network, Host=host)).status_code == 200


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_a_page_of_another_site_may_link_here_and_nothing_else(network: Network, site: str):
    headers = {"Sec-Fetch-Site": site}
    base = network.net.dashboard_url

    assert (await network.http.get(base, headers=headers)).status_code == 200
    for path in ("/api/network", "/api/events", "/gateway/process/request/echo", "/orchestrators/0/discovery"):
        assert (await network.http.post(base + path, headers=headers)).status_code == 403
