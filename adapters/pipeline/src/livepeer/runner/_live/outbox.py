"""What any thread leaves for the event loop."""

import asyncio
from collections import deque
from typing import Generic, Self, TypeVar

Item = TypeVar("Item")


class Outbox(Generic[Item]):
    """Items on their way from any thread to the loop that made this. It is bounded: the oldest give way.

    Iterate over it for batches of what has come; the iteration ends when it is closed and empty.

    Args:
        size: How many items wait at most.
    """

    def __init__(self, size: int) -> None:
        self.dropped = 0
        """How many items gave way."""

        self._items: deque[Item] = deque(maxlen=size)
        self._loop = asyncio.get_running_loop()
        self._wake = asyncio.Event()
        self._is_woken = False
        self._is_closed = False

    def put(self, item: Item) -> None:
        """Leave an item, from any thread; never waits."""
        if len(self._items) == self._items.maxlen:
            self.dropped += 1
        self._items.append(item)
        if not self._is_woken:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._wake.set)

    def close(self) -> None:
        """Let the iteration end with what is left. On the loop only."""
        self._is_closed = True
        self._wake.set()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Item]:
        while not (items := self._take()):
            if self._is_closed:
                raise StopAsyncIteration
            await self._wake.wait()
            self._wake.clear()
            # Before the items are taken: whoever puts one from here on wakes us again.
            self._is_woken = False
        return items

    def _take(self) -> list[Item]:
        items: list[Item] = []
        while self._items:
            items.append(self._items.popleft())
        return items
