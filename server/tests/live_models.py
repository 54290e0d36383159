"""A capability that is live and touches no media: what a session does is told in its params."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from livepeer.core import (
    Call,
    Info,
    Live,
    LiveDescription,
    Operation,
    SessionEndedError,
    SessionExistsError,
    SessionReport,
    SessionStart,
    UnknownSessionError,
    input_error,
)


class Params(BaseModel):
    """What a session is to do."""

    level: int = 0
    start: Literal["at once", "when told", "never", "badly"] = "at once"
    talks: bool = False
    """It says how far it has come, and at length, before it runs."""

    end: Literal["when told", "at once", "never", "with the process"] = "when told"


class Session:
    def __init__(self, start: SessionStart, params: Params) -> None:
        self.start = start
        self.params = params
        self.stopping = asyncio.Event()
        self.ended = asyncio.Event()


class Sessions:
    """Runs them, and keeps what happened."""

    def __init__(self, capacity: int) -> None:
        self.description = LiveDescription(params_schema=Params.model_json_schema(), capacity=capacity)
        self.running: dict[str, Session] = {}
        self.started: list[SessionStart] = []
        self.ended: list[str] = []
        self.reasons: list[str] = []
        self.waits = asyncio.Event()
        """A session is on the way that never starts."""

    async def run(self, start: SessionStart, call: Call) -> AsyncIterator[SessionReport]:
        if start.stream_id in self.running:
            raise SessionExistsError(f"{start.stream_id} runs already")
        self.running[start.stream_id] = session = Session(start, _validated(start.params))
        self.started.append(start)
        try:
            if session.params.talks:
                call.report_progress(0.5, "half")
            async for report in self._live(session):
                yield report
        finally:
            await asyncio.sleep(0)  # cleaning up takes a moment
            del self.running[start.stream_id]
            self.ended.append(start.stream_id)
            session.ended.set()

    async def update(self, stream_id: str, params: Any) -> Any:
        session = self._find(stream_id)
        session.params = _validated(params)
        return session.params.model_dump(mode="json") | {"filler": "x" * params.get("filler", 0)}

    async def stop(self, stream_id: str, reason: str) -> None:
        session = self.running.get(stream_id)
        if session is not None:
            self.reasons.append(reason)
            session.stopping.set()
            await session.ended.wait()

    async def _live(self, session: Session) -> AsyncIterator[SessionReport]:
        match session.params.start:
            case "never":
                self.waits.set()
                await asyncio.Event().wait()
            case "when told":
                self.waits.set()
                await session.stopping.wait()
                raise SessionEndedError("it was stopped before it ran")
            case "badly":
                raise RuntimeError("no such luck")
            case _:
                yield SessionReport(state="running", detail="x" * 300_000 if session.params.talks else None)
        match session.params.end:
            case "at once":
                yield SessionReport(state="ended", reason="input_ended")
            case "with the process":
                os._exit(3)
            case "never":
                while True:
                    await asyncio.Event().wait()
            case _:
                await session.stopping.wait()
                yield SessionReport(state="ended", reason="stopped")

    def _find(self, stream_id: str) -> Session:
        if stream_id not in self.running:
            raise UnknownSessionError(f"no session {stream_id} runs")
        return self.running[stream_id]


class LiveModel:
    """The capability."""

    info = Info(name="live-model", adapter="test")
    operations: tuple[Operation, ...] = ()

    def __init__(self, capacity: int = 2) -> None:
        self.sessions = Sessions(capacity)

    @property
    def live(self) -> Live:
        return self.sessions

    def setup(self) -> None:
        pass

    def teardown(self) -> None:
        pass


def _validated(params: Any) -> Params:
    try:
        return Params.model_validate(params or {})
    except ValidationError as error:
        raise input_error(error) from None
