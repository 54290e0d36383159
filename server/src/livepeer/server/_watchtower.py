"""Watching callers and deadlines: of the calls that take a while, since most end sooner than that."""

import asyncio
import logging
import time

from livepeer.core import CallCancelledError, CallError, DeadlineExceededError

from ._exchange import Exchange
from ._options import ServerOptions
from ._responses import Receive
from ._worker import Worker

logger = logging.getLogger("livepeer.server")

_ROUND_SECONDS = 0.01


_Watched = tuple[Receive, str, float, float | None]
"""How to wait for the caller to leave, the request's id, since when, and how many seconds it may take."""


class Watchtower:
    """Looks at all calls under way every 10 ms, while there are any.

    A call that lives through one round gets a task that waits for its caller to leave; a timer or a
    task for every call would cost more than many calls take.

    Args:
        worker: What runs the calls.
        options: The server's: what to do about stuck calls.
    """

    def __init__(self, worker: Worker, options: ServerOptions) -> None:
        self._worker = worker
        self._options = options
        self._new: dict[Exchange, _Watched] = {}
        self._old: dict[Exchange, _Watched] = {}
        self._watchers: dict[Exchange, asyncio.Task[None]] = {}
        self._timer: asyncio.TimerHandle | None = None

    def watch(
        self, exchange: Exchange, receive: Receive, request_id: str, *, deadline_seconds: float | None = None
    ) -> None:
        """Begin to watch a call."""
        self._new[exchange] = (receive, request_id, time.monotonic(), deadline_seconds)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_ROUND_SECONDS, self._look)

    def leave(self, exchange: Exchange) -> None:
        """Stop watching a call: it was answered, or nobody waits for it."""
        if self._new.pop(exchange, None) is None:
            self._old.pop(exchange, None)
            watcher = self._watchers.pop(exchange, None)
            if watcher is not None:
                watcher.cancel()

    def give_up(self, exchange: Exchange, error: CallError) -> None:
        """End a call early, for a reason of somebody else's."""
        watched = self._new.get(exchange) or self._old.get(exchange)
        if watched is not None:
            self._give_up(exchange, watched, error)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        now = time.monotonic()
        for exchange, watched in list(self._new.items()):
            if now - watched[2] >= _ROUND_SECONDS:
                self._old[exchange] = self._new.pop(exchange)
                self._watchers[exchange] = loop.create_task(self._watch_caller(exchange, watched))
        more = bool(self._new)
        for exchange, watched in list(self._old.items()):
            deadline = watched[3]
            if deadline is None:
                continue
            more = True
            if now - watched[2] >= deadline:
                self._give_up(exchange, watched, DeadlineExceededError(f"the call took longer than {deadline:g} s"))
        self._timer = loop.call_later(_ROUND_SECONDS, self._look) if more else None

    async def _watch_caller(self, exchange: Exchange, watched: _Watched) -> None:
        await disconnected(watched[0])
        self._give_up(exchange, watched, CallCancelledError("the caller left"))

    def _give_up(self, exchange: Exchange, watched: _Watched, error: CallError) -> None:
        exchange.give_up(error)
        if self._options.on_stuck == "kill":
            loop = asyncio.get_running_loop()
            loop.call_later(self._options.stuck_seconds, self._end_if_stuck, exchange, watched[1])

    def _end_if_stuck(self, exchange: Exchange, request_id: str) -> None:
        if not exchange.ended and self._worker.end_stuck(request_id):
            logger.error("[%s] the call could not be stopped; its host was ended", request_id)


async def disconnected(receive: Receive) -> None:
    """Wait for the caller to leave."""
    while (await receive())["type"] != "http.disconnect":
        pass
