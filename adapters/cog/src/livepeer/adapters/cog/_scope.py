"""The scope of one prediction: its metrics, its context, and what it writes."""

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, Protocol

from livepeer.core import Call

from ._metrics import MetricRecorder

Source = Literal["stdout", "stderr"]

_CURRENT: ContextVar["Scope | None"] = ContextVar("livepeer_cog_scope", default=None)
_ACTIVE: set["Scope"] = set()
_ACTIVE_LOCK = threading.Lock()


class Listener(Protocol):
    """Hears what a prediction tells while it runs, on the thread or loop that tells it."""

    def on_log(self, source: Source, data: str) -> None:
        """A line, or several, was written. Must be quick and never raise."""
        ...

    def on_metric(self, name: str, value: Any, mode: str) -> None:
        """A metric was changed, by Cog's name for how. Must be quick and never raise."""
        ...


class Scope:
    """One prediction while it runs.

    Args:
        call: The request that it serves.
        context: What its request gave the model beside the inputs.
        listener: Hears lines and metrics as they come.
    """

    def __init__(
        self, *, call: Call, context: Mapping[str, str] | None = None, listener: Listener | None = None
    ) -> None:
        self.call = call
        self.context = dict(context or {})
        self.listener = listener
        self.metrics: dict[str, Any] = {}
        """As Cog shows them: dotted names are nested objects."""
        self.shown: ModelScope | None = ModelScope(MetricRecorder(self.metrics, self._on_metric), self.context)
        """What the model gets from `current_scope()`; None leaves that to Cog, whose scope then ignores everything."""
        self.cancelled = False
        """Whether somebody asked for its end."""
        self.on_cancel: Callable[[], None] | None = None
        """What stops the work under way; None before and after."""
        self._lines: list[str] = []
        self._pending: dict[Source, str] = {}
        self._lock = threading.Lock()

    @property
    def logs(self) -> str:
        """All that was written so far."""
        return "".join(self._lines)

    def write(self, source: Source, text: str) -> None:
        """Take what the prediction writes; it is passed on line by line."""
        with self._lock:
            pending = self._pending.pop(source, "") + text
            whole, newline, rest = pending.rpartition("\n")
            if rest:
                self._pending[source] = rest
            if newline:
                self._tell(source, whole + newline)

    def flush(self, source: Source) -> None:
        """Pass on what was written of a line that has not ended."""
        with self._lock:
            if pending := self._pending.pop(source, ""):
                self._tell(source, pending)

    def cancel(self) -> None:
        """Ask for its end, from any thread. Before it has begun, it will not; after its end, nothing happens."""
        self.cancelled = True
        stop = self.on_cancel
        if stop is not None:
            stop()

    @contextmanager
    def active(self) -> Generator[None]:
        """Within the block, what runs here belongs to this scope."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def enter(self) -> None:
        """Begin to be the scope of what runs here."""
        _CURRENT.set(self)
        with _ACTIVE_LOCK:
            _ACTIVE.add(self)

    def leave(self) -> None:
        """End, and pass on what has not ended its line. Late writers are not heard any more."""
        if _CURRENT.get() is self:
            _CURRENT.set(None)
        with _ACTIVE_LOCK:
            _ACTIVE.discard(self)
        for source in tuple(self._pending):
            self.flush(source)

    def _tell(self, source: Source, data: str) -> None:
        self._lines.append(data)
        if self.listener is not None:
            self.listener.on_log(source, data)

    def _on_metric(self, name: str, value: Any, mode: str) -> None:
        if self.listener is not None:
            self.listener.on_metric(name, value, mode)


class ModelScope:
    """What a model gets from `current_scope()`."""

    def __init__(self, metrics: MetricRecorder, context: dict[str, str]) -> None:
        self.metrics = metrics
        self.context = context

    def record_metric(self, key: str, value: Any, mode: str | None = None) -> None:
        """The same as `metrics.record()`."""
        self.metrics.record(key, value, mode)

    def __repr__(self) -> str:
        return f"Scope({self.metrics!r})"


def find_scope() -> Scope | None:
    """The scope that the running code belongs to.

    A thread that a model started does not inherit it: what such a thread does belongs to the only scope there is.
    """
    scope = _CURRENT.get()
    if scope is None:
        # A set of one is copied in one step; a change meanwhile shows as none or another.
        only = tuple(_ACTIVE)
        return only[0] if len(only) == 1 else None
    return scope if scope in _ACTIVE else None


def find_shown_scope() -> ModelScope | None:
    """What `current_scope()` gives out here; None to leave it to Cog."""
    scope = find_scope()
    return None if scope is None else scope.shown
