"""A call as the request that BentoML's code sees."""

from typing import Any
from urllib.parse import unquote

import anyio
from starlette.requests import Request

from livepeer.core import Call

HttpScope = dict[str, Any]


def request_of(call: Call, body: bytes, path: str) -> Request:
    """A request with a call's URL, headers and body.

    Args:
        call: The call.
        body: As it came.
        path: The operation's route, where the call does not say how it was reached.
    """
    return Request(http_scope(call, path), Body(body).receive)


def http_scope(call: Call, path: str) -> HttpScope:
    """What ASGI says of a call's request before its body.

    Args:
        call: The call.
        path: The operation's route, where the call does not say how it was reached.
    """
    return {**scope_of("POST", call.url or path, call.raw_headers), "client": call.client}


def scope_of(method: str, url: str, headers: list[tuple[bytes, bytes]]) -> HttpScope:
    """What ASGI says of a request before its body.

    Args:
        method: In capitals.
        url: Path and query, percent-encoded.
        headers: By lower-case name.
    """
    raw_path, _, query = url.partition("?")
    return {
        "type": "http",
        # With this version an answer is not watched for callers that leave: the call is cancelled then.
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(raw_path) if "%" in raw_path else raw_path,
        "raw_path": raw_path.encode("latin-1"),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": headers,
        "client": None,
        "server": None,
    }


class Body:
    """The receiving side of a request that has all arrived.

    Args:
        content: Its body.
    """

    def __init__(self, content: bytes) -> None:
        self._content: bytes | None = content

    async def receive(self) -> dict[str, Any]:
        """The body once, and nothing more: a caller that leaves cancels the call."""
        content, self._content = self._content, None
        if content is None:
            await anyio.sleep_forever()
        return {"type": "http.request", "body": content, "more_body": False}
