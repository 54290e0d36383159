"""What a look at an adapter in a process of its own found: written by `_probe`, read by the checks."""

from pydantic import BaseModel, Field

from livepeer.core import Description, Manifest


class Refusal(BaseModel):
    """What an adapter, or an operation's `decode`, raised."""

    kind: str
    """The error's class."""

    is_expected: bool
    """Whether the contract allows it there: a `TargetError` while loading, a `CallError` while decoding."""

    text: str
    fields: list[str] = Field(default_factory=list[str])
    """The fields that it names."""


class Finding(BaseModel):
    """One target, claimed, loaded, described and given some bodies."""

    claims: bool | Refusal
    loaded: Description | Refusal | None = None
    """None if it was not asked for."""

    manifest: Manifest | Refusal | None = None
    changed: list[str] = Field(default_factory=list[str])
    """What of the user's module is not as it was."""

    wrong_fields: list[str] = Field(default_factory=list[str])
    """The fields that were given a wrong value."""

    decoded: dict[str, Refusal | None] = Field(default_factory=dict[str, Refusal | None])
    """What `decode` made of some bodies, each by its name; None for one that it took."""

    unknown_session: list[Refusal | None] = Field(default_factory=list[Refusal | None])
    """What `update` and `stop` raised for a session that does not run; empty if nothing is live."""

    said: list[str] = Field(default_factory=list[str])
    """What was printed meanwhile."""
