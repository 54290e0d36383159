"""A live pipeline as the contract knows it, and its sessions."""

from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any

from livepeer.core import (
    BusyError,
    Call,
    LiveDescription,
    Manifest,
    Operation,
    SessionExistsError,
    SessionReport,
    SessionStart,
    TargetError,
    UnknownSessionError,
)
from livepeer.runner._pipeline import capacity_of, info_of, instantiated

from .params import ParamsFormat
from .pipeline import LivePipeline, overrides
from .session import Session


class LiveCapability:
    """A live pipeline as the contract knows it: sessions, and no operations.

    Args:
        pipeline: A `LivePipeline` class or instance.
        manifest: What a livepeer.yaml says of it, which wins.

    Raises:
        TargetError: If it cannot be served; says what to change.
    """

    operations: tuple[Operation, ...] = ()

    def __init__(self, pipeline: LivePipeline | type[LivePipeline], manifest: Manifest | None = None) -> None:
        self._pipeline: LivePipeline = instantiated(pipeline)
        _check(self._pipeline)
        said = manifest.model_dump(exclude_none=True) if manifest is not None else {}
        self.live = Sessions(self._pipeline, capacity=said.get("capacity") or capacity_of(self._pipeline))
        self.info = info_of(self._pipeline, "", said)

    def setup(self) -> Any:
        """Run the pipeline's own `setup()`."""
        return self._pipeline.setup()

    def teardown(self) -> Any:
        """Run the pipeline's own `teardown()`."""
        return self._pipeline.teardown()


class Sessions:
    """The sessions of one pipeline, by the name of their stream.

    Args:
        pipeline: Whose copies the streams work on.
        capacity: How many run at once.
    """

    def __init__(self, pipeline: LivePipeline, *, capacity: int) -> None:
        self._pipeline = pipeline
        self._format = ParamsFormat(pipeline.params)
        self._sessions: dict[str, Session] = {}
        self.description = LiveDescription(params_schema=self._format.schema, capacity=capacity)

    async def run(self, start: SessionStart, call: Call) -> AsyncIterator[SessionReport]:
        """Run a session to its end; one task has to iterate and to close this."""
        with self._admitted(start, call) as session:
            async with session:
                yield SessionReport(state="running")
                end = await session.wait()
        yield end

    async def update(self, stream_id: str, params: Any) -> Any:
        """Give a session other params; returns those in force."""
        session = self._sessions.get(stream_id)
        if session is None:
            raise UnknownSessionError(f"no stream {stream_id} runs here")
        return await session.update(params)

    async def stop(self, stream_id: str, reason: str) -> None:
        """End a session, if there is one of that name, and return when it is cleaned up."""
        session = self._sessions.get(stream_id)
        if session is not None:
            await session.stop(reason)

    @contextmanager
    def _admitted(self, start: SessionStart, call: Call) -> Generator[Session]:
        if start.stream_id in self._sessions:
            raise SessionExistsError(f"the stream {start.stream_id} runs already")
        if len(self._sessions) >= self.description.capacity:
            raise BusyError(f"{len(self._sessions)} streams run already")
        session = self._sessions[start.stream_id] = Session(
            self._pipeline, self._format, start, call, shares_cores=self.description.capacity > 1
        )
        try:
            yield session
        finally:
            del self._sessions[start.stream_id]


def _check(pipeline: LivePipeline) -> None:
    name = type(pipeline).__name__
    for operation in ("predict", "run"):
        if callable(getattr(pipeline, operation, None)):
            raise TargetError(f"{name} is a LivePipeline and has a {operation}; give that to a Pipeline of its own")
    for kind in ("video", "audio"):
        if overrides(pipeline, f"process_{kind}") and overrides(pipeline, f"generate_{kind}"):
            raise TargetError(f"{name} has both process_{kind} and generate_{kind}; keep one")
    for setting in ("heartbeat_seconds", "stop_seconds", "watchdog_seconds"):
        value = getattr(pipeline, setting)
        if not (value is None and setting == "watchdog_seconds") and not (isinstance(value, int | float) and value > 0):
            raise TargetError(f"{setting} has to be a number more than 0, not {value!r}")
