"""How many errors a stream bears."""

from livepeer.trickle.media._errors import BudgetSpentError


class Budget:
    """Counts errors; what goes well gives one back.

    Args:
        limit: How many are borne; None for any number.
        of_what: What they are, for the error.
    """

    def __init__(self, limit: int | None, of_what: str) -> None:
        self._limit = limit
        self._of_what = of_what
        self._spent = 0

    def spend(self, error: BaseException | None = None) -> None:
        """Note that something went wrong.

        Raises:
            BudgetSpentError: That was one too many.
        """
        self._spent += 1
        if self._limit is not None and self._spent > self._limit:
            raise BudgetSpentError(f"more than {self._limit} {self._of_what} went wrong") from error

    def earn(self) -> None:
        """Note that something went well."""
        if self._spent:
            self._spent -= 1
