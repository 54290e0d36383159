"""The capabilities that workers have registered with one orchestrator, and how many jobs each is thought to run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

import anyio

from ._fields import integer_field, load_object, text_field

# Offchain there is no price feed, so nothing else can be converted.
_OFFCHAIN_CURRENCIES = frozenset({"", "wei", "eth"})


class UnconvertibleCurrencyError(ValueError):
    """Raised when a registration names a currency that needs a price feed.

    The real orchestrator panics on it, so the connection drops (BYOC contract, section 1).
    """


@dataclass(frozen=True, kw_only=True)
class RegisteredCapability:
    """A capability as the orchestrator holds it at one moment (BYOC contract, section 1)."""

    name: str
    """The name that callers ask for."""

    description: str
    """What the worker says about itself; the network shows it nowhere."""

    url: str
    """The base URL of the worker."""

    capacity: int
    """How many jobs the worker takes at once, by its own account."""

    price_per_unit: int
    """The price in `currency`, before it is divided by `price_scaling`; never charged here."""

    price_scaling: int
    """The divisor of the price, at least 1 unless the worker sent a negative one."""

    currency: str
    """The currency as it was registered."""

    token: str = field(repr=False)
    """The bearer token that the worker expects, `""` for none."""

    load: int = 0
    """How many slots are counted as taken; leaked ones stay, and it falls below 0 after a registration amid jobs."""

    @property
    def available(self) -> int:
        """How many slots the gateway believes to be free, never negative."""
        return max(0, self.capacity - self.load)


class Registry:
    """Registrations in memory, with go-livepeer's own accounting: it counts slots and refuses nothing."""

    def __init__(self) -> None:
        self._entries: dict[str, RegisteredCapability] = {}
        self._registered: anyio.Event | None = None

    @property
    def entries(self) -> Mapping[str, RegisteredCapability]:
        """The registered capabilities by name, read-only and live."""
        return MappingProxyType(self._entries)

    def register(self, text: bytes) -> RegisteredCapability:
        """Add or replace a capability, with nothing in flight.

        Args:
            text: The JSON body of the registration.

        Raises:
            UnconvertibleCurrencyError: The price cannot be converted offchain.
            ValueError: The body is not such JSON.
        """
        entry = _parse_capability(text)
        if entry.currency.lower() not in _OFFCHAIN_CURRENCIES:
            raise UnconvertibleCurrencyError(f"no price feed for {entry.currency!r}")
        self._entries[entry.name] = entry
        if self._registered is not None:
            self._registered.set()
            self._registered = None
        return entry

    def remove(self, name: str) -> None:
        """Forget a capability; an unknown name is no error."""
        self._entries.pop(name, None)

    def clear(self) -> None:
        """Forget every capability."""
        self._entries.clear()

    def reserve(self, name: str) -> RegisteredCapability | None:
        """Count one more job and return the capability, or None if there is none of that name."""
        return self._count(name, 1)

    def free(self, name: str) -> None:
        """Count one job less on whatever holds the name by now."""
        self._count(name, -1)

    async def wait_for(self, name: str) -> RegisteredCapability:
        """Return the capability as soon as it is registered."""
        while (entry := self._entries.get(name)) is None:
            self._registered = self._registered or anyio.Event()
            await self._registered.wait()
        return entry

    def _count(self, name: str, jobs: int) -> RegisteredCapability | None:
        entry = self._entries.get(name)
        if entry is not None:
            self._entries[name] = entry = replace(entry, load=entry.load + jobs)
        return entry


def _parse_capability(text: bytes) -> RegisteredCapability:
    fields = load_object(text)
    return RegisteredCapability(
        name=text_field(fields, "name"),
        description=text_field(fields, "description"),
        url=text_field(fields, "url"),
        capacity=integer_field(fields, "capacity"),
        price_per_unit=integer_field(fields, "price_per_unit"),
        price_scaling=integer_field(fields, "price_scaling") or 1,
        currency=text_field(fields, "currency"),
        token=text_field(fields, "token"),
    )
