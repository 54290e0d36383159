"""The routes of live sessions under Live Runner, where `/stream/*` is off: every stranger reaches those (section 8).

A caller reserves a persistent session, and begins it by a request of its own: only a proxied request carries the token
with which the orchestrator lets a runner make channels (contract, section 7).
"""

import asyncio
import json
import logging
from contextlib import ExitStack

from livepeer.core import CallError, SessionStart

from ._lifecycle import Lifecycle
from ._live_bodies import LiveBodies, StrangerError, stream_id
from ._live_origins import check_origin
from ._live_sessions import LiveSession, LiveSessions
from ._options import ServerOptions
from ._responses import Receive, Scope, Send, header, send_whole
from ._session_control import OrchestratorError, SessionControl
from ._sessions import SESSION_HEADER

logger = logging.getLogger("livepeer.server")

_TOKEN = b"livepeer-session-token"
_CONTROL = b"livepeer-session-control"


class RunnerSessionRoutes:
    """`/live` and `/live/params`; a session ends when the orchestrator releases it.

    Args:
        sessions: What they begin and change.
        bodies: Reads what they are sent.
        lifecycle: Tells of released sessions.
        options: The server's: where the orchestrator may be.
    """

    def __init__(
        self, sessions: LiveSessions, bodies: LiveBodies, lifecycle: Lifecycle, options: ServerOptions
    ) -> None:
        self._sessions = sessions
        self._bodies = bodies
        self._lifecycle = lifecycle
        self._options = options
        self._changes: dict[str, asyncio.Event] = {}
        """For each session that begins, runs, or has channels left: set as soon as that changes."""

    async def start(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Begin a session; the answer comes when it runs, and names its channels.

        Raises:
            StrangerError: If the request did not come through an orchestrator.
            SessionExistsError: If the caller's session runs already.
            CallError: Why it does not start.
        """
        name = _session_of(scope)
        document = await self._bodies.read_object(scope, receive)
        control = self._control(scope)
        try:
            await self._take_turn(name)
        except BaseException:
            await control.close()
            raise
        try:
            own, public = await control.make_channels()
            start = SessionStart(
                stream_id=name, params=document.get("params"), verify_tls=self._options.verify_tls, **own
            )
            await self._run(start, request_id, receive, control)
        except BaseException:
            self._sessions.keep(self._delete_channels(control, name))
            raise
        body = json.dumps({"stream_id": name, **public}).encode()
        await send_whole(send, 200, b"application/json", body, [(b"x-request-id", request_id.encode("latin-1"))])

    async def params(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Give the caller's own session other params.

        Raises:
            StrangerError: If the request did not come through an orchestrator.
            UnknownSessionError: If the session does not run.
            CallError: If the params are refused.
        """
        name = _session_of(scope)
        document = await self._bodies.read_object(scope, receive)
        params = json.dumps(document.get("params")).encode()
        found = await self._sessions.update(name, params, request_id)
        await send_whole(send, 200, b"application/json", found, [(b"x-request-id", request_id.encode("latin-1"))])

    def _control(self, scope: Scope) -> SessionControl:
        url, token = header(scope, _CONTROL).decode("latin-1"), header(scope, _TOKEN).decode("latin-1")
        if not url or not token:
            raise StrangerError("Livepeer-Session-Control and -Token are missing: an orchestrator adds them")
        check_origin("Livepeer-Session-Control", url, self._options.channel_origins)
        return SessionControl(url, token, verify=self._options.verify_tls)

    async def _take_turn(self, name: str) -> None:
        """Wait until the channels of an earlier session are gone: a later one would be given the same (section 7).

        Raises:
            SessionExistsError: If a session of that name runs.
        """
        self._sessions.check_free(name)
        while (change := self._changes.get(name)) is not None:
            await change.wait()
            self._sessions.check_free(name)
        self._changes[name] = asyncio.Event()

    def _end_turn(self, name: str) -> None:
        self._changes.pop(name).set()

    async def _run(self, start: SessionStart, request_id: str, receive: Receive, control: SessionControl) -> None:
        """Begin a session, and see to its end; one that is released meanwhile is stopped."""
        released = asyncio.Event()

        def on_release(error: CallError) -> None:
            released.set()
            self._sessions.keep(self._sessions.stop(start.stream_id, "stopped"))

        with ExitStack() as stack:
            stack.enter_context(self._lifecycle.sessions.joined(start.stream_id, on_release))
            session = await self._sessions.start_for(start, request_id, receive)
            self._end_turn(start.stream_id)
            self._changes[start.stream_id] = asyncio.Event()
            self._sessions.keep(self._end_with(session, control, released, stack.pop_all()))

    async def _end_with(
        self, session: LiveSession, control: SessionControl, released: asyncio.Event, joined: ExitStack
    ) -> None:
        """End the session's channels when it ends."""
        with joined:
            await session.over.wait()
        if released.is_set():
            self._end_turn(session.stream_id)
            await control.close()
        else:
            await self._delete_channels(control, session.stream_id)

    async def _delete_channels(self, control: SessionControl, name: str) -> None:
        try:
            await control.delete_channels()
        except OrchestratorError as error:
            logger.info("[%s] the channels of an ended session: %s", name, error)
        finally:
            self._end_turn(name)
            await control.close()


def _session_of(scope: Scope) -> str:
    name = stream_id(scope, SESSION_HEADER)
    if name is None:
        raise StrangerError("Livepeer-Session-Id is missing: reserve a session, and call through it")
    return name
