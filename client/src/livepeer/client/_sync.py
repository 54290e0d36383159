"""The blocking face: it moves bytes between `httpx2.Client` and the core."""

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx2

from ._answers import Answer
from ._calls import LONGEST_ERROR_BYTES, Call, Target
from ._errors import LivepeerError
from ._events import Event
from ._jobs import Job


class Stream(Iterator[Event]):
    """The events of one call: an iterator, and a context manager that closes it.

    The call is sent when the first event is asked for. Leaving early (the end of the ``with``, `close`, an exception,
    or dropping the object) closes the connection, and the worker stops. The time for the call bounds the whole stream:
    it is looked at whenever bytes arrive, and bounds each wait for them.
    """

    def __init__(self, client: Callable[[], httpx2.Client], job: Job, target: Target) -> None:
        self._events = _stream(client, job, target)

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


def run(client: httpx2.Client, job: Job, target: Target) -> Any:
    """Make a call and return its answer as one value."""
    with _answered(client, Call(job, target)) as (answer, chunks):
        events: list[Event] = []
        for chunk in chunks:
            events.extend(answer.feed(chunk))
            if answer.done:
                break
        return answer.value(events)


def _stream(client: Callable[[], httpx2.Client], job: Job, target: Target) -> Generator[Event]:
    with _answered(client(), Call(job, target)) as (answer, chunks):
        for chunk in chunks:
            yield from answer.feed(chunk)
            if answer.done:
                break
        yield from answer.rest()


@contextmanager
def _answered(client: httpx2.Client, call: Call) -> Generator[tuple[Answer, Iterator[bytes]]]:
    response = _send(client, call)
    try:
        with call.errors():
            yield call.answer(response), _chunks(response, call)
    finally:
        response.close()


def _send(client: httpx2.Client, call: Call) -> httpx2.Response:
    while True:
        try:
            with call.errors():
                response = client.send(client.build_request(**call.request()), stream=True)
                if response.is_success:
                    return response
                try:
                    body = bytearray()
                    for chunk in _chunks(response, call):
                        body += chunk
                        if len(body) > LONGEST_ERROR_BYTES:
                            break
                finally:
                    response.close()
            raise call.refusal(response, body)
        except LivepeerError as failure:
            pause_seconds = call.next_attempt(failure)
        time.sleep(pause_seconds)


def _chunks(response: httpx2.Response, call: Call) -> Iterator[bytes]:
    for chunk in response.iter_raw():
        yield chunk
        call.remaining_seconds()
