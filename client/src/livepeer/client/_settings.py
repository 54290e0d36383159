"""What a gateway object was told: whom to ask, who signs and pays, and how patiently."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ._errors import SettingsError
from ._payments import Payer
from ._remote_signer import RemoteSigner
from ._signing import OffchainSigner, Signer
from ._token import Token, decode_token
from ._urls import base_url, base_urls, checked_headers, document_url


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A document that lists orchestrators and what they offer."""

    url: str
    """Where it is."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    """Sent there, and to nobody else."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parties:
    """Who is asked, and who signs and pays."""

    gateway_url: str | None = None
    """A BYOC gateway, which does everything itself; None where there are orchestrators."""

    orchestrator_urls: tuple[str, ...] = ()
    """In the order in which they are asked; empty where `source` lists them."""

    source: Source | None = None
    """Lists orchestrators; None where they are known, or behind a gateway."""

    signer: Signer = field(default_factory=OffchainSigner)
    """For BYOC straight at orchestrators."""

    payer: Payer | None = None
    """For Live Runner; None where nobody pays."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Patience:
    """Limits of calls."""

    connect_retries: int
    """How many more rounds over those that could not be reached."""

    grace_seconds: float
    """How much longer than a BYOC network's own time the client waits."""

    max_answer_bytes: int
    """Of a value, and of one event of a stream."""


def make_parties(
    *,
    token: str | None,
    signer_url: str | None,
    signer_headers: Mapping[str, str] | None,
    discovery_url: str | None,
    discovery_headers: Mapping[str, str] | None,
    orch_url: str | Sequence[str] | None,
    gateway_url: str | None,
    signer: Signer | Payer | None,
) -> Parties:
    """Make sense of what `Gateway` was given; arguments win over what the token says.

    Raises:
        SettingsError: It does not fit together; the message names what to change.
    """
    if gateway_url is not None:
        others = (token, signer_url, signer_headers, discovery_url, discovery_headers, orch_url)
        if any(other is not None for other in others):
            raise SettingsError("gateway_url goes alone: a gateway finds orchestrators by itself; leave it out to look")
        if signer is not None:
            raise SettingsError("a gateway signs and pays by itself: leave out signer, or give orch_url instead")
        return Parties(gateway_url=base_url(gateway_url))
    if orch_url is not None and discovery_url is not None:
        raise SettingsError("give either orch_url or discovery_url")
    held = decode_token(token) if token is not None else Token()
    if isinstance(signer, Payer) and (signer_url is not None or signer_headers is not None):
        raise SettingsError("give either signer_url or a signer that pays")
    service = _source("signer", signer_url, signer_headers, held.signer, held.signer_headers)
    payer = RemoteSigner(service.url, headers=service.headers) if service is not None else None
    payer = signer if isinstance(signer, Payer) else payer
    byoc_signer = signer if isinstance(signer, Signer) else OffchainSigner()
    urls = held.orchestrators if orch_url is None and discovery_url is None else orch_url
    if urls is not None:
        if discovery_headers is not None:
            raise SettingsError("discovery_headers go with discovery_url")
        return Parties(orchestrator_urls=base_urls(urls), signer=byoc_signer, payer=payer)
    source = _source("discovery", discovery_url, discovery_headers, held.discovery, held.discovery_headers)
    if source is None and service is not None:
        source = Source(url=base_url(service.url) + "/discover-orchestrators", headers=service.headers)
    if source is None:
        raise SettingsError("say where to look: give gateway_url, orch_url, discovery_url, signer_url or a token")
    return Parties(source=source, signer=byoc_signer, payer=payer)


def _source(
    what: str,
    url: str | None,
    headers: Mapping[str, str] | None,
    held_url: str | None,
    held_headers: Mapping[str, str] | None,
) -> Source | None:
    if url is None and held_url is None:
        if headers is not None:
            raise SettingsError(f"{what}_headers go with {what}_url")
        return None
    # A token's headers are for the token's own URL, and nobody else sees them.
    chosen = headers if headers is not None or url is not None else held_headers
    return Source(url=document_url(url or held_url or ""), headers=checked_headers(f"{what}_headers", chosen))
