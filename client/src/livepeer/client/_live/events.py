"""What a stream's worker has reported, for any number of readers."""

from collections import deque
from collections.abc import AsyncGenerator, Mapping
from typing import Any, cast

import anyio

from livepeer.client._errors import LivepeerError, StreamOverError

Report = Mapping[str, Any]

_KEPT = 1000
_LAST_STATE = "ended"


class EventLog:
    """Keeps the newest reports; who begins to read late gets those first."""

    def __init__(self) -> None:
        self.over = anyio.Event()
        """Set once the stream has ended, or nothing more will be known of it."""

        self.status: Report | None = None
        """The newest status."""

        self.failure: LivepeerError | None = None
        """Why nothing more is known of the stream; None where it ended, or goes on."""

        self._kept: deque[Report] = deque(maxlen=_KEPT)
        self._count = 0
        self._more = anyio.Event()

    @property
    def has_ended(self) -> bool:
        """Whether the worker has said that its session is over."""
        return self.status is not None and self.status.get("state") == _LAST_STATE

    def add(self, message: object) -> None:
        """Take what came; what is no report is left out."""
        report = _report(message)
        if report is None:
            return
        self._kept.append(report)
        self._count += 1
        if report.get("type") == "status":
            self.status = report
        if self.has_ended:
            self.over.set()
        self._wake()

    def end(self, failure: LivepeerError | None = None) -> None:
        """Say that nothing more comes, and why if that is a failure; once more does nothing."""
        if not self.over.is_set():
            self.failure = failure
        self.over.set()
        self._wake()

    def check(self) -> None:
        """See that the stream goes on.

        Raises:
            StreamOverError: It has ended.
            LivepeerError: It is out of reach.
        """
        if self.over.is_set():
            raise self.failure or StreamOverError("the stream is over")

    async def read(self) -> AsyncGenerator[Report]:
        """Give every report that is kept, and those to come, until the stream is over."""
        position = self._count - len(self._kept)
        while True:
            position = max(position, self._count - len(self._kept))
            if position < self._count:
                report = self._kept[position - self._count]
                position += 1
                yield report
            elif self.over.is_set():
                return
            else:
                await self._more.wait()

    def _wake(self) -> None:
        more, self._more = self._more, anyio.Event()
        more.set()


def _report(message: object) -> Report | None:
    if not isinstance(message, dict):
        return None
    report = cast("dict[str, Any]", message)
    inner = report.get("event")
    # Some workers wrap each report: {"queue_event_type": ..., "event": {...}} (BYOC contract, section 5).
    if "type" not in report and isinstance(inner, dict):
        return cast("dict[str, Any]", inner)
    return report
