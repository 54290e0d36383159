"""What a capability says about itself before anything of it has run."""

import re
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

JSON_MEDIA_TYPE = "application/json"
ANY_MEDIA_TYPE = "*/*"
SSE_MEDIA_TYPE = "text/event-stream"
BINARY_MEDIA_TYPE = "application/octet-stream"

JsonSchema = dict[str, Any]

_CAPITAL_AFTER_SMALL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Info(_Frozen):
    """Who a capability is."""

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """Name on the network: letters, digits, ``.``, ``_`` and ``-``."""

    version: str = "0.0.0"
    description: str = ""
    adapter: str
    """Entry-point name of the adapter that made it."""

    framework_version: str | None = None
    """Version of the framework that the adapter wraps, if there is one."""

    gpu: str | None = None
    """What the model asks of a GPU, in the manifest's words; None if it needs none."""


class OperationDescription(_Frozen):
    """One thing that a capability does."""

    name: str
    path: str = Field(pattern=r"^/")
    """Route of the operation, without a final slash."""

    summary: str = ""
    input_schema: JsonSchema
    """JSON Schema (2020-12) of the request's document."""

    output_schema: JsonSchema
    """JSON Schema of the answer, or of one event's data if the operation streams."""

    input_media_types: tuple[str, ...] = (JSON_MEDIA_TYPE,)
    """What the operation itself reads. Multipart is the server's translation into the first of these, unless
    one is ``*/*``: then every body reaches the operation as it came."""

    output_media_type: str = JSON_MEDIA_TYPE
    streams: bool = False
    """Whether the answer is a `text/event-stream`."""

    capacity: int = Field(default=1, ge=1)
    """How many calls may run at once."""

    pool: str | None = None
    """Operations of one pool share their slots: as many as the first of them has."""

    timeout_seconds: float | None = Field(default=None, gt=0)
    """How long a call may take, where the server's own limit is not shorter."""


class MountDescription(_Frozen):
    """An ASGI application of the framework's, as the edge knows it."""

    paths: tuple[Annotated[str, Field(pattern=r"^/")], ...] = Field(min_length=1)
    """The paths that are its own, with all that is below them, without a final slash but for ``/`` itself."""

    apart: bool = False
    """Whether it is served before the model is ready, too."""

    openapi: JsonSchema | None = None


class LiveDescription(_Frozen):
    """The sessions over trickle channels that a capability runs."""

    params_schema: JsonSchema
    """JSON Schema of the params, at the start and afterwards."""

    capacity: int = Field(default=1, ge=1)
    """How many sessions may run at once."""


class Description(_Frozen):
    """What the host sends after the import and before `setup()`."""

    info: Info
    operations: tuple[OperationDescription, ...]
    """The first one is the default operation, which `/`, `/run` and the capability's name reach too. None only if it
    is live."""

    mounts: tuple[MountDescription, ...] = ()
    live: LiveDescription | None = None

    @property
    def capacity(self) -> int:
        """How many sessions at once a network is offered if it is live, else how many calls."""
        return self.operations[0].capacity if self.live is None else self.live.capacity

    @model_validator(mode="after")
    def _does_something(self) -> Self:
        if not self.operations and self.live is None:
            raise ValueError("a capability has an operation, or is live")
        return self


def network_name(text: str, default: str = "model") -> str:
    """`TextReverser` and `text_reverser` as ``text-reverser``, with nothing in it that a network refuses.

    Args:
        text: What the user calls it.
        default: For a text of which nothing is left.
    """
    words = _CAPITAL_AFTER_SMALL.sub("-", text).replace("_", "-").lower()
    return re.sub(r"[^a-z0-9.]+", "-", words).strip("-.") or default
