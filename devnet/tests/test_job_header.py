"""BYOC contract, section 3: the `Livepeer` header."""

import base64
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from livepeer.devnet import Gateway, Timings

from .kit import FAST, Network, Worker, encode, job_header, running_network, serving


class OtherOrchestrator:
    """An orchestrator that notes the job it is brought, and answers it only if told to."""

    def __init__(self, *, answers: bool = True) -> None:
        self._answers = answers
        self.url = ""
        self.job: dict[str, Any] = {}
        self.path = ""
        self.left = anyio.Event()
        self.app = Starlette(
            routes=[Route("/process/token", self._token), Route("/{path:path}", self._job, methods=["POST"])]
        )

    async def _token(self, request: Request) -> Response:
        return JSONResponse({"available_capacity": 1, "service_addr": self.url})

    async def _job(self, request: Request) -> Response:
        self.path = request.url.path
        self.job = json.loads(base64.b64decode(request.headers["Livepeer"]))
        await request.body()
        while not self._answers and (await request.receive())["type"] != "http.disconnect":
            pass
        self.left.set()
        return Response("done")


@asynccontextmanager
async def gateway_before(
    orchestrator: OtherOrchestrator, *more_urls: str, timings: Timings = FAST
) -> AsyncIterator[str]:
    async with serving(orchestrator.app) as server:
        orchestrator.url = server.url
        async with serving(Gateway([*more_urls, server.url], timings=timings).app) as gateway:
            yield f"{gateway.url}/process/request/"


REFUSED_BY_BOTH = {
    "no header": "",
    "not base64": "%%%",
    "not JSON": base64.b64encode(b"{").decode(),
    "not an object": encode([]),
    "a capability that is no string": job_header(capability=1),
    "no timeout": job_header(timeout_seconds=None),
    "a timeout of 0": job_header(timeout_seconds=0),
    "a timeout as text": job_header(timeout_seconds="1"),
    "no request": job_header(request=None),
    "a request that is not JSON": job_header(request="{"),
    "a request that is no object": job_header(request="[]"),
    "a stream id that is no string": job_header(request='{"stream_id": 1}'),
}

REFUSED_BY_THE_GATEWAY = {
    "no parameters": job_header(parameters=None),
    "parameters that are not JSON": job_header(parameters="{"),
    "parameters that are no object": job_header(parameters="[]"),
    "orchestrators that are no lists": job_header(parameters='{"orchestrators": {"include": "http://a"}}'),
    "a switch that is no boolean": job_header(parameters='{"enable_data_output": 1}'),
}


@pytest.mark.parametrize("direct", [False, True])
async def test_a_job_without_a_readable_header_is_400(network: Network, worker: Worker, direct: bool):
    await network.register(worker, capacity=100)

    for why, header in REFUSED_BY_BOTH.items():
        assert (why, (await network.call(header=header, direct=direct)).status_code) == (why, 400)
    assert not worker.calls


async def test_parameters_must_parse_at_the_gateway_alone(network: Network, worker: Worker):
    await network.register(worker)

    for why, header in REFUSED_BY_THE_GATEWAY.items():
        assert (why, (await network.call(header=header)).status_code) == (why, 400)
        assert (why, (await network.call(header=header, direct=True)).status_code) == (why, 200)


async def test_a_job_without_a_timeout_is_told_so(network: Network, worker: Worker):
    await network.register(worker)

    for direct in (False, True):
        assert "timeout_seconds is required" in (await network.call(timeout_seconds=0, direct=direct)).text


async def test_any_signature_in_hex_passes_at_the_orchestrator(network: Network, worker: Worker):
    await network.register(worker)

    for signature in ("", "00", "0x" + "0" * 130, "f" * 130, "zz" + "0" * 130):
        assert (signature, (await network.call(sig=signature, direct=True)).status_code) == (signature, 200)


