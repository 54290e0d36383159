"""One item of a stream."""

import json
from dataclasses import dataclass
from typing import Any

from ._errors import ProtocolError


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream, as the worker sent it."""

    data: str
    """The payload. A worker may break a long one anywhere by newlines: `json` takes them out."""

    event: str = "message"
    """The event's type; ``message`` where the worker names none."""

    id: str | None = None
    """The last id that the stream has named so far."""

    retry: int | None = None
    """Milliseconds to wait before connecting again, where this event says so; the client does not use it."""

    def json(self) -> Any:
        """Decode the payload.

        Compact JSON has no raw newline, so the newlines at which a worker broke a long line (at most 65,535 bytes
        of it pass; BYOC contract, section 4) are no part of it.

        Raises:
            ProtocolError: The payload is not JSON.
        """
        try:
            return json.loads(self.data.replace("\n", ""))
        except ValueError as error:
            raise ProtocolError(f"an event is not JSON: {self.data[:200]!r}", code="not_json") from error
