"""Announcing a capability to a Live Runner orchestrator (contract, section 7)."""

import logging
import secrets
import time
from contextlib import aclosing
from typing import Any

import anyio
import httpx2
from pydantic import ValidationError

from livepeer.core import RegistrationState

from ._hardware import gpus
from ._lifecycle import Lifecycle
from ._o2r import read_messages
from ._options import RegistrationOptions
from ._registrar import FailedError, NetworkRegistrar, NotSpokenError, RefusedError, answered, words
from ._runner_offer import runner_offer
from ._runners import Heartbeat, HeartbeatAnswer, Runner

logger = logging.getLogger("livepeer.server")

_FORGOTTEN = {401, 404}
"""After the sweep, and between expiry and sweep: both mean to register again."""

_REFUSALS = {400, 401, 403, 405}
_RETRY_SECONDS = 1.0
_MIB = 1024 * 1024


class _ForgottenError(Exception):
    """The orchestrator does not know the runner any more."""


class LiveRunnerRegistrar(NetworkRegistrar):
    """Registers when the capability is ready, heartbeats from then on, and unregisters at the end.

    While the model is loaded again the runner stays known and is not called. An orchestrator that forgot it, by a
    restart or for want of heartbeats, gets a registration under a new id: the old one's secret is of no use any more.
    """

    network = "live-runner"
    sends_token = False

    def __init__(self, lifecycle: Lifecycle, options: RegistrationOptions) -> None:
        super().__init__(lifecycle, options)
        self._runner_id = ""
        self._secret = ""
        self._interval_seconds = _RETRY_SECONDS
        self._told_ready = False
        self._gpu: dict[str, Any] | None = None
        self._sessions: dict[str, float] = {}
        """The sessions that the orchestrator has told of, and since when."""

    @property
    def offer(self) -> dict[str, Any]:
        """Name, capacity and price as `GET /capabilities` gives them; the price is none in wei."""
        price = self._runner.price_info
        return {
            "name": self._name,
            "capacity": self._runner.capacity,
            "price_per_unit": 0,
            "price_scaling": 1,
            "app": self._runner.app,
            **({"price_info": price.model_dump()} if price is not None else {}),
        }

    async def announce(self) -> None:
        """Register as soon as the capability is ready, and again whenever the orchestrator forgot it.

        Raises:
            RefusedError: If the orchestrator says no for good.
        """
        await self._until(lambda: self._lifecycle.ready)
        self._warn_of_what_is_lost()
        self._gpu = await _first_gpu()
        async with self._client() as client:
            while True:
                await self._until(lambda: self._lifecycle.ready)
                refusal = await self._stay_known(client, await self._register(client))
                self._reconcile(frozenset(), asked_at=time.monotonic())
                if refusal is not None:
                    raise refusal

    async def withdraw(self) -> None:
        """Unregister, if it is registered."""
        if not self._secret:
            return
        secret, self._secret = self._secret, ""
        self._change(RegistrationState.WITHDRAWN)
        try:
            async with self._client() as client:
                path = f"/runners/{self._runner_id}/unregister"
                answer = await client.post(path, headers={"authorization": secret})
                if answer.is_error and answer.status_code not in _FORGOTTEN:
                    logger.warning("unregistering %s: %s", self._name, answered(answer))
        except httpx2.HTTPError as error:
            logger.warning("unregistering %s: %s", self._name, words(error))

    @property
    def _runner(self) -> Runner:
        deadline_seconds = self._lifecycle.options.deadline_seconds
        runner, _ = runner_offer(self._description, self._options, deadline_seconds=deadline_seconds)
        # The orchestrator holds callers to what is offered, so nothing is offered that would be refused here.
        return runner.model_copy(update={"capacity": min(runner.capacity, self._bearable)})

    def _warn_of_what_is_lost(self) -> None:
        asked, dropped = runner_offer(self._description, self._options)
        if asked.capacity > self._runner.capacity:
            logger.warning(
                "%s takes %d calls at once: that many are offered, not %d",
                self._name,
                self._runner.capacity,
                asked.capacity,
            )
        if dropped:
            logger.warning("the discovery card of %s is too long and goes without %s", self._name, ", ".join(dropped))

    async def _register(self, client: httpx2.AsyncClient) -> HeartbeatAnswer:
        while True:
            # The model's own name, since it goes into URLs; the one on the network may hold anything.
            self._runner_id, self._secret = f"{self._description.info.name}-{secrets.token_hex(5)}", ""
            try:
                answer = await self._ask(client, self._options.orch_token)
            except FailedError as error:
                if self._change(RegistrationState.REGISTERING, str(error)):
                    logger.warning("registering %s failed, trying again: %s", self._name, error)
            else:
                self._secret = answer.heartbeat_secret
                self._change(RegistrationState.REGISTERED, runner_id=self._runner_id)
                logger.info("registered %s at %s as %s", self._name, self._options.orch_url, self._runner_id)
                return answer
            await anyio.sleep(_RETRY_SECONDS)
            await self._until(lambda: self._lifecycle.ready)

    async def _stay_known(self, client: httpx2.AsyncClient, answer: HeartbeatAnswer) -> RefusedError | None:
        """Do what a registration takes until the orchestrator does not know it any more, or refuses it."""
        refusal: RefusedError | None = None
        async with anyio.create_task_group() as tasks:
            # A single-shot session is one request, and its caller's leaving says all that there is to say.
            if answer.o2r is not None and self._runner.mode == "persistent":
                tasks.start_soon(self._follow_sessions, answer.o2r.url)
            refusal = await self._heartbeat(client)
            tasks.cancel_scope.cancel()
        return refusal

    async def _heartbeat(self, client: httpx2.AsyncClient) -> RefusedError | None:
        """Heartbeat until the orchestrator does not know the runner any more, or refuses it."""
        pause_seconds = self._interval_seconds
        while True:
            with anyio.move_on_after(pause_seconds):
                await self._until(lambda: self._lifecycle.ready is not self._told_ready)
            try:
                await self._ask(client, self._secret)
            except _ForgottenError as error:
                logger.info("%s was forgotten, and registers again: %s", self._name, error)
                return None
            except RefusedError as error:
                return error
            except FailedError as error:
                if self._change(RegistrationState.REGISTERING, str(error), runner_id=self._runner_id):
                    logger.warning("a heartbeat of %s failed, trying again: %s", self._name, error)
                pause_seconds = min(_RETRY_SECONDS, self._interval_seconds)
            else:
                self._change(RegistrationState.REGISTERED, runner_id=self._runner_id)
                pause_seconds = self._interval_seconds

    async def _ask(self, client: httpx2.AsyncClient, authorization: str) -> HeartbeatAnswer:
        asked_at = time.monotonic()
        self._told_ready = self._lifecycle.ready
        document = self._document().model_dump(mode="json", exclude_none=True)
        try:
            response = await client.post("/runners/heartbeat", json=document, headers={"authorization": authorization})
        except httpx2.HTTPError as error:
            raise FailedError(words(error)) from error
        self._check(response)
        try:
            answer = HeartbeatAnswer.model_validate_json(response.content)
        except ValidationError as error:
            raise FailedError(f"the answer to a heartbeat cannot be read: {error.errors()[0]['msg']}") from error
        if not self._secret and not answer.heartbeat_secret:
            raise FailedError("the answer to the first heartbeat holds no heartbeat_secret")
        self._interval_seconds = answer.heartbeat_interval
        self._reconcile(answer.live_session_ids, asked_at=asked_at)
        return answer

    def _check(self, response: httpx2.Response) -> None:
        if self._secret and response.status_code in _FORGOTTEN:
            raise _ForgottenError(answered(response))
        if response.status_code == 404:
            raise NotSpokenError(f"{answered(response)} (an orchestrator without Live Runner answers so)")
        if response.status_code in _REFUSALS:
            hint = " (set LIVEPEER_PRICE_USD)" if "price" in response.text else ""
            raise RefusedError(f"{answered(response)}{hint}")
        if response.is_error:
            raise FailedError(answered(response))

    def _document(self) -> Heartbeat:
        return Heartbeat(
            **dict(self._runner),
            runner_id=self._runner_id,
            status="ready" if self._told_ready else "loading",
            gpu=self._gpu,
            session_ids=list(self._sessions),
        )

    async def _follow_sessions(self, url: str) -> None:
        async with aclosing(read_messages(url, verify=self._options.verify_tls)) as messages:
            async for message in messages:
                session_id = message.get("session")
                if not isinstance(session_id, str):
                    continue
                if message.get("event") == "reserved":
                    self._sessions.setdefault(session_id, time.monotonic())
                elif message.get("event") == "released":
                    self._end(session_id)

    def _reconcile(self, live_session_ids: frozenset[str], *, asked_at: float) -> None:
        """Believe the orchestrator: end what it has released, but nothing that it reserved after it was asked."""
        for session_id, since in tuple(self._sessions.items()):
            if session_id not in live_session_ids and since <= asked_at:
                self._end(session_id)
        for session_id in live_session_ids:
            self._sessions.setdefault(session_id, asked_at)

    def _end(self, session_id: str) -> None:
        self._sessions.pop(session_id, None)
        self._lifecycle.sessions.end(session_id)


async def _first_gpu() -> dict[str, Any] | None:
    for found in (await gpus()).values():
        return {"id": found["id"], "name": found["name"], "vram_mb": found["memory_total"] // _MIB}
    return None
