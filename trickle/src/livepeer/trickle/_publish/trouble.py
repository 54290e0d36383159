"""How a publisher behaves while its server is away: when it asks again, and when it gives up."""

_PAUSES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
_CALM_SECONDS = 2.0
"""What breaks that long after the last recovery is a new trouble."""


class Trouble:
    """Whether the server has to be asked where it is before anything goes on, and since when.

    Args:
        patience_seconds: How long it may last.
    """

    def __init__(self, patience_seconds: float) -> None:
        self.active = False
        """Whether the server has to be asked."""

        self.retry_at = 0.0
        """When it may be asked."""

        self._patience_seconds = patience_seconds
        self._since: float | None = None
        self._ended_at = 0.0
        self._attempts = 0

    def begin(self, now: float) -> bool:
        """Note that something broke.

        Returns:
            Whether there is patience left.
        """
        return self.active or self.again(now)

    def again(self, now: float) -> bool:
        """Note that the server could not be asked, or not be reached thereafter.

        Returns:
            Whether there is patience left.
        """
        if self._since is None or (not self.active and now - self._ended_at > _CALM_SECONDS):
            self._since, self._attempts = now, 0
        self.active = True
        self.retry_at = now + _PAUSES[min(self._attempts, len(_PAUSES) - 1)]
        self._attempts += 1
        return self._attempts == 1 or now - self._since < self._patience_seconds

    def end(self, now: float) -> None:
        """Note that the server said where it is."""
        self.active = False
        self._ended_at = now

    def forget(self) -> None:
        """Note that a segment arrived: all is well."""
        if not self.active:
            self._since = None
