"""Passes a call on to a worker and its answer back, both as they come, as Go's reverse proxy does.

(Live Runner, contract section 7.)
"""

import posixpath
import re
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

import anyio
import httpx2
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from ._inbound import RefusedError, drop_connection, request_header, stream_body, wait_for_disconnect
from ._outbound import closing

RawHeaders = list[tuple[bytes, bytes]]

_HOP_BY_HOP = frozenset(
    b"connection proxy-connection keep-alive proxy-authenticate proxy-authorization te trailer transfer-encoding"
    b" upgrade".split()
)
_FORWARDED = frozenset((b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto"))

# What Go leaves as it is in a path, and what it takes for a path that is encoded already.
_PLAIN = "/$&+,:;=@"
_ENCODED = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]]|%[0-9A-Fa-f]{2})*", re.ASCII)
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")


@dataclass(frozen=True, kw_only=True)
class Forwarding:
    """Where a call goes, and what the orchestrator adds to it."""

    url: str
    """The URL at the worker, as `worker_url` makes it."""

    headers: RawHeaders
    """The headers that tell the worker of its session."""

    unpaid: anyio.Event
    """Set when the call must break off because nobody pays for it."""

    ended: Callable[[], None]
    """Called when the worker has given its whole answer, before the caller has all of it."""

    @property
    def header_names(self) -> set[bytes]:
        """The names of the added headers, which a caller cannot send itself."""
        return _names(self.headers)


async def forward(
    client: httpx2.AsyncClient, forwarding: Forwarding, scope: Scope, receive: Receive, send: Send
) -> None:
    """Pass one HTTP call on; a caller that leaves ends it at the worker too.

    Raises:
        RefusedError: The worker cannot be reached, or broke off before its answer began.
    """
    exchange = _Exchange(client, forwarding, scope, send)
    await exchange.run(receive)
    if exchange.failure is None:
        return
    if not exchange.started:
        raise RefusedError(exchange.failure, 502)
    await drop_connection(scope, receive)


class _Exchange:
    """One HTTP call between its caller and the worker."""

    def __init__(self, client: httpx2.AsyncClient, forwarding: Forwarding, scope: Scope, send: Send) -> None:
        self._client = client
        self._forwarding = forwarding
        self._scope = scope
        self._send = send
        self._has_body = any(name in (b"content-length", b"transfer-encoding") for name, _ in scope["headers"])
        self._body_ended = anyio.Event()
        self.started = False
        self.failure: str | None = None

    async def run(self, receive: Receive) -> None:
        """Bring the call to the worker and its answer back; break off if the caller leaves or nobody pays."""
        async with anyio.create_task_group() as tasks:

            async def watch_caller() -> None:
                await self._body_ended.wait()
                await wait_for_disconnect(receive)
                tasks.cancel_scope.cancel()

            async def watch_payment() -> None:
                await self._forwarding.unpaid.wait()
                self.failure = "context canceled"
                tasks.cancel_scope.cancel()

            tasks.start_soon(watch_caller)
            tasks.start_soon(watch_payment)
            try:
                await self._call(self._body(receive, tasks.cancel_scope))
            except (httpx2.RequestError, httpx2.InvalidURL) as error:
                self.failure = str(error) or type(error).__name__
            tasks.cancel_scope.cancel()

    async def _body(self, receive: Receive, scope: anyio.CancelScope) -> AsyncGenerator[bytes]:
        try:
            async with aclosing(stream_body(receive)) as parts:
                async for part in parts:
                    yield part
        except ClientDisconnect:
            scope.cancel()
            await anyio.lowlevel.checkpoint()
        finally:
            self._body_ended.set()

    async def _call(self, body: AsyncGenerator[bytes]) -> None:
        headers = [
            (name, value) for name, value in request_headers(self._scope) if name not in self._forwarding.header_names
        ]
        # Go's client asks for gzip where the caller did not, and hides it again.
        unzips = self._scope["method"] != "HEAD" and not _names(headers) & {b"accept-encoding", b"range"}
        headers += self._forwarding.headers + ([(b"accept-encoding", b"gzip")] if unzips else [])
        content = body if self._has_body else None
        request = httpx2.Request(self._scope["method"], self._forwarding.url, headers=headers, content=content)
        if not self._has_body:
            self._body_ended.set()
        # A worker may answer, and hang up, before it has read the whole body.
        async with aclosing(body):
            response = await self._client.send(request, stream=True, follow_redirects=False)
        async with closing(response):
            await self._pass_back(response, unzips=unzips)

    async def _pass_back(self, response: httpx2.Response, *, unzips: bool) -> None:
        unzipped = unzips and response.headers.get("Content-Encoding", "").lower() == "gzip"
        dropped = {b"date", b"content-encoding", b"content-length"} if unzipped else {b"date"}
        headers = [(name, value) for name, value in end_to_end(response.headers.raw) if name not in dropped]
        is_sized = b"content-length" in _names(headers) or self._scope["method"] == "HEAD"
        is_sized |= response.status_code in (204, 304)
        # A caller that knows the length sees the end with the last part: the slot must be free by then.
        held: list[Message] = [{"type": "http.response.start", "status": response.status_code, "headers": headers}]
        async with aclosing(response.aiter_bytes() if unzipped else response.aiter_raw()) as parts:
            if not is_sized:
                await self._flush(held)
            async for part in parts:
                await self._flush(held)
                held.append({"type": "http.response.body", "body": part, "more_body": True})
                if not is_sized:
                    await self._flush(held)
        self._forwarding.ended()
        await self._flush(held)
        await self._send({"type": "http.response.body"})

    async def _flush(self, held: list[Message]) -> None:
        for message in held:
            self.started = True
            await self._send(message)
        held.clear()


