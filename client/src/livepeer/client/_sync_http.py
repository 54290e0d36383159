"""Blocking HTTP: carries out exchanges, and keeps the one response that a caller reads itself."""

import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TypeVar

import httpx2

from ._clients import build_request
from ._errors import LivepeerError
from ._exchange import Exchange, Outcomes, Pause, Reply, Request, Step
from ._failures import transport_errors

T = TypeVar("T")


class SyncLine:
    """What one call, or one question, uses to talk to the network.

    Args:
        client: Sends the requests.
        remaining_seconds: How much time is left for all of them; raises where there is none.
    """

    def __init__(self, client: httpx2.Client, remaining_seconds: Callable[[], float] = lambda: math.inf) -> None:
        self._client = client
        self._remaining_seconds = remaining_seconds
        self._response: httpx2.Response | None = None

    def carry_out(self, exchange: Exchange[T]) -> T:
        """Do what an exchange asks for, and return its result."""
        with closing(exchange):
            try:
                step = next(exchange)
                while True:
                    step = exchange.send(self._take(step))
            except StopIteration as end:
                return end.value

    def chunks(self) -> Iterator[bytes]:
        """Give the body of the response that was kept open, as it arrives."""
        if self._response is not None:
            for chunk in self._response.iter_raw():
                yield chunk
                self._remaining_seconds()

    def close(self) -> None:
        """Close the response that was kept open, which ends what it is the answer of."""
        if self._response is not None:
            self._response.close()

    def _take(self, step: Step) -> Outcomes:
        if isinstance(step, Pause):
            time.sleep(min(step.seconds, self._remaining_seconds()))
            return ()
        if len(step) < 2:
            return tuple(self._outcome(request) for request in step)
        with ThreadPoolExecutor(len(step)) as threads:
            return tuple(threads.map(self._outcome, step))

    def _outcome(self, request: Request) -> Reply | LivepeerError:
        try:
            with transport_errors(request.url, self._client):
                return self._reply(request)
        except LivepeerError as error:
            return error

    def _reply(self, request: Request) -> Reply:
        seconds = min(request.timeout_seconds, self._remaining_seconds())
        ends_at = time.monotonic() + seconds
        response = self._client.send(build_request(self._client, request, seconds), stream=True)
        if request.keep_open and response.is_success:
            self._response = response
            return Reply(status=response.status_code, headers=response.headers, body=b"")
        with closing(response):
            body = bytearray()
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > request.max_bytes:
                    break
                if time.monotonic() > ends_at:
                    raise TimeoutError
        return Reply(status=response.status_code, headers=response.headers, body=bytes(body[: request.max_bytes]))
