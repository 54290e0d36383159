"""Live streams as they are shown: which there are, where their channels are, why they ended."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

_REMEMBERED = 100


@dataclass(frozen=True, kw_only=True)
class StreamRecord:
    """A live stream at one orchestrator, as of one moment (BYOC contract, section 5)."""

    stream_id: str
    """What callers and the worker call it."""

    capability: str
    """The name of the capability that it runs on."""

    channels: Mapping[str, str]
    """The URLs of its trickle channels, by `input`, `output`, `control`, `events` and `data`."""

    ended: str | None = None
    """Why it ended; None while it runs."""

    status: Mapping[str, object] | None = None
    """What the gateway would answer about it; None if nothing, or if it was started without a gateway."""


class StreamRecords:
    """The streams of one orchestrator, the last hundred that have ended among them."""

    def __init__(self) -> None:
        self._records: dict[str, StreamRecord] = {}

    @property
    def all(self) -> Mapping[str, StreamRecord]:
        """The streams by id, in the order of their starts; read-only and live."""
        return MappingProxyType(self._records)

    def begin(self, record: StreamRecord) -> None:
        """Note that a stream is starting; an older one of the same id is forgotten."""
        self._records.pop(record.stream_id, None)
        self._records[record.stream_id] = record
        ended = [stream_id for stream_id, other in self._records.items() if other.ended is not None]
        for stream_id in ended[:-_REMEMBERED]:
            del self._records[stream_id]

    def end(self, stream_id: str, reason: str) -> None:
        """Note why a stream has ended; what has ended already keeps its reason."""
        record = self._records.get(stream_id)
        if record is not None and record.ended is None:
            self._records[stream_id] = replace(record, ended=reason)

    def clear(self) -> None:
        """Forget every stream."""
        self._records.clear()


def merge_streams(
    orchestrators: Iterable[Mapping[str, StreamRecord]],
    *,
    statuses: Mapping[str, Mapping[str, object]],
    ends: Mapping[str, str],
) -> dict[str, StreamRecord]:
    """Return the streams of several orchestrators by id, with what their gateway knows of them.

    Args:
        orchestrators: The streams of each.
        statuses: What the gateway would answer about the status of each.
        ends: Why those that the gateway started have ended.
    """
    found: dict[str, StreamRecord] = {}
    for records in orchestrators:
        for stream_id, record in records.items():
            other = found.get(stream_id)
            if other is None or other.ended is not None:  # It was taken from one orchestrator to another.
                found[stream_id] = record
    return {
        stream_id: replace(
            record, status=statuses.get(stream_id), ended=record.ended and ends.get(stream_id, record.ended)
        )
        for stream_id, record in found.items()
    }
