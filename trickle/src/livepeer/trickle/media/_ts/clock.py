"""Timestamps of 33 bits to ones that go on rising."""

_PERIOD = 1 << 33
MASK = _PERIOD - 1
"""The bits that a timestamp has in a stream."""


class Clock:
    """Timestamps without their wrap: each is taken as the one nearest to the one before, of whatever track."""

    def __init__(self) -> None:
        self._last: int | None = None

    def unwrap(self, timestamp: int) -> int:
        """Return a stream's timestamp as one that may be beyond 33 bits."""
        if self._last is not None:
            difference = (timestamp - self._last + _PERIOD // 2) % _PERIOD - _PERIOD // 2
            timestamp = self._last + difference
        self._last = timestamp
        return timestamp
