"""Signatures for callers that talk to an orchestrator without a gateway between."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, kw_only=True, slots=True)
class Signature:
    """Who sends a job, and the proof of it."""

    sender: str
    """Ethereum address, ``0x`` and 40 hex digits."""

    sig: str
    """Signature over ``request + parameters``, ``0x`` and 130 hex digits."""


@runtime_checkable
class Signer(Protocol):
    """Whatever can sign a job (BYOC contract, section 3); a `Payer` is what pays on Live Runner."""

    def sign(self, request: str, parameters: str) -> Signature:
        """Sign the two JSON documents of a job, put one after the other.

        It is called once a call, on the caller's own thread, and should not wait long.
        """
        ...


class OffchainSigner:
    """The signer for offchain orchestrators, which accept any signature that is hex (BYOC contract, section 3)."""

    def sign(self, request: str, parameters: str) -> Signature:
        """Return zeros of the right length, whatever the job."""
        del request, parameters
        return Signature(sender="0x" + "0" * 40, sig="0x" + "0" * 130)
