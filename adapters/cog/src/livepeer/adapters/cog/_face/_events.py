"""What happened to a prediction, kept for whoever reads it as a stream, also for one who comes later."""

import asyncio
import os
from collections import deque
from contextlib import suppress
from itertools import islice
from threading import Lock
from typing import Any, NamedTuple

from ._answers import to_json

MOST_SUBSCRIBERS = 1024
LAST = "completed"
"""The event that ends every stream."""

_DEFAULT_REPLAY = 1024


class Event(NamedTuple):
    """One event, as Cog names it."""

    name: str
    data: Any

    def encode(self) -> bytes:
        """The event as it is sent."""
        return b"event: %b\ndata: %b\n\n" % (self.name.encode(), to_json(self.data))


class EventLog:
    """The events of one prediction. Written by the thread that predicts, read on the face's loop.

    Args:
        loop: The face's.
        replay: How many events one who comes later still gets.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, replay: int) -> None:
        self._loop = loop
        self._replay = replay
        self._lock = Lock()
        self._events: deque[Event] = deque()
        self._begin = 0
        self._subscriptions: set[Subscription] = set()

    def append(self, event: Event) -> None:
        """Note an event, and wake whoever waits for one. Any thread."""
        with self._lock:
            self._events.append(event)
            self._forget()
            # The last one wakes everybody: this thread may have been interrupted within an earlier waking.
            woken = [one for one in self._subscriptions if one.waits or event.name == LAST]
            for one in woken:
                one.waits = False
        for one in woken:
            with suppress(RuntimeError):  # the loop is closed: nobody reads any more
                self._loop.call_soon_threadsafe(one.wake.set)

    def subscribe(self) -> "Subscription | None":
        """Read from the start of what is kept; None if too many do already."""
        with self._lock:
            if len(self._subscriptions) >= MOST_SUBSCRIBERS:
                return None
            end = self._begin + len(self._events)
            start = max(0, end - self._replay)
            subscription = Subscription(self, start, missed=start if self._replay else 0)
            self._subscriptions.add(subscription)
            return subscription

    def leave(self, subscription: "Subscription") -> None:
        """Stop reading."""
        with self._lock:
            self._subscriptions.discard(subscription)
            self._forget()

    @property
    def is_read(self) -> bool:
        """Whether anybody reads."""
        return bool(self._subscriptions)

    def take(self, subscription: "Subscription") -> list[Event]:
        """The events that `subscription` has not seen; if there are none it is woken at the next."""
        with self._lock:
            position = subscription.position - self._begin
            events = list(islice(self._events, position, None))
            subscription.position += len(events)
            if not events:
                subscription.wake.clear()
                subscription.waits = True
            self._forget()
            return events

    def _forget(self) -> None:
        # What a reader has not seen stays, however slow it is: the outputs are in memory until the end anyway.
        surplus = len(self._events) - self._replay
        if surplus > 0:
            unseen = min((one.position for one in self._subscriptions), default=self._begin + surplus)
            for _ in range(min(surplus, unseen - self._begin)):
                self._events.popleft()
                self._begin += 1


class Subscription:
    """One reader of an `EventLog`."""

    def __init__(self, log: EventLog, position: int, *, missed: int) -> None:
        self.log = log
        self.position = position
        self.missed = missed
        """How many events were forgotten before it came."""

        self.waits = False
        self.wake = asyncio.Event()


def replay_capacity() -> int:
    """`COG_STREAM_HISTORY_CAPACITY`, or Cog's own default."""
    text = os.environ.get("COG_STREAM_HISTORY_CAPACITY", "")
    return int(text) if text.isdecimal() else _DEFAULT_REPLAY