def _names(headers: RawHeaders) -> set[bytes]:
    return {name for name, _ in headers}


def request_headers(scope: Scope) -> RawHeaders:
    """Return the headers of a call that its worker sees; the caller's own `Authorization` is among them."""
    headers = end_to_end(scope["headers"])
    if "trailers" in request_header(scope, "TE").lower():
        headers.append((b"te", b"trailers"))
    return [(name, value) for name, value in headers if name not in _FORWARDED and name != b"host"]


def end_to_end(headers: Iterable[tuple[bytes, bytes]]) -> RawHeaders:
    """Return the headers without those that are for one connection only, names in lower case."""
    lowered = [(name.lower(), value) for name, value in headers]
    named = b",".join(value for name, value in lowered if name == b"connection")
    dropped = _HOP_BY_HOP | {name.strip().lower() for name in named.split(b",")}
    return [(name, value) for name, value in lowered if name not in dropped]


def session_headers(*, route: str, session_id: str, token: str, control_url: str) -> RawHeaders:
    """Return what the orchestrator tells a worker about the session of a call."""
    fields = {
        "livepeer-runner-route": route,
        "livepeer-session-id": session_id,
        "livepeer-session-token": token,
        "livepeer-session-control": control_url,
    }
    return [(name.encode(), value.encode()) for name, value in fields.items()]


def clean_path(scope: Scope) -> str | None:
    """Return where Go's router sends a call whose path has `//`, `/./` or `/../` in it, None if it has not."""
    path: str = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
    cleaned = _joined(path)
    return None if cleaned == path else cleaned


def worker_url(endpoint: str, app_path: str, query: bytes) -> str:
    """Return the URL at which a worker gets a call.

    Args:
        endpoint: The worker's base URL.
        app_path: The path under it, decoded.
        query: The query string, as the caller wrote it.

    Raises:
        RefusedError: The path cannot be passed on.
    """
    parts = urlsplit(endpoint)
    return urlunsplit((parts.scheme, parts.netloc, _worker_path(parts.path, app_path), query.decode("latin-1"), ""))


def _worker_path(base: str, app_path: str) -> str:
    """Join two paths as go-livepeer does, which encodes the result twice: a space arrives as `%2520`."""
    joined = _joined(f"{base}/{app_path}" if app_path else base)
    if bad := _BAD_ESCAPE.search(joined):
        raise RefusedError(f'invalid URL escape "{bad[0]}"', 502)
    once = joined if _ENCODED.fullmatch(joined) else quote(unquote_to_bytes(joined), safe=_PLAIN)
    return quote(once, safe=_PLAIN)


def _joined(path: str) -> str:
    cleaned = posixpath.normpath(f"/{path.lstrip('/')}")
    return cleaned + "/" if path.endswith("/") and cleaned != "/" else cleaned
