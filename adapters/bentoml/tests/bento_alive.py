"""A service alive in the test's own process and loop, and calls of its apis."""

import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request

from livepeer.adapters.bentoml._runtime import Runtime


class Log:
    """What the services of a test say they do, and gates that they wait at."""

    def __init__(self) -> None:
        self.lines: deque[Any] = deque()
        self._gates: dict[str, threading.Event] = {}

    def say(self, line: Any) -> None:
        self.lines.append(line)

    def gate(self, name: str) -> threading.Event:
        return self._gates.setdefault(name, threading.Event())

    def clear(self) -> None:
        self.lines.clear()
        self._gates.clear()


@asynccontextmanager
async def alive(service: Any) -> AsyncIterator[Runtime]:
    """The service, started, until the block ends."""
    runtime = Runtime(service)
    try:
        await runtime.start()
        yield runtime
    finally:
        await runtime.stop()


def request(path: str = "/", body: bytes = b"", media_type: str = "application/json") -> Request:
    """A request as the server would hand it over."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [(b"content-type", media_type.encode())]
    scope = {"type": "http", "method": "POST", "path": path, "query_string": b"", "headers": headers}
    return Request(scope, receive)


async def call(runtime: Runtime, name: str, /, *args: Any, **kwargs: Any) -> Any:
    """What an api returns, within a request."""
    with runtime.in_request(request()):
        running: Any = runtime.run(name, args, kwargs)
        return await running


async def items_of(runtime: Runtime, name: str, /, *args: Any, **kwargs: Any) -> list[Any]:
    """What an api yields, within a request."""
    with runtime.in_request(request()):
        running: Any = runtime.run(name, args, kwargs)
        return [item async for item in running]
