"""The live sessions of a worker: each a call that lasts as long as its session does."""

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterator

import anyio

from livepeer.core import (
    BusyError,
    CallCancelledError,
    CallError,
    HostCrashedError,
    InvalidInputError,
    NotReadyError,
    SessionEndedError,
    SessionExistsError,
    SessionReport,
    SessionStart,
    UnknownSessionError,
)
from livepeer.host.wire import (
    ANSWER,
    END,
    EVENTS,
    LIVE_START,
    LIVE_STOP,
    LIVE_UPDATE,
    STREAM_ID_HEADER,
    Frame,
    unpack_answer,
)

from ._connection import Request
from ._exchange import Exchange
from ._lifecycle import Lifecycle
from ._live_farewell import report_end
from ._responses import Receive
from ._shared_files import pieces
from ._slots import Slots
from ._watchtower import disconnected

logger = logging.getLogger("livepeer.server")

_STOP_SECONDS = 10.0
"""How long a session may take to end in its own way, before its call is cancelled."""


class LiveSession:
    """One session, from the request that begins it until its work has really ended.

    Args:
        start: What it begins with.
        request_id: Of the call that runs it.
        slots: Where it has a place.
    """

    def __init__(self, start: SessionStart, request_id: str, slots: Slots) -> None:
        self.start = start
        self.stream_id = start.stream_id
        self.request_id = request_id
        self.slots = slots
        self.exchange: Exchange | None = None
        self.ended = asyncio.Event()
        """Set when its slot is free again."""
        self.over = asyncio.Event()
        """Set when there is nothing more to be said of it, either."""
        self.started: asyncio.Future[SessionReport] = asyncio.get_running_loop().create_future()
        # Whoever waited for it may have left.
        self.started.add_done_callback(lambda started: started.cancelled() or started.exception())

    def follow(self, reports: Iterator[SessionReport]) -> None:
        """Take what the session says of itself."""
        for report in reports:
            if not self.started.done():
                self.started.set_result(report)
            if report.state == "ended":
                logger.info("[%s] the session ended: %s", self.stream_id, report.detail or report.reason)

    def fail(self, error: CallError) -> None:
        """It did not start, or ended badly."""
        if not self.started.done():
            self.started.set_exception(error)
        elif not isinstance(error, CallCancelledError):
            logger.error("[%s] the session failed: %s", self.stream_id, error)


