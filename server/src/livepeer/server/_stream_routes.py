"""The routes of live sessions that a BYOC orchestrator calls (contract, section 5)."""

import json
from typing import Any

from pydantic import ValidationError

from livepeer.core import FieldError, InvalidInputError, SessionStart, UnknownSessionError

from ._live_bodies import LiveBodies, StrangerError, parse, stream_id
from ._live_origins import CHANNEL_FIELDS, check_origins
from ._live_sessions import LiveSessions
from ._options import ServerOptions
from ._responses import Receive, Scope, Send, send_whole

_STREAM_ID = b"x-stream-id"
_ID_FIELDS = ("gateway_request_id", "stream_id")
_MAX_REASON_LENGTH = 200


class StreamRoutes:
    """`/stream/start`, `/stream/params` and `/stream/stop`.

    Args:
        sessions: What they begin, change and end.
        bodies: Reads what they are sent.
        options: The server's: where channels may be.
    """

    def __init__(self, sessions: LiveSessions, bodies: LiveBodies, options: ServerOptions) -> None:
        self._sessions = sessions
        self._bodies = bodies
        self._options = options

    async def start(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Begin a session; the answer comes when it runs.

        Raises:
            StrangerError: If no orchestrator named the stream.
            ForeignChannelError: If a channel is somewhere else than it may be.
            CallError: Why it does not start.
        """
        name = stream_id(scope, _STREAM_ID)
        if name is None:
            raise StrangerError("X-Stream-Id is missing: an orchestrator adds it when it starts a stream")
        document = await self._bodies.read_object(scope, receive)
        start = _start_of(document, name, verify_tls=self._options.verify_tls)
        check_origins(start, self._options.channel_origins)
        await self._sessions.start_for(start, request_id, receive)
        await _send_json(send, {"status": "running", "stream_id": name}, request_id)

    async def params(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """Give a session other params; without a name, the only one (contract, section 5).

        Raises:
            UnknownSessionError: If there is none of that name, or none or several and no name.
            CallError: If the params are refused.
        """
        body = await self._bodies.read(scope, receive)
        document = parse(body)
        name = stream_id(scope, _STREAM_ID) or _named_in(document) or self._sessions.only
        if name is None:
            raise UnknownSessionError("X-Stream-Id is missing, and there is not just one session")
        found = await self._sessions.update(name, body, request_id)
        await send_whole(send, 200, b"application/json", found, [(b"x-request-id", request_id.encode("latin-1"))])

    async def stop(self, scope: Scope, receive: Receive, send: Send, request_id: str) -> None:
        """End a session; the body may be anything. Ending what does not run is fine: a gateway says it three times.

        Raises:
            UnknownSessionError: If no session is named, and there is more than one.
        """
        body = await self._bodies.read(scope, receive)
        name = stream_id(scope, _STREAM_ID) or _named_in(_parsed(body)) or self._sessions.only
        if name is not None:
            await self._sessions.stop(name, _reason(body))
        elif len(self._sessions):
            raise UnknownSessionError("X-Stream-Id is missing, and there is not just one session")
        await _send_json(send, {"status": "stopped"}, request_id)


def _start_of(document: dict[str, Any], name: str, *, verify_tls: bool) -> SessionStart:
    """What a session begins with: an orchestrator's body, into which the caller's was merged."""
    channels = {field: document.get(field) or None for field in CHANNEL_FIELDS}
    params = document.get("params")
    if isinstance(params, str):
        # A gateway's caller gives them as a document in a string.
        params = parse(params) if params else None
    try:
        return SessionStart(stream_id=name, params=params, verify_tls=verify_tls, **channels)
    except ValidationError as error:
        fields = [FieldError(field=".".join(map(str, item["loc"])), reason=item["msg"]) for item in error.errors()]
        raise InvalidInputError("the session's channels are no URLs", errors=fields) from None


def _named_in(document: Any) -> str | None:
    if not isinstance(document, dict):
        return None
    found = [document.get(field) for field in _ID_FIELDS]  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return next((name for name in found if isinstance(name, str) and name), None)  # pyright: ignore[reportUnknownVariableType]


def _reason(body: bytes) -> str:
    """What a gateway says in plain text; a document holds no reason."""
    text = body.decode(errors="replace").strip()
    return text[:_MAX_REASON_LENGTH] if text and not text.startswith(("{", "[")) else "stopped"


def _parsed(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None  # a reason in plain text


async def _send_json(send: Send, document: dict[str, Any], request_id: str) -> None:
    headers = [(b"x-request-id", request_id.encode("latin-1"))]
    await send_whole(send, 200, b"application/json", json.dumps(document).encode(), headers)
