"""How often, and for how long, a subscription asks again for what it did not get."""

import math

_PAUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8)


class Patience:
    """Pauses that grow, until it is enough.

    Args:
        seconds: How long to go on asking.
    """

    def __init__(self, seconds: float = math.inf) -> None:
        self.retry_at = 0.0
        """When to ask again."""

        self._seconds = seconds
        self._since: float | None = None
        self._attempts = 0

    def lasts(self, now: float) -> bool:
        """Note that it was not got once more.

        Returns:
            Whether to ask again, at `retry_at`.
        """
        if self._since is None:
            self._since = now
        self.retry_at = now + _PAUSES[min(self._attempts, len(_PAUSES) - 1)]
        self._attempts += 1
        return now - self._since < self._seconds

    def renew(self) -> None:
        """Note that all is well."""
        self._since = None
        self._attempts = 0
