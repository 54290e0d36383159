"""What keeps other sites, and what workers send, from using a page on the developer's own machine."""

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from ._inbound import request_header

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FOREIGN_POLICY = "default-src 'none'; sandbox"
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class BrowserGuard:
    """An ASGI application around another one that only its own page may use.

    It answers only to a loopback name or the address that was connected to, since a page of another site can make its
    own name point here (DNS rebinding); it refuses requests that a page of another site makes; and it lets nothing run
    but the page's own scripts, least of all what a worker answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif refusal := _refusal(scope):
            await PlainTextResponse(f"{refusal}\n", 403)(scope, receive, send)
        else:
            await self._app(scope, receive, _guarded(send, handed_on=_is_handed_on(scope["path"])))


def _refusal(scope: Scope) -> str | None:
    host = _host_name(request_header(scope, "Host"))
    server = scope.get("server")
    if host not in _LOOPBACK and not (server and host == server[0]):
        return "this page answers to localhost and to its own address only"
    if scope["path"] != "/" and request_header(scope, "Sec-Fetch-Site") in ("cross-site", "same-site"):
        return "this is for the dashboard's own page only"
    return None


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_handed_on(path: str) -> bool:
    return path.startswith(("/gateway/", "/orchestrators/", "/signer/"))


def _guarded(send: Send, *, handed_on: bool) -> Send:
    async def guarded(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.append("Content-Security-Policy", _FOREIGN_POLICY if handed_on else _PAGE_POLICY)
            for name, value in _HEADERS.items():
                headers[name] = value
        await send(message)

    return guarded
