"""What one request carries through a model."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from ._errors import CallCancelledError

_SAID_BEFORE = 2
"""How many lines the server may say before the headers."""

CURRENT_CALL: ContextVar["Call | None"] = ContextVar("livepeer_call", default=None)


class Call:
    """One request: who it is, how long it may take, and what it reports on the way.

    A native predict gets it by a parameter annotated `Call`, or from `current_call()`.

    Args:
        id: The request's id, as in the log and in error documents.
        headers: The request's headers as HTTP/1.1 lines, lower-case names, decoded on first use; before them
            ``:path:`` and ``:client:``, for an operation that takes any media type.
        deadline: `time.monotonic()` by which the call must have ended; None for no limit.
        report_progress: Takes a fraction (0 to 1) and a message to whoever watches.
    """

    __slots__ = ("_header_lines", "_headers", "_lines", "_report_progress", "cancelled", "deadline", "id", "metrics")

    def __init__(
        self,
        *,
        id: str = "",
        headers: bytes = b"",
        deadline: float | None = None,
        report_progress: Callable[[float, str], None] | None = None,
    ) -> None:
        self.id = id
        self.deadline = deadline
        self.metrics: dict[str, float | int | str] = {}
        """Figures about this call; the answer carries them in `X-Metadata`."""
        self._header_lines = headers
        self._lines: list[tuple[bytes, bytes]] | None = None
        self._headers: Mapping[str, str] | None = None
        self.cancelled = False
        """Whether nobody waits for the answer any more; the host sets it. A long sync loop looks now and then."""
        self._report_progress = report_progress

    @property
    def headers(self) -> Mapping[str, str]:
        """The request's headers by lower-case name; credentials are not among them."""
        if self._headers is None:
            self._headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in self.raw_headers}
        return self._headers

    @property
    def raw_headers(self) -> list[tuple[bytes, bytes]]:
        """The request's headers as ASGI has them: lower-case names, in their order, none left out."""
        return [(name, value) for name, value in self._read_lines() if not name.startswith(b":")]

    @property
    def url(self) -> str:
        """Path and query as they came, for an operation that takes any media type; else ``""``."""
        return dict(self._read_lines()[:_SAID_BEFORE]).get(b":path", b"").decode("latin-1")

    @property
    def client(self) -> tuple[str, int] | None:
        """Address and port of whoever is connected, where there is a `url`: most often an orchestrator."""
        host, _, port = dict(self._read_lines()[:_SAID_BEFORE]).get(b":client", b"").decode("latin-1").rpartition(" ")
        return (host, int(port)) if host else None

    def _read_lines(self) -> list[tuple[bytes, bytes]]:
        """The lines once taken apart; those that the server says before the headers begin with a colon."""
        if self._lines is None:
            lines = self._header_lines.split(b"\n") if self._header_lines else []
            self._lines = [(line[:at], line[at + 1 :]) for line in lines if (at := line.find(b":", 1)) > 0]
        return self._lines

    @property
    def remaining_seconds(self) -> float | None:
        """Time left until the deadline, never negative; None for no limit."""
        return None if self.deadline is None else max(0.0, self.deadline - time.monotonic())

    def raise_if_cancelled(self) -> None:
        """Leave the model when nobody waits for the answer any more.

        Raises:
            CallCancelledError: If the call was cancelled.
        """
        if self.cancelled:
            raise CallCancelledError("nobody waits for this answer any more")

    def report_progress(self, fraction: float, message: str = "") -> None:
        """Tell how far the work has come.

        Args:
            fraction: From 0 to 1.
            message: A few words, may be empty.
        """
        if self._report_progress is not None:
            self._report_progress(fraction, message)

    @contextmanager
    def running(self) -> "Generator[Call]":
        """Within the block this is the current call, and the lines that are printed carry its id.

        The host does this for its own calls; an application that is mounted does it for what it runs itself.
        """
        token = CURRENT_CALL.set(self)
        try:
            yield self
        finally:
            CURRENT_CALL.reset(token)


def current_call() -> Call | None:
    """The call that the running code serves, None outside of one."""
    return CURRENT_CALL.get()
