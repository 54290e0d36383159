"""The blocking face: calls, streams and sessions."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx2

from ._answers import Answer
from ._attempts import Attempts
from ._calls import Call, reserved, session_calls
from ._events import Event
from ._runner_routes import SessionRoute
from ._settings import Patience
from ._sync_http import SyncLine


class Stream(Iterator[Event]):
    """The events of one call: an iterator, and a context manager that closes it.

    The call is sent when the first event is asked for. Leaving early (the end of the ``with``, `close`, an exception,
    or dropping the object) closes the connection, and the worker stops. The time for the call bounds the whole stream:
    it is looked at whenever bytes arrive, and bounds each wait for them.
    """

    def __init__(self, client: Callable[[], httpx2.Client], call: Callable[[], Call]) -> None:
        self._events = _stream(client, call)

    def __next__(self) -> Event:
        return next(self._events)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the call, if it is still on; nothing happens a second time."""
        self._events.close()


def run(client: httpx2.Client, call: Call) -> Any:
    """Make a call and return its answer as one value."""
    with _answered(client, call) as (answer, chunks):
        events: list[Event] = []
        for chunk in chunks:
            events.extend(answer.feed(chunk))
            if answer.done:
                break
        return answer.value(events)


def _stream(client: Callable[[], httpx2.Client], call: Callable[[], Call]) -> Generator[Event]:
    with _answered(client(), call()) as (answer, chunks):
        for chunk in chunks:
            yield from answer.feed(chunk)
            if answer.done:
                break
        yield from answer.rest()


@contextmanager
def _answered(client: httpx2.Client, call: Call) -> Generator[tuple[Answer, Iterator[bytes]]]:
    line = SyncLine(client, call.remaining_seconds)
    try:
        answer = line.carry_out(call.begin())
        with call.errors():
            yield answer, line.chunks()
    finally:
        line.close()
        SyncLine(client).carry_out(call.end())


class Session:
    """A session at one worker: its calls share the worker's state, and the session's price (Live Runner, section 7).

    It lasts as long as the ``with`` that gave it, and is paid for meanwhile.
    """

    def __init__(self, client: Callable[[], httpx2.Client], route: SessionRoute, patience: Patience) -> None:
        self._client = client
        self._route = route
        self._patience = patience

    @property
    def id(self) -> str:
        """The session's id; empty once it is over."""
        return self._route.session_id

    def run(self, input: object = None, *, route: str = "predict", timeout_seconds: float = 60) -> Any:
        """Make a call within the session, as `Gateway.run` does."""
        return run(self._client(), self._calls(input, route, timeout_seconds)())

    def stream(self, input: object = None, *, route: str = "predict", timeout_seconds: float = 60) -> Stream:
        """Make a call within the session, as `Gateway.stream` does."""
        return Stream(self._client, self._calls(input, route, timeout_seconds))

    def _calls(self, value: object, route: str, timeout_seconds: float) -> Callable[[], Call]:
        return session_calls(self._route, value, route=route, timeout_seconds=timeout_seconds, patience=self._patience)


@contextmanager
def session(
    client: Callable[[], httpx2.Client], attempts: Attempts[SessionRoute], patience: Patience
) -> Generator[Session]:
    """Reserve a session, and stop it at the end."""
    line = SyncLine(client())
    try:
        yield Session(client, line.carry_out(attempts.first_success(reserved)), patience)
    finally:
        line.carry_out(attempts.end())
