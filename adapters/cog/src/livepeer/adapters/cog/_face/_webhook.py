"""Tells a URL of the caller's how a prediction goes on."""

import asyncio
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import anyio

from livepeer.fetch import FetchError, FetchRefusedError, Poster

from ._answers import to_json

_LOGGER = logging.getLogger(__name__)

_MOST_PENDING = 256
_LATE_SECONDS = 5.0
_MOST_RETRIES = 12
_BACKOFF_SECONDS = 0.1
_WORTH_ANOTHER_TRY = (429, 500, 502, 503, 504)
_DEFAULT_INTERVAL_SECONDS = 0.5


class Webhook:
    """One prediction's webhook: documents in the order of the events, the last one until it is taken.

    Args:
        url: The caller's.
        events: Which events it wants.
        poster: Sends.
        headers: The trace of the request, passed on.
        stopping: Set when the server stops: then nothing is tried again.
    """

    def __init__(
        self, url: str, *, events: frozenset[str], poster: Poster, headers: Mapping[str, str], stopping: asyncio.Event
    ) -> None:
        self._url = url
        self._events = events
        self._poster = poster
        self._headers = headers
        self._stopping = stopping
        self._interval = _interval_seconds()
        self._sent_at: float | None = None
        self._loop = asyncio.get_running_loop()
        self._pending: deque[bytes] = deque(maxlen=_MOST_PENDING)
        self._changed = asyncio.Event()
        self._is_finished = False
        self._last: bytes | None = None
        self._patience = anyio.CancelScope()

    def note(self, event: str, snapshot: Callable[[], Mapping[str, Any]]) -> None:
        """Something happened: send what is known now, if the caller wants it and it is time. Any thread."""
        if event not in self._events:
            return
        now = time.monotonic()
        # As in Cog: lines come often and say little, an output is never held back.
        if event == "logs" and self._sent_at is not None and now - self._sent_at < self._interval:
            return
        self._sent_at = now
        self._post(self._add, to_json(snapshot()))

    def finish(self, document: bytes) -> None:
        """The prediction has ended. Any thread."""
        self._post(self._finish, document)

    async def deliver(self) -> None:
        """Send whatever there is to send, until the prediction has ended and was reported."""
        try:
            with self._patience:
                while await self._has_pending():
                    await self._try(self._pending.popleft())
            if self._last is not None:
                await self._insist(self._last)
        except FetchRefusedError as refusal:
            _LOGGER.warning("the webhook of a prediction is refused: %s", refusal)

    async def _has_pending(self) -> bool:
        while not self._pending and not self._is_finished:
            self._changed.clear()
            await self._changed.wait()
        return bool(self._pending)

    async def _try(self, document: bytes) -> int:
        """Send once; 0 if nobody answered."""
        try:
            return await self._poster.post(self._url, document, headers=self._headers)
        except FetchRefusedError:
            raise
        except FetchError as failure:
            _LOGGER.warning("a webhook failed: %s", failure)
            return 0

    async def _insist(self, document: bytes) -> None:
        for attempt in range(_MOST_RETRIES + 1):
            status = await self._try(document)
            if status and status not in _WORTH_ANOTHER_TRY:
                return
            if self._stopping.is_set():
                break
            with anyio.move_on_after(_BACKOFF_SECONDS * 2 ** min(attempt + 1, 10)):
                await self._stopping.wait()
        _LOGGER.error("the last webhook of a prediction was not taken")

    def _add(self, document: bytes) -> None:
        self._pending.append(document)
        self._changed.set()

    def _finish(self, document: bytes) -> None:
        self._is_finished = True
        self._last = document if "completed" in self._events else None
        # A host that hangs at an earlier event must not keep the last one back for long.
        # This runs in no task, where anyio cannot tell (with sniffio installed) whose time is asked for.
        self._patience.deadline = self._loop.time() + _LATE_SECONDS
        self._changed.set()

    def _post(self, work: Callable[[bytes], None], document: bytes) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody delivers any more
            self._loop.call_soon_threadsafe(work, document)


def webhook_headers(coglet_version: str) -> dict[str, str]:
    """What every webhook carries: who sends it, and `WEBHOOK_AUTH_TOKEN`."""
    headers = {"Accept": "*/*", "User-Agent": os.environ.get("COG_USER_AGENT") or f"coglet/{coglet_version}"}
    token = os.environ.get("WEBHOOK_AUTH_TOKEN")
    return {**headers, "Authorization": f"Bearer {token}"} if token else headers


def _interval_seconds() -> float:
    try:
        return float(os.environ.get("COG_THROTTLE_RESPONSE_INTERVAL", _DEFAULT_INTERVAL_SECONDS))
    except ValueError:
        return _DEFAULT_INTERVAL_SECONDS
