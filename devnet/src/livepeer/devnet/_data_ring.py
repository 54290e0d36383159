"""The last lines of a stream's data, for those who read them as events (BYOC contract, section 5)."""

from collections import deque

import anyio

_LINES = 5


class FellBehindError(Exception):
    """Raised when a reader has missed lines."""


class DataRing:
    """Five lines, as go-livepeer keeps: a reader that is further behind is cut off."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque(maxlen=_LINES)
        self._count = 0
        self.closed = False
        """Whether no more lines come."""
        self._changed = anyio.Event()

    def write(self, line: bytes) -> None:
        """Add a line; the oldest goes."""
        self._lines.append(line)
        self._count += 1
        self._notify()

    def close(self) -> None:
        """Add no more; readers come to their end."""
        self.closed = True
        self._notify()

    def reader(self) -> "DataReader":
        """Return a reader that begins with the newest line."""
        return DataReader(self, max(self._count - 1, 0))

    async def line(self, number: int) -> bytes | None:
        """Return a line by its number, as soon as it is there; None once no more lines come.

        Raises:
            FellBehindError: It is gone.
        """
        while number >= self._count:
            if self.closed:
                return None
            await self._changed.wait()
        if number < self._count - len(self._lines):
            raise FellBehindError
        return self._lines[number - self._count]

    def _notify(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()


class DataReader:
    """One reader's place in the lines."""

    def __init__(self, ring: DataRing, number: int) -> None:
        self._ring = ring
        self._number = number

    async def next(self) -> bytes | None:
        """Return the next line; None once no more lines come.

        Raises:
            FellBehindError: More lines came than are kept.
        """
        line = await self._ring.line(self._number)
        self._number += 1
        return line
