"""What is sent: one job, the same for every worker that it is offered to."""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ._capability import Capability
from ._errors import SettingsError
from ._inputs import encode_input, encode_json
from ._signing import Signer


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One job, whichever network takes it."""

    capability: str | Capability
    """Whom it is for: a name, an app, or what discovery found."""

    route: str
    """The operation's path at the worker, quoted, without a slash before it."""

    body: bytes
    """What the worker gets."""

    media_type: str
    """Of the body."""

    parameters: str
    """A BYOC gateway's choices, as JSON."""

    timeout_seconds: float
    """How long the call may take."""

    request: str = "{}"
    """What a BYOC orchestrator gets to know, as JSON: of a stream that runs already, its id."""

    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """The same for every orchestrator that is asked."""

    @property
    def name(self) -> str:
        """Name of the capability, as BYOC knows it."""
        return self.capability if isinstance(self.capability, str) else self.capability.name

    @property
    def whole_seconds(self) -> int:
        """How long a BYOC network may take: its unit is the second."""
        return max(1, -int(-self.timeout_seconds // 1))


def make_job(
    capability: str | Capability,
    value: object,
    *,
    route: str,
    timeout_seconds: float,
    parameters: Mapping[str, Any] | None = None,
) -> Job:
    """Describe a call.

    Args:
        capability: Name, app, or what discovery found.
        value: The input.
        route: The operation's path at the worker.
        timeout_seconds: How long it may take.
        parameters: A BYOC gateway's choices, such as ``{"orchestrators": {"include": [...]}}``.

    Raises:
        InputError: The input or the parameters have no JSON form.
        SettingsError: There is no capability, or no time.
    """
    if not capability:
        raise SettingsError("a call needs the name of a capability")
    if not 0 < timeout_seconds < float("inf"):
        raise SettingsError(f"timeout_seconds is {timeout_seconds}; it must be finite and over 0")
    body, media_type = encode_input(value)
    return Job(
        capability=capability,
        route=quote(route.lstrip("/"), safe="/:@"),
        body=body,
        media_type=media_type,
        # The gateway refuses a job without parameters, an empty document will do.
        parameters=encode_json(parameters or {}, "parameters").decode(),
        timeout_seconds=timeout_seconds,
    )


def byoc_header(job: Job, signer: Signer | None) -> str:
    """Encode a job as the header ``Livepeer`` has it (BYOC contract, section 3).

    Args:
        job: What is asked for.
        signer: Signs for an orchestrator; None through a gateway, which signs itself.
    """
    record: dict[str, Any] = {
        "request": job.request,
        "parameters": job.parameters,
        "capability": job.name,
        "timeout_seconds": job.whole_seconds,
    }
    if signer is not None:
        signature = signer.sign(record["request"], record["parameters"])
        record |= {"id": job.id, "sender": signature.sender, "sig": signature.sig}
    return base64.b64encode(json.dumps(record).encode()).decode("ascii")
