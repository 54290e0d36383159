"""What a dashboard can know of a capability without calling it (contract, section 9)."""

import json
import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

from livepeer.core import Description

from ._schema import schema_sha256

METADATA_LIMIT_BYTES = 1024
"""The longest `metadata` that an orchestrator takes, in UTF-8."""

DROP_ORDER = (
    "description",
    "image",
    "transport",
    "deadline_seconds",
    "kind",
    "name",
    "schema_url",
    "schema_sha256",
)
"""What leaves the metadata first when it is too long: what is long and told elsewhere, before what identifies."""

_UNWELCOME = re.compile("[\ud800-\udfff\ufffd]")
"""Characters that UTF-8 cannot carry, and the one that an orchestrator refuses."""


class Card(BaseModel):
    """A capability as discovery shows it; its compact JSON is a runner's `metadata`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str | None = None
    kind: Literal["batch", "stream", "live"] | None = None
    """Whether an answer comes at once, piece by piece, or goes on as live media."""

    description: str | None = None
    image: str | None = None
    """The container image, with its digest."""

    schema_url: str | None = None
    """Absolute URL of the schema: a relative one would be a paid call."""

    schema_sha256: str | None = None
    """Hash of the exact bytes at `schema_url`, in hex."""

    transport: Literal["http", "sse", "trickle"] | None = None
    deadline_seconds: float | None = None

    @classmethod
    def of(
        cls,
        description: Description,
        *,
        name: str,
        schema_url: str,
        text: str | None = None,
        image: str | None = None,
        deadline_seconds: float | None = None,
    ) -> "Card":
        """Make the card of a described capability.

        Args:
            description: What the host said.
            name: Its name on the network.
            schema_url: Where its schema can be read without paying.
            text: A description that replaces the capability's own.
            image: The container image.
            deadline_seconds: How long a call may take.
        """
        kind, transport = _kind(description)
        return cls(
            name=name,
            kind=kind,
            description=(text if text is not None else description.info.description) or None,
            image=image,
            schema_url=schema_url,
            schema_sha256=schema_sha256(description),
            transport=transport,
            deadline_seconds=deadline_seconds,
        )

    def fitted(self) -> tuple["Card", tuple[str, ...]]:
        """The card without what does not fit into the metadata, and the names of the fields that had to go."""
        card, dropped = self, ()
        for field in DROP_ORDER:
            if len(card.metadata().encode()) <= METADATA_LIMIT_BYTES:
                break
            if getattr(card, field) is not None:
                card, dropped = card.model_copy(update={field: None}), (*dropped, field)
        return card, dropped

    def metadata(self) -> str:
        """Compact JSON of the fields that are set."""
        document = self.model_dump(exclude_none=True)
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        return _UNWELCOME.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _kind(description: Description) -> tuple[Literal["batch", "stream", "live"], Literal["http", "sse", "trickle"]]:
    if description.live is not None:
        return "live", "trickle"
    return ("stream", "sse") if description.operations[0].streams else ("batch", "http")
