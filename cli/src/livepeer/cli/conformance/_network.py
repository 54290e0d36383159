"""The network that is judged: where it is, and what it has."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import httpx2

from livepeer.core import LivepeerError


class NetworkError(LivepeerError):
    """Raised when a network cannot be asked at all."""


class Part(Enum):
    """What a network may have or lack."""

    BYOC = auto()
    NO_BYOC = auto()
    RUNNER = auto()
    NO_RUNNER = auto()
    PAID = auto()
    OFFCHAIN = auto()
    SIGNER = auto()
    STREAMS = auto()
    TWO_ORCHESTRATORS = auto()
    RESTART = auto()
    STATIC = auto()
    TLS = auto()


@dataclass(frozen=True, kw_only=True)
class Network:
    """A network by its URLs."""

    gateway_url: str
    """Base URL of the gateway, without a final slash."""

    orch_urls: tuple[str, ...]
    """Base URLs of the orchestrators behind it that may be used; most facts use the first alone."""

    secret: str
    """What workers register with."""

    signer_url: str | None = None
    """Base URL of a remote signer, which pays; None if nobody does."""

    restart: Callable[[], Awaitable[None]] | None = None
    """Restarts the first orchestrator; None if it must not be."""

    add_static: Callable[[Mapping[str, Any]], Awaitable[None]] | None = None
    """Gives the first orchestrator a document of static runners; None if it must not be."""

    worker_host: str = "127.0.0.1"
    """The address of this machine at which workers listen, and at which the orchestrators reach them."""

    @property
    def orch_url(self) -> str:
        """The first orchestrator."""
        return self.orch_urls[0]


def network_client() -> httpx2.AsyncClient:
    """A client for everything that a check asks; orchestrators sign their own certificates."""
    limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
    return httpx2.AsyncClient(verify=False, timeout=60, limits=limits, trust_env=False)
