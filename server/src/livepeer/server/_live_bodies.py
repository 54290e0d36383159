"""Reading what the routes of live sessions are sent."""

import json
from typing import Any, cast

from livepeer.core import CallError, MalformedBodyError

from ._body import read_body
from ._options import ServerOptions
from ._responses import Receive, Scope, header
from ._shared_files import SharedFiles, pieces

_LIMIT_BYTES = 10 * 1024 * 1024
"""What an orchestrator passes on (contract, section 5)."""

_MAX_ID_LENGTH = 256


class StrangerError(CallError):
    """Raised when a request lacks what an orchestrator adds to it: strangers reach these routes too (section 8)."""

    status, code, title = 403, "stranger", "Only an orchestrator may do this"


class LiveBodies:
    """Reads them.

    Args:
        files: Hold what is large while it comes.
        options: The server's.
    """

    def __init__(self, files: SharedFiles, options: ServerOptions) -> None:
        self._files = files
        self._stall_seconds = options.body_timeout_seconds

    async def read(self, scope: Scope, receive: Receive) -> bytes:
        """The whole of a body.

        Raises:
            PayloadTooLargeError: If it is over 10 MiB.
            DeadlineExceededError: If no more of it came in time.
        """
        body = await read_body(scope, receive, self._files, limit_bytes=_LIMIT_BYTES, stall_seconds=self._stall_seconds)
        if body.shared is None:
            return body.inline
        try:
            return b"".join(pieces(body.shared.descriptor, body.shared.size))
        finally:
            body.shared.release()

    async def read_object(self, scope: Scope, receive: Receive) -> dict[str, Any]:
        """A body that is a JSON object, or nothing.

        Raises:
            MalformedBodyError: If it is something else.
        """
        body = await self.read(scope, receive)
        found: object = parse(body) if body else {}
        if not isinstance(found, dict):
            raise MalformedBodyError("the body is no JSON object")
        return cast("dict[str, Any]", found)


def parse(body: bytes | str) -> Any:
    """A JSON document.

    Raises:
        MalformedBodyError: If it is none.
    """
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise MalformedBodyError(f"the body is no JSON: {error}") from None


def stream_id(scope: Scope, name: bytes) -> str | None:
    """The session that a header names; None if there is no such header.

    Raises:
        MalformedBodyError: If it can be no name.
    """
    text = header(scope, name).decode("latin-1")
    if len(text) > _MAX_ID_LENGTH or not text.isprintable():
        raise MalformedBodyError(f"{name.decode()} is longer than {_MAX_ID_LENGTH} characters, or not printable")
    return text or None
