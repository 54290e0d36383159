"""What a gateway knows of each stream, as the worker's last status event left it (BYOC contract, section 5)."""

from collections.abc import Mapping
from time import time_ns
from types import MappingProxyType
from typing import cast

Status = dict[str, object]

_INFERENCE = "inference_status"
_KEPT = ("last_restart_logs", "last_params")


class StatusStore:
    """A status by stream; it outlives its stream."""

    def __init__(self) -> None:
        self._by_stream: dict[str, Status] = {}

    @property
    def all(self) -> Mapping[str, Status]:
        """The status of each stream; read-only and live."""
        return MappingProxyType(self._by_stream)

    def clear(self, stream_id: str) -> None:
        """Forget what is known of a stream."""
        self._by_stream.pop(stream_id, None)

    def note(self, stream_id: str, name: str, value: object) -> None:
        """Add the gateway's own knowledge to a status."""
        self._by_stream.setdefault(stream_id, {})[name] = value

    def note_error(self, stream_id: str, message: str) -> None:
        """Add an error that the gateway has seen, unless there is one already."""
        error = {"error_message": message, "error_time": time_ns() // 1_000_000}
        self._by_stream.setdefault(stream_id, {}).setdefault("error", error)

    def replace(self, stream_id: str, event: Status) -> None:
        """Put a status event in the place of the status; of the old one only the last params and logs are kept."""
        new, old = event.get(_INFERENCE), self._by_stream.get(stream_id, {}).get(_INFERENCE)
        if isinstance(new, dict) and isinstance(old, dict):
            new, old = cast("Status", new), cast("Status", old)
            new.update({name: old.get(name) for name in _KEPT if new.get(name) is None})
        self._by_stream[stream_id] = event
