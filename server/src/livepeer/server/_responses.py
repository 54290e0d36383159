"""Writing answers straight to ASGI."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from livepeer.core import PROBLEM_MEDIA_TYPE, CallError, Problem

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

Route = Callable[[Scope, Receive, Send, str], Awaitable[None]]
"""Answers one POST; the last argument is the request's id."""


async def send_whole(
    send: Send, status: int, media_type: bytes | None, body: bytes, headers: Headers | None = None
) -> None:
    """Send an answer whose body is all there."""
    found: Headers = [(b"content-length", b"%d" % len(body))]
    if media_type is not None:
        found.append((b"content-type", media_type))
    if headers:
        found += headers
    await send({"type": "http.response.start", "status": status, "headers": found})
    await send({"type": "http.response.body", "body": body})


async def send_problem(send: Send, error: CallError, *, request_id: str | None, headers: Headers | None = None) -> None:
    """Send an error as problem+json."""
    found = list(headers or ())
    if error.retry_after_seconds is not None:
        found.append((b"retry-after", b"%d" % max(1, round(error.retry_after_seconds))))
    body = Problem.of(error, request_id=request_id).to_json()
    await send_whole(send, error.status, PROBLEM_MEDIA_TYPE.encode(), body, found)


class NotFoundError(CallError):
    """Raised for a route that does not exist."""

    status, code, title = 404, "not_found", "Not found"


class MethodNotAllowedError(CallError):
    """Raised for a route that exists under other methods.

    Args:
        path: The route.
        allowed: Its methods, as the header `Allow` lists them.
    """

    status, code, title = 405, "method_not_allowed", "Method not allowed"

    def __init__(self, path: str, allowed: str) -> None:
        super().__init__(f"{path or '/'} answers {allowed}")
        self.allowed = allowed


def header(scope: Scope, name: bytes) -> bytes:
    """A request header, empty if it is missing."""
    for found, value in scope["headers"]:
        if found == name:
            return value
    return b""