class LiveSessions:
    """All of them, by stream id.

    Args:
        lifecycle: Counts them, and holds what runs them.
    """

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._sessions: dict[str, LiveSession] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def only(self) -> str | None:
        """The stream id of the one session, if there is just one."""
        return next(iter(self._sessions)) if len(self._sessions) == 1 else None

    def check_free(self, stream_id: str) -> None:
        """Make sure that no session of that name runs.

        Raises:
            SessionExistsError: If one does.
        """
        if stream_id in self._sessions:
            raise SessionExistsError(f"the session {stream_id!r} runs already")

    async def start(self, start: SessionStart, request_id: str) -> LiveSession:
        """Begin a session, and return when it runs.

        Raises:
            SessionExistsError: If one of that name runs already.
            BusyError: If as many run as may.
            CallError: Why it does not start.
        """
        session = self._begin(start, request_id)
        try:
            await asyncio.shield(session.started)
        except asyncio.CancelledError:
            self._give_up(session, CallCancelledError("the caller left while its session started"))
            raise
        return session

    async def start_for(self, start: SessionStart, request_id: str, receive: Receive) -> LiveSession:
        """Begin a session for a caller that may leave meanwhile, which ends it.

        Raises:
            CallCancelledError: If the caller left.
            CallError: As `start`.
        """
        gone = asyncio.ensure_future(disconnected(receive))
        starting = asyncio.ensure_future(self.start(start, request_id))
        try:
            await asyncio.wait((gone, starting), return_when=asyncio.FIRST_COMPLETED)
            if not starting.done():
                raise CallCancelledError("the caller left while its session started")
            return starting.result()
        finally:
            gone.cancel()
            starting.cancel()

    async def update(self, stream_id: str, params: bytes, request_id: str) -> bytes:
        """Give a session other params.

        Args:
            stream_id: Which.
            params: As JSON, not parsed.
            request_id: For the log.

        Returns:
            Those in force now, as JSON.

        Raises:
            UnknownSessionError: If no such session runs.
            CallError: If they are refused.
        """
        session = self._sessions.get(stream_id)
        if session is None:
            raise UnknownSessionError(f"no session {stream_id!r} runs here")
        return await self._call(session, LIVE_UPDATE, params, request_id)

    async def stop(self, stream_id: str, reason: str) -> None:
        """End a session, and return when its work has ended, or after a limit; nothing happens if there is none."""
        session = self._sessions.get(stream_id)
        if session is None:
            return
        with anyio.move_on_after(_STOP_SECONDS):
            try:
                await self._call(session, LIVE_STOP, reason.encode(), f"{session.request_id}-stop")
            except CallError as error:
                logger.warning("[%s] could not be stopped in its own way: %s", stream_id, error)
                self._give_up(session, SessionEndedError("the session was stopped"))
            await session.ended.wait()
            return
        self._give_up(session, SessionEndedError("the session was stopped, and did not end"))

    async def stop_all(self, reason: str) -> None:
        """End every session, and what was kept going for them."""
        async with anyio.create_task_group() as tasks:
            for stream_id in tuple(self._sessions):
                tasks.start_soon(self.stop, stream_id, reason)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_STOP_SECONDS)

    def keep(self, work: Coroutine[None, None, None]) -> None:
        """Run something that belongs to a session, beside whatever began it."""
        task = asyncio.create_task(work, name="livepeer-live")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _begin(self, start: SessionStart, request_id: str) -> LiveSession:
        body = _body_of(start)
        if self._lifecycle.draining:
            raise NotReadyError("the server is shutting down", retry_after_seconds=1)
        self.check_free(start.stream_id)
        slots = self._lifecycle.offered
        if not slots.take():
            raise BusyError(f"all {slots.capacity} sessions are taken", retry_after_seconds=1)
        session = LiveSession(start, request_id, slots)
        self._lifecycle.call_begins()
        self._sessions[start.stream_id] = session
        try:
            session.exchange = self._send(LIVE_START, body, request_id, lambda: self._release(session))
        except CallError:
            self._release(session)
            raise
        self.keep(self._follow(session, session.exchange))
        return session

    def _release(self, session: LiveSession) -> None:
        self._sessions.pop(session.stream_id, None)
        session.slots.release()
        self._lifecycle.call_ended()
        session.ended.set()

    async def _follow(self, session: LiveSession, exchange: Exchange) -> None:
        try:
            while (frame := await exchange.next_frame()).kind != END:
                if frame.kind == EVENTS:  # How far a call has come is nobody's matter here.
                    events = _events(frame)
                    exchange.taken(len(events))
                    session.follow(_reports(events))
            if not session.started.done():
                session.fail(SessionEndedError("the session ended before it ran"))
        except CallError as error:
            has_run = session.started.done()
            session.fail(error)
            if has_run and isinstance(error, HostCrashedError):
                await report_end(session.start, str(error))
        finally:
            exchange.leave()
            session.started.cancel()
            session.over.set()

    async def _call(self, session: LiveSession, operation: int, body: bytes, request_id: str) -> bytes:
        headers = f"{STREAM_ID_HEADER}:{session.stream_id}".encode("latin-1")
        exchange = self._send(operation, body, request_id, lambda: None, headers=headers, beside=session.exchange)
        try:
            frame = await exchange.next_frame()
            return _answered(frame)
        finally:
            exchange.leave()

    def _send(
        self,
        operation: int,
        body: bytes,
        request_id: str,
        on_end: Callable[[], None],
        *,
        headers: bytes = b"",
        beside: Exchange | None = None,
    ) -> Exchange:
        description = self._lifecycle.description
        assert description is not None, "sessions are begun once it is known that there are any"
        request = Request(
            operation=len(description.operations) + operation,
            id=request_id.encode("latin-1"),
            media_type=b"application/json",
            headers=headers,
            body=body,
            beside=beside,
        )
        return self._lifecycle.worker.call(request, on_end)

    def _give_up(self, session: LiveSession, error: CallError) -> None:
        if session.exchange is not None:
            session.exchange.give_up(error)


def _body_of(start: SessionStart) -> bytes:
    try:
        return start.model_dump_json(exclude_none=True).encode()
    except ValueError as error:  # a string with half a character in it, or too many levels
        raise InvalidInputError(f"what the session begins with has no JSON form: {error}") from None


def _answered(frame: Frame) -> bytes:
    assert frame.kind == ANSWER
    answer = unpack_answer(frame)
    if not answer.size:
        return answer.body
    assert frame.shared is not None
    try:
        return b"".join(pieces(frame.shared, answer.size))
    finally:
        os.close(frame.shared)


def _events(frame: Frame) -> bytes:
    if frame.shared is None:
        return frame.payload
    try:
        return b"".join(pieces(frame.shared, os.fstat(frame.shared).st_size))
    finally:
        os.close(frame.shared)


def _reports(events: bytes) -> Iterator[SessionReport]:
    for event in events.split(b"\n\n"):
        # A long one comes in several lines (contract, section 4).
        lines = [line.removeprefix(b"data: ") for line in event.split(b"\n") if line.startswith(b"data: ")]
        if lines:
            yield SessionReport.model_validate_json(b"".join(lines))
