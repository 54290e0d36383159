"""Connections to hosts that a stranger chose: looked up, checked, and dialled by the address that was checked."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

import anyio
import httpcore2
import httpx2

from livepeer.core import CallCancelledError

from ._addresses import is_public
from ._terms import FetchError, FetchLimits, FetchRefusedError

NETWORK_ERRORS = (
    httpcore2.NetworkError,
    httpcore2.ProtocolError,
    httpcore2.TimeoutException,
    httpcore2.UnsupportedProtocol,
)
"""What may go wrong between two hosts."""

_GLANCE_SECONDS = 0.25
_CONNECT_SECONDS = 10.0


class Clock:
    """How long something may still go on.

    Args:
        seconds: From now on.
        cancelled: Whether nobody wants it any more.
    """

    def __init__(self, seconds: float, cancelled: Callable[[], bool]) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds
        self._cancelled = cancelled

    def left(self, most: float = _GLANCE_SECONDS) -> float:
        """Seconds to wait before the next look at the clock.

        Raises:
            FetchError: If there is no time left.
            CallCancelledError: If it was cancelled.
        """
        if self._cancelled():
            raise CallCancelledError("nobody waits for this download any more")
        left = self._end - time.monotonic()
        if left <= 0:
            raise FetchError(f"the download took longer than {self._seconds:g} s")
        return min(left, most)


class GuardedBackend(httpcore2.NetworkBackend):
    """The blocking side, for downloads."""

    def __init__(self, clock: Clock, *, allow_private: bool) -> None:
        self._clock = clock
        self._allow_private = allow_private
        self._backend = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of `host` that answers, if all of them are allowed."""
        failure: Exception | None = None
        for address in checked(host, self._look_up(host, port), allow_private=self._allow_private):
            try:
                stream = self._backend.connect_tcp(
                    address, port, self._clock.left(_CONNECT_SECONDS), local_address, socket_options or ()
                )
                return _GuardedStream(stream, self._clock)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore2.ConnectError("it has no address")

    def _look_up(self, host: str, port: int) -> "list[Any]":
        # In a thread that may be left behind: the system's resolver knows no deadline and no cancellation.
        found: Future[list[Any]] = Future()
        threading.Thread(target=_look_up_into, args=(found, host, port), name="livepeer-lookup", daemon=True).start()
        while not found.done():
            try:
                found.exception(self._clock.left())
            except TimeoutError:
                continue
        try:
            return found.result()
        except (OSError, UnicodeError):
            raise _unknown(host) from None


class _GuardedStream(httpcore2.NetworkStream):
    """A connection whose every wait ends with the clock."""

    def __init__(self, stream: httpcore2.NetworkStream, clock: Clock) -> None:
        self._stream = stream
        self._clock = clock

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        while True:
            try:
                return self._stream.read(max_bytes, self._clock.left())
            except httpcore2.ReadTimeout:
                continue

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._clock.left(_CONNECT_SECONDS))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._clock.left(_CONNECT_SECONDS))
        return _GuardedStream(stream, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class GuardedPoster:
    """Posts documents to URLs that a caller chose; made by `guarded_poster`."""

    def __init__(self, *, limits: FetchLimits, headers: Mapping[str, str]) -> None:
        self._limits = limits
        self._headers = _lines(headers)
        # A host that hangs must not keep the others waiting for a free connection.
        self._pool = httpcore2.AsyncConnectionPool(max_connections=None, max_keepalive_connections=10)

    async def post(self, url: str, document: bytes, *, headers: Mapping[str, str] | None = None) -> int:
        """Do what `Poster` promises."""
        place = parse(url)
        lines = [*head(place), (b"Content-Type", b"application/json"), *self._headers, *_lines(headers or {})]
        with anyio.move_on_after(self._limits.seconds):
            try:
                return await self._post(place, document, lines)
            except NETWORK_ERRORS as error:
                raise FetchError(f"{place.host}: {error or type(error).__name__}") from None
        raise FetchError(f"{place.host}: no answer within {self._limits.seconds:g} s")

    async def _post(self, place: httpx2.URL, document: bytes, lines: list[tuple[bytes, bytes]]) -> int:
        host = place.raw_host.decode("ascii")
        try:
            found = await anyio.getaddrinfo(host, place.port or place.scheme, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise _unknown(place.host) from None
        address = checked(place.host, found, allow_private=self._limits.allow_private)[0]
        # The address goes into the URL, the name into the Host header and the certificate's check.
        async with self._pool.stream(
            "POST", target(place, address), headers=lines, content=document, extensions={"sni_hostname": host}
        ) as response:
            return response.status

    async def aclose(self) -> None:
        """Close the connections."""
        await self._pool.aclose()


def checked(host: str, found: Iterable[Any], *, allow_private: bool) -> list[str]:
    """The addresses of a look-up, in its order.

    Raises:
        FetchRefusedError: If one of them is not allowed: a name that points to both worlds is a trap.
    """
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if not allow_private and not all(map(is_public, addresses)):
        raise FetchRefusedError(f"{host} is not on the public network")
    return addresses


def parse(url: str) -> httpx2.URL:
    """Take a URL apart.

    Raises:
        FetchRefusedError: If it is no http or https URL.
    """
    try:
        place = httpx2.URL(url)
    except httpx2.InvalidURL:
        raise FetchRefusedError("this is no URL") from None
    if place.scheme not in ("http", "https") or not place.host:
        raise FetchRefusedError(f"{place.scheme or 'nothing'}: only http and https URLs are fetched")
    return place


def target(place: httpx2.URL, host: str | None = None) -> httpcore2.URL:
    """The same URL, as a connection takes it; `host` stands in for its own."""
    name = place.raw_host if host is None else host
    return httpcore2.URL(scheme=place.raw_scheme, host=name, port=place.port, target=place.raw_path)


def head(place: httpx2.URL) -> list[tuple[bytes, bytes]]:
    """The headers that a URL itself asks for."""
    lines = [(b"Host", place.netloc)]
    if place.username or place.password:
        request = next(httpx2.BasicAuth(place.username, place.password).auth_flow(httpx2.Request("GET", place)))
        lines.append((b"Authorization", request.headers["Authorization"].encode()))
    return lines


def _lines(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


def _look_up_into(found: "Future[list[Any]]", host: str, port: int) -> None:
    try:
        found.set_result(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
    except (OSError, UnicodeError) as error:
        found.set_exception(error)


def _unknown(host: str) -> FetchError:
    return FetchError(f"{host} has no address")
