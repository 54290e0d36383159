"""What a stream tells: its events, and its data."""

import logging
from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import PydanticSerializationError, to_json

from livepeer.core import MAX_LINE_BYTES

from .outbox import Outbox

logger = logging.getLogger("livepeer.runner")

_EVENTS_WAITING = 256
_LINES_WAITING = 1024

_MOST_EVENT_BYTES = 256 * 1024
"""How long an event may be: they are sent at once, and held in memory until they are."""

_MOST_CHARACTERS = 1000
"""How much of an error's text is told."""


class Reports:
    """The events and the data of one stream on their way to their channels. Any thread may report.

    Args:
        stream_id: For the log.
        events: Whether there is a channel of events.
        data: Whether there is a channel of data.
    """

    def __init__(self, stream_id: str, *, events: bool, data: bool) -> None:
        self.events: Outbox[bytes] | None = Outbox(_EVENTS_WAITING) if events else None
        self.data: Outbox[bytes] | None = Outbox(_LINES_WAITING) if data else None
        self._stream_id = stream_id
        self._warned: set[str] = set()

    @property
    def dropped(self) -> int:
        """How many events and lines of data were dropped, because the event loop did not come to send them."""
        return sum(outbox.dropped for outbox in (self.events, self.data) if outbox is not None)

    def close(self) -> None:
        """Take nothing more: the channels may close when they have what there is. On the loop only."""
        for outbox in (self.events, self.data):
            if outbox is not None:
                outbox.close()

    def send(self, type: str, **fields: Any) -> None:
        """Send an event of the session's own."""
        if self.events is not None:
            self.events.put(_event({"type": type, **fields}))

    def send_event(self, event: Any) -> None:
        """Send an event of the pipeline's.

        Raises:
            ValueError: It is no JSON object or too long, or its type is none that it may have.
        """
        if not isinstance(event, Mapping):
            raise ValueError(f"an event is a JSON object, not {event!r}")
        content: dict[Any, Any] = {"type": "event", **cast("Mapping[Any, Any]", event)}
        if not isinstance(content["type"], str) or content["type"] == "status":
            raise ValueError(f"an event's type is a string other than 'status', not {content['type']!r}")
        encoded = _event(content)
        if self.events is None:
            self._warn_once("events")
        else:
            self.events.put(encoded)

    def send_data(self, value: Any) -> None:
        """Send a line of data.

        Raises:
            ValueError: It has no JSON form, or is longer than passes (contract, section 5).
        """
        line = _json(value)
        if len(line) > MAX_LINE_BYTES:
            raise ValueError(f"a line of data has at most {MAX_LINE_BYTES} bytes of JSON; this one has {len(line)}")
        if self.data is None:
            self._warn_once("data")
        else:
            self.data.put(line)

    def _warn_once(self, channel: str) -> None:
        if channel not in self._warned:
            self._warned.add(channel)
            logger.warning(
                "stream %s has no channel for %s: what is emitted there goes nowhere", self._stream_id, channel
            )


def shortened(text: str) -> str:
    """As much of an error's text as is told; what no encoding has, as in the name of a file, is replaced."""
    text = text.encode(errors="replace").decode()
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]}..."


def _event(content: dict[Any, Any]) -> bytes:
    encoded = _json(content)
    if len(encoded) > _MOST_EVENT_BYTES:
        raise ValueError(f"an event has at most {_MOST_EVENT_BYTES} bytes of JSON; this one has {len(encoded)}")
    return encoded


def _json(value: Any) -> bytes:
    try:
        return to_json(value, inf_nan_mode="null", by_alias=True, fallback=_plain)
    except PydanticSerializationError as error:
        raise ValueError(f"this has no JSON form: {error}") from None


def _plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise PydanticSerializationError(f"{type(value).__name__} is no JSON type")
