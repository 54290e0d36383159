"""Where badly behaved callers knock: at an edge itself, or at the network in front of it."""

import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from livepeer.devnet import DevNet

from .chaos import Chaos
from .edge import Edge, serving
from .ways import Way

ROOMY = {"LIVEPEER_CAPACITY": "1000"}
"""What an edge offers: on BYOC every caller that leaves costs a slot until it registers again (contract, section 1)."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where a request goes, byte for byte."""

    port: int
    path: str
    headers: dict[str, str]

    @property
    def url(self) -> str:
        """The same as a URL."""
        return f"http://127.0.0.1:{self.port}{self.path}"

    def request(self, input: dict[str, Any]) -> bytes:
        """A whole request."""
        body = json.dumps(input).encode()
        return self.head(len(body)) + body

    def head(self, length: int) -> bytes:
        """A request up to its body."""
        fields = {"Host": f"127.0.0.1:{self.port}", "Content-Type": "application/json", **self.headers}
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
        return "\r\n".join([*lines, f"Content-Length: {length}", "", ""]).encode()


@dataclass(frozen=True, kw_only=True)
class Place:
    """A served model, its door, and a well-behaved caller's way in."""

    edge: Edge
    door: Door
    ask: Callable[[dict[str, Any]], Awaitable[Any]]
    """Makes a call, and gives its value, or its items as a list."""

    slots_taken: Callable[[], int]
    """How many slots the network takes for taken; below 0 where it counted calls out twice (contract, section 1)."""


@asynccontextmanager
async def opened(way: Way | None, model: str, **environment: str) -> AsyncGenerator[Place]:
    """Serve a model behind a network, or behind nothing."""
    if way is None:
        async with serving(model, **environment) as edge, httpx2.AsyncClient(trust_env=False, timeout=30) as http:
            await edge.until_idle()
            door = Door(port=edge.port, path="/predict", headers={})
            yield Place(edge=edge, door=door, ask=lambda input: _post(http, edge.url, input), slots_taken=lambda: 0)
        return
    async with (
        way.network_of_its_own() as net,
        serving(model, **way.settings(net), **(ROOMY if way.network == "byoc" else {}), **environment) as edge,
        way.caller(net) as caller,
    ):
        await Chaos(net, edge, way).until_back()
        name = model.lower()
        yield Place(
            edge=edge,
            door=_door(way, net, name),
            ask=lambda input: caller.run_async(name, input, timeout_seconds=30),
            slots_taken=lambda: _slots_taken(way, net),
        )


async def _post(http: httpx2.AsyncClient, url: str, input: dict[str, Any]) -> Any:
    answer = (await http.post(f"{url}/predict", json=input)).raise_for_status()
    if answer.headers["Content-Type"].startswith("application/json"):
        return answer.json()
    return [json.loads(line.removeprefix("data: ")) for line in answer.text.splitlines() if line.startswith("data: {")]


def _door(way: Way, net: DevNet, name: str) -> Door:
    if way.network == "live-runner":
        (runner_id,) = net.runners
        return Door(port=_port(net.orchestrator_url), path=f"/apps/{runner_id}/app/predict", headers={})
    url = net.gateway_url if way.hop == "gateway" else net.orchestrator_url
    job = {"request": "{}", "parameters": "{}", "capability": name, "timeout_seconds": 60, "sender": "0x", "sig": "00"}
    header = base64.b64encode(json.dumps(job).encode()).decode()
    return Door(port=_port(url), path="/process/request/predict", headers={"Livepeer": header})


def _slots_taken(way: Way, net: DevNet) -> int:
    if way.network == "byoc":
        return sum(capability.load for capability in net.capabilities.values())
    return sum(len(runner.session_ids) for runner in net.runners.values())


def _port(url: str) -> int:
    return int(url.rpartition(":")[2])
