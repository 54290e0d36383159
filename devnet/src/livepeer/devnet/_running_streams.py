"""The live streams that run now, as the dashboard lists them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from ._stream_records import StreamRecord


@dataclass(frozen=True, kw_only=True)
class RunningStream:
    """A stream of BYOC, or a session of Live Runner; a figure that nobody tells is None."""

    stream_id: str
    network: str
    """`byoc` or `live-runner`."""

    fps_in: float | None = None
    """How many pictures a second come in."""

    fps_out: float | None = None
    """How many go out."""

    latency_ms: float | None = None
    """How long a picture takes through the worker."""

    frames_dropped: float | None = None
    """How many were too old when their turn came, so far."""


def running_stream(record: StreamRecord) -> RunningStream:
    """Return a stream of BYOC, with what its worker last told the gateway (BYOC contract, section 5).

    `fps_in`, `fps_out`, `latency_ms` and `frames_dropped` are our own workers' words; others tell at most `fps`.
    """
    status = record.status or {}
    inference = status.get("inference_status")
    fps = _number(cast("Mapping[str, object]", inference), "fps") if isinstance(inference, Mapping) else None
    fps_out = _number(status, "fps_out")
    return RunningStream(
        stream_id=record.stream_id,
        network="byoc",
        fps_in=_number(status, "fps_in"),
        fps_out=fps if fps_out is None else fps_out,
        latency_ms=_number(status, "latency_ms"),
        frames_dropped=_number(status, "frames_dropped"),
    )


def _number(fields: Mapping[str, object], name: str) -> float | None:
    value = fields.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None
