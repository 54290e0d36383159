"""Routes tried in turn: which failure lets another one be tried, and which failure is told at the end."""

from collections.abc import Callable, Sequence
from typing import Generic, Self, TypeVar

from ._errors import LivepeerError, TimedOutError, UnreachableError
from ._exchange import Exchange, Pause
from ._routes import Route

R = TypeVar("R", bound=Route)
T = TypeVar("T")

_FIRST_PAUSE_SECONDS = 0.2
_RUNNER_IS_ELSEWHERE = (404, 502, 503)


class Attempts(Generic[R]):
    """Tries one route after the other until one works.

    Another is tried where no connection opens, since nothing was sent, and where the route itself allows it. Whatever
    else ends an attempt might have run the job, and is final; so is everything once an answer has begun.

    Args:
        find_routes: Gives the routes, at first and again after a runner was not where it should be. Those that were
            tried by then are not tried again.
        forget: Called after an answer that is a failure: what is known of the network may be out of date.
        retries: How many more rounds over the routes that could not be reached.
    """

    def __init__(
        self, find_routes: Callable[[], Exchange[Sequence[R]]], forget: Callable[[], None], *, retries: int
    ) -> None:
        self._find_routes = find_routes
        self._forget = forget
        self._retries = retries
        self._rounds = 0
        self._route: R | None = None
        self._routes: list[R] = []
        self._unreachable: list[R] = []
        self._tried: set[str] = set()
        self._failures: list[tuple[str, LivepeerError]] = []
        self._may_look_again = True

    @classmethod
    def of(cls, route: R, retries: int) -> Self:
        """Make attempts on one route alone."""

        def find_routes() -> Exchange[Sequence[R]]:
            yield from ()
            return [route]

        return cls(find_routes, lambda: None, retries=retries)

    def first_success(self, attempt: Callable[[R], Exchange[T]]) -> Exchange[T]:
        """Make attempts until one succeeds.

        Raises:
            LivepeerError: None did. The best failure is raised, with the others as notes.
        """
        self._routes = list((yield from self._find_routes()))
        while True:
            route = self._route = self._routes.pop(0)
            self._tried.add(route.url)
            try:
                return (yield from attempt(route))
            except LivepeerError as error:
                failure = error
            yield from self._move_on(route, failure)

    def end(self) -> Exchange[None]:
        """Give back what the last attempt took, whether it succeeded or not."""
        route, self._route = self._route, None
        if route is not None:
            yield from route.end()

    def _move_on(self, route: R, failure: LivepeerError) -> Exchange[None]:
        if isinstance(failure, UnreachableError):
            if failure.retryable:  # A certificate that does not verify will not do so in a moment.
                self._unreachable.append(route)
        else:
            self._forget()
            if isinstance(failure, TimedOutError) or not route.allows_another(failure):
                raise failure
        self._failures.append((route.url, failure))
        yield from self.end()
        if not self._routes and route.hop == "runner":
            yield from self._look_again()
        if not self._routes and self._unreachable and self._rounds < self._retries:
            self._routes, self._unreachable = self._unreachable, []
            self._rounds += 1
            yield Pause(_FIRST_PAUSE_SECONDS * 2 ** (self._rounds - 1))
        if not self._routes:
            raise self._best_failure()

    def _look_again(self) -> Exchange[None]:
        was_elsewhere = any(failure.status in _RUNNER_IS_ELSEWHERE for _, failure in self._failures)
        if not self._may_look_again or not was_elsewhere:
            return
        self._may_look_again = False
        try:
            routes = yield from self._find_routes()
        except LivepeerError as failure:
            self._failures.insert(0, ("discovery", failure))
        else:
            self._routes = [route for route in routes if route.url not in self._tried]

    def _best_failure(self) -> LivepeerError:
        answered = [failure for _, failure in self._failures if not isinstance(failure, UnreachableError)]
        best = (answered or [self._failures[-1][1]])[-1]
        others = {f"{url}: {failure}": None for url, failure in self._failures if failure is not best}
        for note in others if len(self._tried) > 1 else ():
            best.add_note(note)
        return best
