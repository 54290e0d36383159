"""What is sent: one job, the same for every orchestrator that it is offered to."""

import base64
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from ._errors import SettingsError
from ._inputs import encode_input, encode_json
from ._signing import Signer


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """One job, ready to be sent (BYOC contract, section 3)."""

    path: str
    """Path of the request, from the base URL on."""

    headers: Mapping[str, str]
    """The job itself, in the header ``Livepeer``, and the body's media type."""

    body: bytes
    """What the worker gets."""

    timeout_seconds: int
    """How long the network may take."""


def make_job(
    capability: str,
    value: object,
    *,
    route: str,
    timeout_seconds: float,
    parameters: Mapping[str, Any] | None,
    signer: Signer | None,
) -> Job:
    """Describe a call as the wire has it.

    Args:
        capability: Registered name.
        value: The input.
        route: What follows ``/process/request/``; the worker sees it as its path.
        timeout_seconds: Rounded up to whole seconds, at least 1.
        parameters: The gateway's choices, such as ``{"orchestrators": {"include": [...]}}``.
        signer: Signs for an orchestrator; None through a gateway, which signs itself.

    Raises:
        InputError: The input or the parameters have no JSON form.
        SettingsError: There is no capability, or no time.
    """
    if not capability:
        raise SettingsError("a call needs the name of a capability")
    if not 0 < timeout_seconds < float("inf"):
        raise SettingsError(f"timeout_seconds is {timeout_seconds}; it must be finite and over 0")
    body, media_type = encode_input(value)
    seconds = max(1, -int(-timeout_seconds // 1))
    record: dict[str, Any] = {
        "request": "{}",
        # The gateway refuses a job without parameters, an empty document will do.
        "parameters": encode_json(parameters or {}, "parameters").decode(),
        "capability": capability,
        "timeout_seconds": seconds,
    }
    if signer is not None:
        signature = signer.sign(record["request"], record["parameters"])
        record |= {"id": uuid.uuid4().hex, "sender": signature.sender, "sig": signature.sig}
    return Job(
        path="/process/request/" + quote(route.lstrip("/"), safe="/:@"),
        headers={
            "Livepeer": base64.b64encode(json.dumps(record).encode()).decode("ascii"),
            "Content-Type": media_type,
        },
        body=body,
        timeout_seconds=seconds,
    )
