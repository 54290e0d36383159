"""The BYOC side of a network, as a worker and as a caller ask it (BYOC contract, sections 1 and 3)."""

import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2

from livepeer.conformance import expect_that

from ._network import Network

LONG_SECONDS = 60
"""A deadline that no check waits for."""


class Byoc:
    """Registers one capability and calls it.

    Args:
        network: Where.
        http: What asks.
        name: The capability's name, nobody else's.
        url: Where its worker is.
    """

    def __init__(self, network: Network, http: httpx2.AsyncClient, name: str, url: str) -> None:
        self._network = network
        self._http = http
        self._name = name
        self._url = url
        self._registered_at: set[int] = set()

    async def post(self, path: str, *, at: int = 0, secret: str | None = None, **content: Any) -> httpx2.Response:
        """Ask an orchestrator's registry.

        Args:
            path: `register` or `unregister`.
            at: Which orchestrator.
            secret: What Authorization says; None for the orchestrator's secret.
            content: The body, as the client takes it.
        """
        headers = {"Authorization": self._network.secret if secret is None else secret}
        self._registered_at.add(at)
        return await self._http.post(f"{self._network.orch_urls[at]}/capability/{path}", headers=headers, **content)

    def document(self, **fields: Any) -> dict[str, Any]:
        """The body of a registration; `fields` win."""
        return {
            "name": self._name,
            "description": "a conformance check",
            "url": self._url,
            "capacity": 1,
            "price_per_unit": 0,
            "price_scaling": 1,
            "currency": "wei",
            **fields,
        }

    async def register(self, *, at: int = 0, **fields: Any) -> None:
        """Register the capability.

        Raises:
            httpx2.HTTPStatusError: The orchestrator refused.
        """
        (await self.post("register", at=at, json=self.document(**fields))).raise_for_status()

    async def unregister(self) -> None:
        """Unregister the capability wherever it may be registered, and with it what it leaked."""
        for at in self._registered_at:
            await self.post("unregister", at=at, content=self._name)

    def job(self, **fields: Any) -> dict[str, str]:
        """The header of a job; a field that is None is left out."""
        document = {
            "request": "{}",
            "parameters": "{}",
            "capability": self._name,
            "timeout_seconds": LONG_SECONDS,
            **fields,
        }
        text = json.dumps({name: value for name, value in document.items() if value is not None})
        return {"Livepeer": base64.b64encode(text.encode()).decode()}

    def url(self, route: str = "", *, straight: bool = False, at: int = 0) -> str:
        """Where a job goes: to the gateway, or straight to an orchestrator."""
        base = self._network.orch_urls[at] if straight else self._network.gateway_url
        return f"{base}/process/request/{route}"

    async def call(
        self, route: str = "", body: bytes = b"{}", *, straight: bool = False, at: int = 0, **fields: Any
    ) -> httpx2.Response:
        """Bring a job, and return the whole answer; `fields` are the header's."""
        headers = {"Content-Type": "application/json", **self.job(**fields)}
        return await self._http.post(self.url(route, straight=straight, at=at), content=body, headers=headers)

    @asynccontextmanager
    async def open(
        self, route: str = "", body: bytes = b"{}", *, straight: bool = False, **fields: Any
    ) -> AsyncGenerator[httpx2.Response]:
        """Bring a job, and read its answer within the block, at whose end the caller leaves."""
        headers = {"Content-Type": "application/json", **self.job(**fields)}
        url = self.url(route, straight=straight)
        async with self._http.stream("POST", url, content=body, headers=headers) as response:
            yield response

    async def leave(self, started: Callable[[], Awaitable[object]]) -> None:
        """Bring a job, and leave as soon as `started` returns, before there is an answer."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self.call)
            await started()
            tasks.cancel_scope.cancel()

    async def is_found(self) -> bool:
        """Whether the gateway finds an orchestrator with a free slot of the capability; if so, this is a job.

        Raises:
            UnexpectedError: The gateway says neither.
        """
        answer = await self.call()
        if answer.status_code == 200:
            return True
        expect_that(is_not_found(answer), "200, or 400 No orchestrators found", (answer.status_code, answer.text))
        return False


def is_not_found(answer: httpx2.Response) -> bool:
    """Whether a gateway found no orchestrator."""
    return answer.status_code == 400 and answer.text.startswith("No orchestrators found")
