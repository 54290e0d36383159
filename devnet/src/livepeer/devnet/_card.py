"""What a registration says about a capability, for people to read."""

import json
import math
from dataclasses import dataclass, fields, replace
from typing import Any, cast

from ._registry import RegisteredCapability
from ._runner_records import RegisteredRunner


@dataclass(frozen=True, kw_only=True)
class Card:
    """A capability's own words about itself; what it does not say is empty."""

    name: str
    description: str = ""
    kind: str = ""
    """`batch`, `stream` or `live`."""

    image: str = ""
    """The container image, with its digest."""

    transport: str = ""
    deadline_seconds: float | None = None
    """How long a call may take."""

    schema_url: str = ""
    schema_sha256: str = ""
    """The hash that its schema is said to have."""

    def filled_from(self, other: "Card") -> "Card":
        """Return this card with what it does not say taken from another one."""
        missing = {each.name: getattr(other, each.name) for each in fields(self) if not getattr(self, each.name)}
        return replace(self, **missing)


def card_of_capability(record: RegisteredCapability) -> Card:
    """Return the card of a BYOC capability: a name and a description (BYOC contract, section 1)."""
    return Card(name=record.name, description=record.description)


def card_of_runner(record: RegisteredRunner) -> Card:
    """Return the card of a runner, out of its metadata where that is JSON (Live Runner, contract section 7).

    A runner of somebody else's has metadata of another kind, or none; its name is then the last part of its app.
    """
    said = _json_object(record.metadata)
    texts = {
        name: value
        for name in ("name", "description", "kind", "image", "transport", "schema_url", "schema_sha256")
        if isinstance(value := said.get(name), str) and value
    }
    name = record.app.rpartition("/")[2] or record.runner_id
    return Card(**{"name": name, **texts}, deadline_seconds=_seconds(said.get("deadline_seconds")))


def _seconds(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if 0 < value < math.inf else None


def _json_object(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}
