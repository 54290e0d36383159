"""How many calls run at once, and how many may wait for that."""

import asyncio
from collections import deque

from livepeer.core import BusyError


class Slots:
    """The places of one operation.

    Args:
        capacity: How many calls run at once.
        queue_size: How many more may wait, first come, first served.
    """

    def __init__(self, capacity: int, queue_size: int = 0) -> None:
        self.capacity = capacity
        self.queue_size = queue_size
        self.in_use = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def waiting(self) -> int:
        """How many calls wait for a slot."""
        return len(self._waiting)

    def check(self) -> None:
        """Refuse early, before a body is read.

        Raises:
            BusyError: If neither a slot nor a place in the queue is free.
        """
        if self.in_use >= self.capacity and len(self._waiting) >= self.queue_size:
            raise BusyError(f"all {self.capacity} slots are taken", retry_after_seconds=1)

    def take(self) -> bool:
        """Take a slot if one is free and nobody was there before."""
        if self.in_use >= self.capacity or self._waiting:
            return False
        self.in_use += 1
        return True

    def queue(self) -> asyncio.Future[None]:
        """Take a place in the queue: done as soon as a slot is this caller's. Call it right after `take` said no.

        Raises:
            BusyError: If the queue is full.
        """
        self.check()
        place = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        return place

    def leave(self, place: asyncio.Future[None]) -> None:
        """Give up a place, and the slot if it had become one already."""
        if place.done():
            self.release()
        else:
            self._waiting.remove(place)

    def release(self) -> None:
        """Give a slot back, to the one who waits longest if anybody does."""
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self.in_use -= 1
