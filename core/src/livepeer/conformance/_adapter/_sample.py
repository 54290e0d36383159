"""What an adapter's author brings: small targets, written in the framework's own way."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

SECRET = "sesame"
"""A word in the text of every error that a sample raises."""


@dataclass(frozen=True)
class Sample:
    """A target, and one call of its default operation.

    Each has a role, which `AdapterConformance` describes. What a role has to say, it prints as a line of its own.
    """

    target: str
    """As `livepeer serve` takes it; a path is best absolute."""

    _: KW_ONLY
    input: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What is sent, as JSON."""

    output: Any = None
    """What is answered: a JSON value, the list of a stream's items, or bytes."""

    media_type: str | None = None
    """Media type of the answer; None for whatever the value has."""

    good_input: Mapping[str, Any] | None = None
    """Of a role that goes wrong or goes on: an input with which the same target answers at once, and well."""

    route: str | None = None
    """Of a mount: a path of the framework's own, which answers a GET, with the output if there is one."""
