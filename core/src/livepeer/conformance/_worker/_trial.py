"""What one check of a worker works with."""

import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import anyio
import httpx2

from livepeer.conformance._checks import UnexpectedError
from livepeer.conformance._json_schema import properties
from livepeer.core import HealthState

from ._wire import Wire, connected
from ._worker import Worker

_SETTLE_SECONDS = 10.0
_LOOK_SECONDS = 0.02


class WorkerTrial:
    """One check under way.

    Args:
        worker: What is judged.
        http: Asks it, with its token.
        stranger: Asks it without.
        document: What its `/schema` says; empty if that cannot be read.
        input: A document that the default operation takes; None if none is known.
    """

    def __init__(
        self,
        worker: Worker,
        http: httpx2.AsyncClient,
        stranger: httpx2.AsyncClient,
        document: Mapping[str, Any],
        input: Mapping[str, Any] | None,
    ) -> None:
        self.worker = worker
        self.http = http
        self.stranger = stranger
        self.document = document
        self._input = input

    @property
    def path(self) -> str:
        """The default operation's own path."""
        return str(self.document.get("path", "/predict"))

    @property
    def name(self) -> str:
        """The capability's name."""
        return str(self.document.get("name", ""))

    @property
    def input_schema(self) -> Any:
        """JSON Schema of the default operation's input."""
        return self.document.get("input", {})

    @property
    def output_schema(self) -> Any:
        """JSON Schema of its answer, or of one item."""
        return self.document.get("output", {})

    @property
    def input(self) -> dict[str, Any]:
        """A document that the default operation takes; only for checks that need one."""
        return dict(self._input or {})

    @property
    def input_is_known(self) -> bool:
        """Whether there is a document that the default operation takes."""
        return self._input is not None

    @property
    def has_text(self) -> bool:
        """Whether the input has a field that takes any text."""
        return self.texts("") != self.texts("x")

    def texts(self, text: str) -> dict[str, Any]:
        """The input with another text in each field that holds one and may hold any."""
        fields = properties(self.input_schema)
        free = {name for name, node in fields.items() if _is_free_text(node)}
        return {name: text if name in free and isinstance(value, str) else value for name, value in self.input.items()}

    async def post(self, body: bytes, *, path: str | None = None, **headers: str) -> httpx2.Response:
        """POST some bytes, as JSON unless the headers say otherwise; `_` in a header's name is a hyphen."""
        named = {"content-type": "application/json"} | {
            name.replace("_", "-"): value for name, value in headers.items()
        }
        return await self.http.post(self.path if path is None else path, content=body, headers=named)

    async def call(
        self, input: Mapping[str, Any] | None = None, *, path: str | None = None, **headers: str
    ) -> httpx2.Response:
        """Call the default operation, with its known input if no other is given, and read its whole answer."""
        body = json.dumps(self.input if input is None else input).encode()
        return await self.post(body, path=path, **headers)

    def stream(self, input: Mapping[str, Any] | None = None) -> AbstractAsyncContextManager[httpx2.Response]:
        """Call the default operation, and read its answer as it comes."""
        return self.http.stream("POST", self.path, json=self.input if input is None else input)

    def wire(self) -> AbstractAsyncContextManager[Wire]:
        """A connection of one's own."""
        return connected(self.worker.url)

    def head(self, method: str, path: str, host: str, *lines: str) -> bytes:
        """A request's head with the token, for a `wire`."""
        token = [f"Authorization: Bearer {self.worker.token}"] if self.worker.token else []
        return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", *token, *lines, "", ""]).encode()

    async def status(self) -> str:
        """What `/health` says first."""
        return str((await self.http.get("/health")).json()["status"])

    async def until_idle(self, seconds: float = _SETTLE_SECONDS) -> None:
        """Wait until nothing runs.

        Raises:
            UnexpectedError: Something still does.
        """

        async def is_idle() -> bool:
            return await self.status() == HealthState.IDLE

        await eventually(is_idle, "/health to say IDLE", seconds=seconds)

    async def until_at_work(self, seconds: float = _SETTLE_SECONDS) -> None:
        """Wait until something runs.

        Raises:
            UnexpectedError: Nothing does.
        """

        async def is_at_work() -> bool:
            return await self.status() == HealthState.OK

        await eventually(is_at_work, "/health to say OK", seconds=seconds)

    @asynccontextmanager
    async def slow_calls(self, number: int = 1) -> AsyncGenerator[list[httpx2.Response]]:
        """Have calls run that take long, within the block: those answered already are in the list."""
        answers: list[httpx2.Response] = []

        async def call() -> None:
            answers.append(await self.call(self.worker.slow_input))

        async with anyio.create_task_group() as tasks:
            for _ in range(number):
                tasks.start_soon(call)
            yield answers
            tasks.cancel_scope.cancel()


async def eventually(holds: Callable[[], Awaitable[bool]], expected: str, *, seconds: float) -> None:
    """Ask again and again until something holds.

    Raises:
        UnexpectedError: It did not in time.
    """
    end = anyio.current_time() + seconds
    while anyio.current_time() < end:
        if await holds():
            return
        await anyio.sleep(_LOOK_SECONDS)
    raise UnexpectedError(f"expected {expected} within {seconds:g} s")


def _is_free_text(node: object) -> bool:
    found = cast("dict[str, object]", node) if isinstance(node, dict) else {}
    limits = ("enum", "pattern", "maxLength", "format", "contentEncoding", "contentMediaType")
    return found.get("type") == "string" and not any(key in found for key in limits)
