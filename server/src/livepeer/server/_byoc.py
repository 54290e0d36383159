"""Announcing a capability to a BYOC orchestrator (BYOC contract, section 1)."""

import asyncio
import logging
from typing import Any

import httpx2

from livepeer.core import Registration, RegistrationState

from ._lifecycle import Lifecycle
from ._options import RegistrationOptions

logger = logging.getLogger("livepeer.server")

_REFUSALS = {400, 401, 403, 404, 405}
_FIRST_DELAY_SECONDS = 0.5
_LAST_DELAY_SECONDS = 30.0
_TIMEOUT_SECONDS = 10.0
_DROPS_TO_REFUSAL = 3
_PLAIN_CURRENCIES = {"", "wei"}


class _RefusedError(Exception):
    """The orchestrator will say the same again."""


class _FailedError(Exception):
    """It may work later."""


class BYOCRegistrar:
    """Registers when the capability is ready, again while it is idle, and unregisters at the end.

    An orchestrator keeps registrations in memory, drops them when it cannot reach the worker, and leaks
    slots; registering again heals all three. It also resets the count of running jobs, so it is done
    only while nothing runs.

    Args:
        lifecycle: What is served, and in what state.
        options: Where and as what.
    """

    def __init__(self, lifecycle: Lifecycle, options: RegistrationOptions) -> None:
        self._lifecycle = lifecycle
        self._options = options
        self._changed = asyncio.Event()
        self._dropped = 0
        self.registration = Registration(network="byoc", name=options.capability_name or "")
        lifecycle.listen(self._changed.set)

    @property
    def offer(self) -> dict[str, Any]:
        """Name, capacity and price as `GET /capabilities` gives them."""
        options = self._options
        return {
            "name": self._name(),
            "capacity": self._capacity(),
            "price_per_unit": options.price_per_unit,
            "price_scaling": options.price_scaling,
        }

    async def keep(self) -> None:
        """Register as soon as the capability is ready, and again while it is idle, until cancelled."""
        async with self._client() as client:
            await self._until_idle()
            self._warn_of_overcommitment()
            while True:
                await self._until_idle()
                try:
                    await self._register(client)
                except _RefusedError as error:
                    self._change(RegistrationState.REFUSED, str(error))
                    logger.error("the orchestrator refuses %s: %s", self._name(), error)
                    return
                await asyncio.sleep(self._options.interval_seconds)

    async def withdraw(self) -> None:
        """Unregister, if it ever registered."""
        if self.registration.state is not RegistrationState.REGISTERED:
            return
        self._change(RegistrationState.WITHDRAWN)
        try:
            async with self._client() as client:
                answer = await client.post("/capability/unregister", content=self._name())
                if answer.is_error:
                    logger.warning("unregistering %s: %s %s", self._name(), answer.status_code, answer.text.strip())
        except httpx2.HTTPError as error:
            logger.warning("unregistering %s: %s", self._name(), _words(error))

    def _warn_of_overcommitment(self) -> None:
        slots = self._lifecycle.slots[0]
        bearable = slots.capacity + slots.queue_size
        if self._capacity() > bearable:
            logger.warning(
                "%s offers %d calls at once, but takes %d: the others are refused with 503",
                self._name(),
                self._capacity(),
                bearable,
            )

    async def _until_idle(self) -> None:
        while not (self._lifecycle.ready and self._lifecycle.running == 0):
            self._changed.clear()
            await self._changed.wait()

    async def _register(self, client: httpx2.AsyncClient) -> None:
        delay = _FIRST_DELAY_SECONDS
        while True:
            try:
                await self._ask(client)
            except _FailedError as error:
                self._change(RegistrationState.REGISTERING, str(error))
                logger.warning("registering %s failed, trying again in %g s: %s", self._name(), delay, error)
            else:
                if self.registration.state is not RegistrationState.REGISTERED:
                    logger.info("registered %s at %s", self._name(), self._options.orch_url)
                self._change(RegistrationState.REGISTERED)
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LAST_DELAY_SECONDS)
            await self._until_idle()

    async def _ask(self, client: httpx2.AsyncClient) -> None:
        try:
            answer = await client.post("/capability/register", json=self._document())
        except (httpx2.RemoteProtocolError, httpx2.ReadError) as error:
            raise self._drop(error) from error
        except httpx2.HTTPError as error:
            raise _FailedError(_words(error)) from error
        self._dropped = 0
        if answer.status_code in _REFUSALS:
            hint = " (an orchestrator built without BYOC answers so)" if answer.status_code == 404 else ""
            raise _RefusedError(f"{answer.status_code} {answer.text.strip()}{hint}")
        if answer.is_error:
            raise _FailedError(f"{answer.status_code} {answer.text.strip()}")

    def _drop(self, error: Exception) -> Exception:
        """An orchestrator that cannot convert a currency panics, and drops the connection without a word."""
        self._dropped += 1
        currency = self._options.currency
        if self._dropped >= _DROPS_TO_REFUSAL and currency not in _PLAIN_CURRENCIES:
            return _RefusedError(
                f"the connection was dropped {self._dropped} times; this orchestrator probably cannot convert "
                f"the currency {currency!r}: use 'wei'"
            )
        return _FailedError(_words(error))

    def _document(self) -> dict[str, Any]:
        options = self._options
        description = self._lifecycle.description
        assert description is not None
        return {
            **self.offer,
            "description": options.capability_description or description.info.description,
            "url": options.capability_url.rstrip("/"),
            "currency": options.currency,
            "token": options.token,
        }

    def _name(self) -> str:
        description = self._lifecycle.description
        return self._options.capability_name or (description.info.name if description is not None else "")

    def _capacity(self) -> int:
        description = self._lifecycle.description
        return self._options.capacity or (description.operations[0].capacity if description is not None else 1)

    def _change(self, state: RegistrationState, reason: str | None = None) -> None:
        self.registration = Registration(state=state, network="byoc", name=self._name(), reason=reason)

    def _client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self._options.orch_url.rstrip("/"),
            headers={"authorization": self._options.orch_token},
            timeout=_TIMEOUT_SECONDS,
            verify=self._options.verify_tls,
            trust_env=False,
        )


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