async def test_another_signature_is_400_at_the_orchestrator(network: Network, worker: Worker):
    await network.register(worker)

    for signature in ("0x", "0x00", "0", "zz", "0x" + "0" * 129):
        answer = await network.call(sig=signature, direct=True)
        assert (signature, answer.status_code, answer.text) == (signature, 400, "Could not verify job creds\n")
    assert network.load == 0


async def test_the_gateway_signs_the_job_and_keeps_what_the_caller_said():
    orchestrator = OtherOrchestrator()
    async with gateway_before(orchestrator) as url, httpx2.AsyncClient(trust_env=False) as http:
        header = job_header(request='{"a": 1}', parameters='{"b": 2}', timeout_seconds=7, sig="not hex")
        answer = await http.post(url + "some/route?q=1", headers={"Livepeer": header})

    assert (answer.text, orchestrator.path) == ("done", "/process/request/some/route")
    job = orchestrator.job
    assert (job["request"], job["parameters"], job["capability"]) == ('{"a": 1}', '{"b": 2}', "model")
    assert job["timeout_seconds"] == 7
    assert job["id"]
    assert len(job["sender"]) == 42
    assert bytes.fromhex(job["sig"].removeprefix("0x"))


async def test_the_gateway_keeps_an_id_that_the_caller_chose():
    orchestrator = OtherOrchestrator()
    async with gateway_before(orchestrator) as url, httpx2.AsyncClient(trust_env=False) as http:
        await http.post(url, headers={"Livepeer": job_header(id="mine")})

    assert orchestrator.job["id"] == "mine"


async def test_the_gateway_waits_a_little_longer_than_the_job_may_take_and_then_leaves():
    orchestrator = OtherOrchestrator(answers=False)
    async with gateway_before(orchestrator) as url, httpx2.AsyncClient(trust_env=False) as http:
        begin = anyio.current_time()
        answer = await http.post(url, headers={"Livepeer": job_header(timeout_seconds=1)})
        took = anyio.current_time() - begin
        await orchestrator.left.wait()

    assert (answer.status_code, answer.content) == (200, b"")
    assert took >= FAST.job_seconds(1) + FAST.gateway_grace_seconds


async def test_an_orchestrator_that_is_down_is_passed_over():
    orchestrator = OtherOrchestrator()
    async with gateway_before(orchestrator, "http://127.0.0.1:1") as url, httpx2.AsyncClient(trust_env=False) as http:
        answer = await http.post(url, headers={"Livepeer": job_header()})

    assert answer.headers["X-Orchestrator-Url"] == orchestrator.url


@pytest.mark.parametrize(
    "timings",
    [Timings(search_seconds=60, search_answer_seconds=0.1), Timings(search_seconds=0.1, search_answer_seconds=60)],
    ids=["too slow for one", "too slow for all"],
)
async def test_an_orchestrator_that_is_slow_to_say_whether_it_is_free_is_passed_over(timings: Timings):
    orchestrator = OtherOrchestrator()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        async with (
            gateway_before(orchestrator, silent_url, timings=timings) as url,
            httpx2.AsyncClient(trust_env=False) as http,
        ):
            answer = await http.post(url, headers={"Livepeer": job_header()})

    assert answer.headers["X-Orchestrator-Url"] == orchestrator.url


@pytest.mark.parametrize("wanted", [0, 1])
async def test_a_caller_chooses_orchestrators_by_including_and_excluding(worker: Worker, wanted: int):
    async with running_network(orchestrators=2) as network:
        urls = network.net.orchestrator_urls
        for at in range(2):
            await network.register(worker, at=at)
        for choice in ({"include": [urls[wanted]]}, {"exclude": [urls[1 - wanted]]}):
            answer = await network.call(parameters=json.dumps({"orchestrators": choice}))
            assert answer.headers["X-Orchestrator-Url"] == urls[wanted]


async def test_excluding_every_orchestrator_finds_none(network: Network, worker: Worker):
    await network.register(worker)
    parameters = json.dumps({"orchestrators": {"exclude": [network.net.orchestrator_url]}})

    answer = await network.call(parameters=parameters)

    assert (answer.status_code, answer.text[:22]) == (400, "No orchestrators found")
