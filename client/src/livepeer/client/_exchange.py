"""Short exchanges over HTTP without their I/O: generators that say what to send, and are sent what came back.

Both faces of the client carry out the same exchange, each in its own way.
"""

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar, cast

from ._errors import LivepeerError, ProtocolError

LONGEST_BODY_BYTES = 1024 * 1024
"""How much of a body is read where a request does not say otherwise; what is over it is cut off."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request to send."""

    url: str
    """Whom to ask, with path and query."""

    method: str = "POST"
    """The verb."""

    headers: Mapping[str, str]
    """Only these are sent, beside those that HTTP itself needs."""

    body: bytes = b""
    """What is sent."""

    timeout_seconds: float = 30.0
    """Limit of the whole exchange, from connecting to the last byte."""

    max_bytes: int = LONGEST_BODY_BYTES
    """Limit of the body that comes back."""

    keep_open: bool = False
    """Whether the body of a success is left unread, for somebody who takes it as it arrives."""

    uninterrupted: bool = False
    """Whether a caller that is cancelled waits for the answer: what this request takes must be given back."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """What came back."""

    status: int
    """HTTP status."""

    headers: Mapping[str, str]
    """Looked up without regard to case."""

    body: bytes
    """As much of it as was read."""

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self, what: str) -> Any:
        """Decode the body.

        Args:
            what: What errors call it.

        Raises:
            ProtocolError: The body is not JSON.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ProtocolError(f"{what} is not JSON: {self.body[:200]!r}", code="not_json") from error

    def json_object(self, what: str) -> dict[str, Any]:
        """Decode a body that is an object, as `json` does.

        Raises:
            ProtocolError: The body is no JSON object.
        """
        document = self.json(what)
        if not isinstance(document, dict):
            raise ProtocolError(f"{what} is no JSON object: {self.body[:200]!r}", code="not_json")
        return cast("dict[str, Any]", document)


@dataclass(frozen=True, slots=True)
class Pause:
    """Time to let pass."""

    seconds: float
    """How long."""


Step: TypeAlias = tuple[Request, ...] | Pause
"""What an exchange wants done next: requests, all at once, or nothing for a while."""

Outcomes: TypeAlias = tuple[Reply | LivepeerError, ...]
"""What became of each request of a step, in the same order."""

Exchange: TypeAlias = Generator[Step, Outcomes, T]
"""Yields steps, is sent their outcomes, and returns its result."""


def ask(request: Request) -> Exchange[Reply]:
    """Send one request; to be used with ``yield from``.

    Raises:
        LivepeerError: No answer came: `UnreachableError`, `DisconnectedError` or `TimedOutError`.
    """
    (outcome,) = yield (request,)
    if isinstance(outcome, LivepeerError):
        raise outcome
    return outcome
