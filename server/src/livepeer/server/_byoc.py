"""Announcing a capability to a BYOC orchestrator (BYOC contract, section 1)."""

import asyncio
import logging
from typing import Any

import httpx2

from livepeer.core import RegistrationState

from ._lifecycle import Lifecycle
from ._options import RegistrationOptions
from ._registrar import FailedError, NetworkRegistrar, NotSpokenError, RefusedError, answered, words

logger = logging.getLogger("livepeer.server")

_REFUSALS = {400, 401, 403, 405}
_NOT_SPOKEN = 404
_FIRST_DELAY_SECONDS = 0.5
_LAST_DELAY_SECONDS = 10.0
_DROPS_TO_REFUSAL = 3
_PLAIN_CURRENCIES = {"", "wei"}


class BYOCRegistrar(NetworkRegistrar):
    """Registers when the capability is ready, again while it is idle, and unregisters at the end.

    An orchestrator keeps registrations in memory, drops them when it cannot reach the worker, and leaks
    slots; registering again heals all three. It also resets the count of running jobs, so it is done
    only while nothing runs.
    """

    network = "byoc"
    sends_token = True

    def __init__(self, lifecycle: Lifecycle, options: RegistrationOptions) -> None:
        super().__init__(lifecycle, options)
        self._dropped = 0

    @property
    def offer(self) -> dict[str, Any]:
        """Name, capacity and price as `GET /capabilities` gives them."""
        options = self._options
        return {
            "name": self._name,
            "capacity": self._capacity,
            "price_per_unit": options.price_per_unit,
            "price_scaling": options.price_scaling,
        }

    async def announce(self) -> None:
        """Register as soon as the capability is ready, and again while it is idle.

        Raises:
            RefusedError: If the orchestrator says no for good.
        """
        async with self._client() as client:
            await self._until_idle()
            self._warn_of_overcommitment()
            while True:
                await self._until_idle()
                await self._register(client)
                await asyncio.sleep(self._options.interval_seconds)

    async def withdraw(self) -> None:
        """Unregister, if it ever registered."""
        if self.registration.state is not RegistrationState.REGISTERED:
            return
        self._change(RegistrationState.WITHDRAWN)
        try:
            async with self._client() as client:
                answer = await client.post("/capability/unregister", content=self._name, headers=self._headers)
                if answer.is_error:
                    logger.warning("unregistering %s: %s", self._name, answered(answer))
        except httpx2.HTTPError as error:
            logger.warning("unregistering %s: %s", self._name, words(error))

    @property
    def _capacity(self) -> int:
        """How many calls at once are offered."""
        description = self._lifecycle.description
        return self._options.capacity or (description.capacity if description is not None else 1)

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": self._options.orch_token}

    def _warn_of_overcommitment(self) -> None:
        if self._capacity > self._bearable:
            logger.warning(
                "%s offers %d calls at once, but takes %d: the others are refused with 503",
                self._name,
                self._capacity,
                self._bearable,
            )

    async def _until_idle(self) -> None:
        await self._until(lambda: self._lifecycle.ready and self._lifecycle.running == 0)

    async def _register(self, client: httpx2.AsyncClient) -> None:
        delay = _FIRST_DELAY_SECONDS
        while True:
            try:
                await self._ask(client)
            except FailedError as error:
                self._change(RegistrationState.REGISTERING, str(error))
                logger.warning("registering %s failed, trying again in %g s: %s", self._name, delay, error)
            else:
                if self.registration.state is not RegistrationState.REGISTERED:
                    logger.info("registered %s at %s", self._name, self._options.orch_url)
                self._change(RegistrationState.REGISTERED)
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LAST_DELAY_SECONDS)
            await self._until_idle()

    async def _ask(self, client: httpx2.AsyncClient) -> None:
        try:
            answer = await client.post("/capability/register", json=self._document(), headers=self._headers)
        except (httpx2.RemoteProtocolError, httpx2.ReadError) as error:
            raise self._drop(error) from error
        except httpx2.HTTPError as error:
            raise FailedError(words(error)) from error
        self._dropped = 0
        if answer.status_code == _NOT_SPOKEN:
            raise NotSpokenError(f"{answered(answer)} (an orchestrator built without BYOC answers so)")
        if answer.status_code in _REFUSALS:
            raise RefusedError(answered(answer))
        if answer.is_error:
            raise FailedError(answered(answer))

    def _drop(self, error: Exception) -> Exception:
        """An orchestrator that cannot convert a currency panics, and drops the connection without a word."""
        self._dropped += 1
        currency = self._options.currency
        if self._dropped >= _DROPS_TO_REFUSAL and currency not in _PLAIN_CURRENCIES:
            return RefusedError(
                f"the connection was dropped {self._dropped} times; this orchestrator probably cannot convert "
                f"the currency {currency!r}: use 'wei'"
            )
        return FailedError(words(error))

    def _document(self) -> dict[str, Any]:
        options = self._options
        return {
            **self.offer,
            "description": options.capability_description or self._description.info.description,
            "url": options.capability_url.rstrip("/"),
            "currency": options.currency,
            "token": options.token,
        }
