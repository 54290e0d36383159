"""The Live Runner side of a network, as a runner and as a caller ask it (Live Runner, contract section 7)."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from livepeer.conformance import SkippedError

from ._network import Network

PRICE: Mapping[str, Any] = {"price": "0.01", "currency": "usd", "unit": "hour"}
"""What a check's runner costs where calls are paid."""


class Channel(BaseModel):
    """A trickle channel, as far as a check cares."""

    url: str


class Runner(BaseModel):
    """A runner as the first answer to its heartbeat tells of it."""

    model_config = ConfigDict(extra="allow")

    runner_id: str
    heartbeat_interval: str
    heartbeat_ttl: str
    heartbeat_secret: str = ""
    o2r: Channel | None = None
    session_ids: list[str] | None = None


class Session(BaseModel):
    """A reserved session."""

    session_id: str
    app_url: str
    control_url: str


class DiscoveryEntry(BaseModel):
    """What discovery says of one orchestrator."""

    runners: list[dict[str, Any]] | None = None
    """As they were sent: which fields there are is a fact of its own."""


_DISCOVERY = TypeAdapter(list[DiscoveryEntry])


class Challenge(BaseModel):
    """What a 402 asks for."""

    payment_params: str = Field(min_length=1)
    orchestrator: str = Field(min_length=1)
    manifest_id: str = Field(min_length=1)
    payment_url: str = Field(min_length=1)


class Payment(BaseModel):
    """What a signer makes of a challenge."""

    payment: str
    segCreds: str  # noqa: N815
    state: dict[str, Any] | None = None

    @property
    def headers(self) -> dict[str, str]:
        """As a request carries it."""
        return {"Livepeer-Payment": self.payment, "Livepeer-Segment": self.segCreds}


class Apps:
    """Registers runners of one app and calls them.

    Args:
        network: Where.
        http: What asks.
        app: The app's name, nobody else's.
        url: Where its worker is.
        paid: Whether calls are paid.
    """

    def __init__(self, network: Network, http: httpx2.AsyncClient, app: str, url: str, *, paid: bool) -> None:
        self.app = app
        self._network = network
        self._http = http
        self._url = url
        self._paid = paid
        self._runners: list[Runner] = []

    def document(self, **fields: Any) -> dict[str, Any]:
        """The body of a heartbeat; `fields` win, and those that are None are left out."""
        document = {
            "runner_url": self._url,
            "app": self.app,
            "capacity": 1,
            "mode": "single-shot",
            "price_info": dict(PRICE) if self._paid else None,
            **fields,
        }
        return {name: value for name, value in document.items() if value is not None}

    async def heartbeat(self, secret: str | None = None, **fields: Any) -> httpx2.Response:
        """Send one heartbeat; None for the orchestrator's secret."""
        headers = {"Authorization": self._network.secret if secret is None else secret}
        url = f"{self._network.orch_url}/runners/heartbeat"
        answer = await self._http.post(url, json=self.document(**fields), headers=headers)
        if answer.status_code == 200:
            found = Runner.model_validate_json(answer.content)
            if found.heartbeat_secret:
                self._runners.append(found)
        return answer

    async def register(self, **fields: Any) -> Runner:
        """Register a runner.

        Raises:
            httpx2.HTTPStatusError: The orchestrator refused.
        """
        answer = (await self.heartbeat(**fields)).raise_for_status()
        return Runner.model_validate_json(answer.content)

    async def unregister(self, runner: Runner) -> httpx2.Response:
        """Unregister a runner."""
        url = f"{self._network.orch_url}/runners/{runner.runner_id}/unregister"
        return await self._http.post(url, headers={"Authorization": runner.heartbeat_secret})

    async def unregister_all(self) -> None:
        """Unregister every runner."""
        for runner in self._runners:
            await self.unregister(runner)

    async def listed(self) -> list[dict[str, Any]]:
        """What discovery says of the app, one record a runner."""
        answer = (await self._http.get(f"{self._network.orch_url}/discovery")).raise_for_status()
        entries = _DISCOVERY.validate_json(answer.content)
        return [found for entry in entries for found in entry.runners or () if found["app"] == self.app]

    def url(self, runner: Runner, path: str = "", *, session: Session | None = None) -> str:
        """Where a call goes; a session's path is below its `app_url`."""
        if session is not None:
            return f"{session.app_url.rstrip('/')}/{path}"
        return f"{self._network.orch_url}/apps/{runner.runner_id}/app/{path}"

    async def call(self, runner: Runner, path: str = "", *, method: str = "POST", **content: Any) -> httpx2.Response:
        """Call a single-shot runner, and pay if that is asked."""
        url = self.url(runner, path)
        content["headers"] = {**content.get("headers", {}), **await self.payment(url, method=method)}
        return await self._http.request(method, url, **content)

    @asynccontextmanager
    async def open(self, runner: Runner, path: str = "", *, method: str = "POST") -> AsyncGenerator[httpx2.Response]:
        """Call a single-shot runner, pay if that is asked, and read the answer within the block."""
        url = self.url(runner, path)
        headers = await self.payment(url, method=method)
        async with self._http.stream(method, url, headers=headers) as response:
            yield response

    async def reserve(self, runner: Runner) -> Session:
        """Reserve a session of a persistent runner, and pay if that is asked."""
        answer = await self.try_to_reserve(runner)
        return Session.model_validate_json(answer.raise_for_status().content)

    async def try_to_reserve(self, runner: Runner) -> httpx2.Response:
        """Ask for a session of a persistent runner, and pay if that is asked."""
        url = f"{self._network.orch_url}/apps/{runner.runner_id}/session"
        return await self._http.post(url, headers=await self.payment(url))

    async def stop(self, session: Session) -> httpx2.Response:
        """Stop a session."""
        return await self._http.post(f"{session.control_url}/stop")

    async def challenge(self, url: str, *, method: str = "POST") -> httpx2.Response:
        """Make a request as whoever pays, without a payment."""
        headers = {"Livepeer-Payer-Address": await self._payer()}
        return await self._http.request(method, url, headers=headers)

    async def pay(self, challenge: Challenge, *, kind: str = "live", state: Any = None) -> Payment:
        """Have the signer make a payment."""
        document = {
            "orchestrator": challenge.payment_params,
            "type": kind,
            "ManifestID": challenge.manifest_id,
            **({"state": state} if state is not None else {}),
        }
        answer = await self._http.post(f"{self._signer}/generate-live-payment", json=document)
        return Payment.model_validate_json(answer.raise_for_status().content)

    async def payment(self, url: str, *, method: str = "POST") -> dict[str, str]:
        """The headers that pay for one request; none where nothing is paid."""
        if not self._paid:
            return {}
        answer = await self.challenge(url, method=method)
        if answer.status_code != 402:
            return {}
        return (await self.pay(Challenge.model_validate_json(answer.content))).headers

    @property
    def _signer(self) -> str:
        if self._network.signer_url is None:
            raise SkippedError("calls are paid here, and no signer was given")
        return self._network.signer_url

    async def _payer(self) -> str:
        answer = await self._http.post(f"{self._signer}/sign-orchestrator-info", json={})
        return str(answer.raise_for_status().json()["address"])
