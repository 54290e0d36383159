"""Watching over a stream: its status is sent when it changes and now and then, and the watchdog barks."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

import anyio
from pydantic_core import to_json

from livepeer.core import SessionReport, SessionStart

from .media import StreamThread
from .pipeline import LivePipeline
from .reports import Reports
from .status import Judge, status_fields
from .stream import OwnStream

if TYPE_CHECKING:
    from livepeer.trickle.media import MediaStats

_LOOK_SECONDS = 1.0
"""How often it is looked how the stream stands."""

_MOST_PARAMS_BYTES = 64 * 1024
"""Longer params are not said in each status."""


class Watch:
    """Watches over one stream.

    Args:
        stream: Which.
        pipeline: How often, and for how long.
        start: What the session began with.
        reports: Where the status goes.
    """

    def __init__(self, stream: OwnStream, pipeline: LivePipeline, start: SessionStart, reports: Reports) -> None:
        self.thread: StreamThread | None = None
        """The stream's, as soon as there is one."""

        self._stream = stream
        self._reports = reports
        self._heartbeat_seconds = pipeline.heartbeat_seconds
        self._watchdog_seconds = pipeline.watchdog_seconds
        self._has_input = start.subscribe_url is not None
        self._judge = Judge(has_output=start.publish_url is not None, watchdog_seconds=pipeline.watchdog_seconds)
        self._state = "starting"
        self._params: Any = None
        self._changed = asyncio.Event()

    def note_running(self) -> None:
        """The stream has started."""
        self._state = "running"
        self._changed.set()

    def note_params(self, params: Any) -> None:
        """Take the params in force, as JSON has them."""
        self._params = params if len(to_json(params)) <= _MOST_PARAMS_BYTES else None
        self._changed.set()

    def tell_end(self, end: SessionReport) -> None:
        """Send the last status."""
        self._tell("ended", reason=end.reason, detail=end.detail)

    async def run(self, on_stuck: Callable[[str], None]) -> None:
        """Look and tell until cancelled.

        Args:
            on_stuck: Called with what is wrong, once the stream has had no output for too long.
        """
        said, due, began = None, 0.0, monotonic()
        while True:
            now = monotonic()
            if self._state != "starting":
                self._look(now, on_stuck)
            saying = (self._state, self._params, self._stream.last_error)
            if saying != said or now >= due:
                # A gateway reads from the next event on, and comes late to the first ones.
                said, due = saying, now + min(self._heartbeat_seconds, max(_LOOK_SECONDS, now - began))
                self._tell(self._state)
            with anyio.move_on_after(min(_LOOK_SECONDS, due - now)):
                await self._changed.wait()
            self._changed.clear()

    def _look(self, now: float, on_stuck: Callable[[str], None]) -> None:
        stats = self._stats() if self._has_input else None
        self._state = self._judge.judge(stats, now)
        if self._judge.is_stuck(stats, now):
            on_stuck(f"no output for {self._watchdog_seconds:g} s while there was input")

    def _stats(self) -> "MediaStats | None":
        return None if self.thread is None else self.thread.stats

    def _tell(self, state: str, **fields: Any) -> None:
        status = status_fields(
            self._stats(),
            stream_id=self._stream.id,
            state=state,
            params=self._params,
            last_error=self._stream.last_error,
        )
        self._reports.send("status", **status, reports_dropped=self._reports.dropped, **fields)
