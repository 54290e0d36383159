"""Telling what happens, but not more often than anybody wants to hear it."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from livepeer.trickle.media._reports import Notice, NoticeKind

_LOGGER = logging.getLogger("livepeer.trickle.media")
_SECONDS = 1.0


@dataclass(slots=True)
class _Waiting:
    """What was not told yet of one kind."""

    told_at: float
    count: int
    detail: str
    data: dict[str, Any]


class Notices:
    """Gives notices to `tell`, about one a second of each kind; what happens in between is counted.

    Args:
        tell: Called on the threads of the media; what it raises is logged. None if nobody wants to hear.
    """

    def __init__(self, tell: Callable[[Notice], None] | None = None) -> None:
        self._tell = tell
        self._waiting: dict[NoticeKind, _Waiting] = {}
        self._lock = threading.Lock()

    def add(self, kind: NoticeKind, detail: str, *, count: int = 1, **data: Any) -> None:
        """Note that something happened."""
        if self._tell is None:
            return
        with self._lock:
            waiting = self._waiting.setdefault(kind, _Waiting(told_at=-_SECONDS, count=0, detail="", data={}))
            waiting.count += count
            waiting.detail, waiting.data = detail, data
        self.poll()

    def poll(self, *, all_of_them: bool = False) -> None:
        """Tell what is due.

        Args:
            all_of_them: Whether to tell what is not due yet too, for there is no later.
        """
        if self._tell is None:
            return
        now = monotonic()
        for notice in self._due(-1.0 if all_of_them else _SECONDS, now):
            try:
                self._tell(notice)
            except Exception:
                _LOGGER.exception("the notice %s could not be told", notice.kind)

    def _due(self, seconds: float, now: float) -> list[Notice]:
        with self._lock:
            due: list[tuple[NoticeKind, _Waiting]] = [
                (kind, each) for kind, each in self._waiting.items() if each.count and now - each.told_at >= seconds
            ]
            notices = [
                Notice(kind=kind, detail=each.detail, data={"count": each.count, **each.data}) for kind, each in due
            ]
            for _, each in due:
                each.told_at, each.count = now, 0
        return notices
