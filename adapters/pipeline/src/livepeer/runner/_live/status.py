"""How a stream stands, and what its status says of it."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livepeer.trickle.media import MediaStats

FLOWING_SECONDS = 2.0
"""Media that is older does not flow (as other runners judge it: trickle, section 4)."""

_COUNTS = (
    "frames_in",
    "frames_out",
    "frames_dropped",
    "audio_frames_in",
    "audio_frames_out",
    "hook_errors",
    "corrupt_packets",
    "lost_segments",
)


class Judge:
    """Tells from what has come and gone how a running stream stands.

    Only a stream with an input can be judged: one that makes its own media may well be silent.

    Args:
        has_output: Whether media goes out.
        watchdog_seconds: How long input may flow without output; None for ever.
    """

    def __init__(self, *, has_output: bool, watchdog_seconds: float | None) -> None:
        self._has_output = has_output
        self._watchdog_seconds = watchdog_seconds
        self._flows_since: float | None = None
        self._waits_since: float | None = None

    def judge(self, stats: "MediaStats | None", now: float) -> str:
        """The state; `now` is a time of `time.monotonic()`. None are the stats of a stream without input."""
        if stats is None:
            return "running"
        if self._waits_since is None:
            self._waits_since = now
        if now - (stats.last_input or self._waits_since) > FLOWING_SECONDS:
            self._flows_since = None
            return "degraded_input"
        if self._flows_since is None and stats.last_input is not None:
            self._flows_since = now
        return "degraded_inference" if self.seconds_without_output(stats, now) > FLOWING_SECONDS else "running"

    def is_stuck(self, stats: "MediaStats | None", now: float) -> bool:
        """Whether input has flowed without output for too long."""
        if stats is None or self._watchdog_seconds is None:
            return False
        return self.seconds_without_output(stats, now) > self._watchdog_seconds

    def seconds_without_output(self, stats: "MediaStats", now: float) -> float:
        """How long input has flowed without output."""
        if self._flows_since is None or not self._has_output:
            return 0.0
        return now - max(self._flows_since, stats.last_output or self._flows_since)


def status_fields(
    stats: "MediaStats | None", *, stream_id: str, state: str, params: Any, last_error: str | None
) -> dict[str, Any]:
    """The fields of a status event; the gateway keeps those of `inference_status` (contract, section 5)."""
    fps_in, fps_out, latency = (
        (0.0, 0.0, None) if stats is None else (stats.fps_in, stats.fps_out, stats.latency_seconds)
    )
    return {
        "state": state,
        "stream_id": stream_id,
        "fps_in": round(fps_in, 1),
        "fps_out": round(fps_out, 1),
        "latency_ms": None if latency is None else round(latency * 1000, 1),
        **{name: 0 if stats is None else getattr(stats, name) for name in _COUNTS},
        "last_error": last_error,
        "inference_status": {
            "last_params": params,
            "fps": round(fps_out, 1),
            "last_error": last_error,
            "last_restart_logs": None,
        },
    }
