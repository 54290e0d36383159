"""Opening connections to a server, and waiting for them: on a thread, or in an event loop."""

import errno
import math
import os
import select
import socket
import ssl
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Protocol

import anyio

from livepeer.trickle._errors import UnreachableError

from .sockets import Connection, SecureConnection
from .urls import ChannelUrl

_KEEPALIVE = {"TCP_KEEPIDLE": 15, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
"""A machine that has gone without a word is noticed after half a minute."""

_UNSENT = {"TCP_NOTSENT_LOWAT": 1024 * 1024}
"""What more a slow network does not take waits with us: the system would hold several megabytes, and not tell how they
fare."""

_UNDER_WAY = (errno.EINPROGRESS, errno.EWOULDBLOCK)

_Address = tuple[Any, ...]
_Opening = Generator[tuple[socket.socket, bool], None, Connection]


class Waitable(Protocol):
    """What the system can wait for."""

    def fileno(self) -> int:
        """Return the number by which the system knows it."""
        ...


def wait(connections: Iterable[tuple[Waitable, bool, bool]], seconds: float | None) -> bool:
    """Wait on this thread until one of the connections is ready.

    Args:
        connections: Each with whether to wait until something can be read, and until something can be written.
        seconds: How long at most; None for ever.

    Returns:
        Whether one is.
    """
    poll = select.poll()
    for connection, reading, writing in connections:
        poll.register(connection, select.POLLIN * reading | select.POLLOUT * writing)
    if seconds is None or seconds == math.inf:
        return bool(poll.poll())
    return bool(poll.poll(math.ceil(max(seconds, 0) * 1000)))


async def wait_readable(connection: Waitable) -> None:
    """Wait in the running event loop until something can be read."""
    await anyio.wait_readable(connection.fileno())


async def wait_writable(connection: Waitable) -> None:
    """Wait in the running event loop until something can be written."""
    await anyio.wait_writable(connection.fileno())


class Transport:
    """Opens connections to the server of a channel.

    Args:
        url: Of the channel.
        verify: Whether the server's certificate is checked.
        ssl_context: What checks it, instead of the system's authorities.
        connect_seconds: How long an opening may take, all addresses and the handshake included.
    """

    def __init__(
        self,
        url: ChannelUrl,
        *,
        verify: bool = True,
        ssl_context: ssl.SSLContext | None = None,
        connect_seconds: float = 5.0,
    ) -> None:
        self._url = url
        self._seconds = connect_seconds
        self._context = (ssl_context or tls_context(verify=verify)) if url.secure else None

    def connect(self) -> Connection:
        """Open a connection, waiting on this thread; the system's search for the host's name takes what it takes.

        Raises:
            UnreachableError: None could be opened in time.
        """
        try:
            addresses = socket.getaddrinfo(self._url.host, self._url.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise self._unreachable(error) from error
        deadline = time.monotonic() + self._seconds
        failure: OSError = TimeoutError("it has no address")
        for address, left in _countdown(addresses):
            now = time.monotonic()
            try:
                return _run(self._open(address), now + (deadline - now) / left)
            except OSError as error:
                failure = error
        raise self._unreachable(failure) from failure

    async def connect_async(self) -> Connection:
        """Open a connection, waiting in the running event loop.

        Raises:
            UnreachableError: None could be opened in time.
        """
        failure: OSError = TimeoutError("no answer in time")
        with anyio.move_on_after(self._seconds) as all_of_it:
            try:
                addresses = await anyio.getaddrinfo(self._url.host, self._url.port, type=socket.SOCK_STREAM)
            except OSError as error:
                raise self._unreachable(error) from error
            for address, left in _countdown(addresses):
                try:
                    with anyio.move_on_after((all_of_it.deadline - anyio.current_time()) / left):
                        return await _run_async(self._open(address))
                except OSError as error:
                    failure = error
        raise self._unreachable(failure) from failure

    def _open(self, address: _Address) -> _Opening:
        """Open a connection; yields a socket and whether it must be writable before this can go on, or readable."""
        family, kind, protocol, _, where = address
        sock = socket.socket(family, kind, protocol)
        try:
            _prepare(sock)
            status = sock.connect_ex(where)
            if status in _UNDER_WAY:
                yield sock, True
                status = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if status:
                raise OSError(status, os.strerror(status))
            if self._context is None:
                return Connection(sock)
            sock = self._context.wrap_socket(sock, server_hostname=self._url.host, do_handshake_on_connect=False)
            yield from _shake_hands(sock)
            return SecureConnection(sock)
        except BaseException:
            sock.close()
            raise

    def _unreachable(self, error: OSError) -> UnreachableError:
        where = f"{self._url.host}:{self._url.port}"
        if isinstance(error, ssl.SSLCertVerificationError):
            advice = "give an ssl_context that trusts it, or verify=False to trust anybody"
            return UnreachableError(f"the certificate of {where} is not trusted ({error.verify_message}): {advice}")
        return UnreachableError(f"{where} cannot be reached: {error}")


def tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return the TLS settings with which a server is spoken to.

    Args:
        verify: Whether its certificate is checked.
    """
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _prepare(sock: socket.socket) -> None:
    sock.setblocking(False)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (_KEEPALIVE | _UNSENT).items():
        if hasattr(socket, name):  # Not every system has them all.
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _countdown(addresses: Sequence[_Address]) -> Iterator[tuple[_Address, int]]:
    """Give each address, and how many share what is left of the time: one that is silent leaves some to the others."""
    return zip(addresses, range(len(addresses), 0, -1), strict=True)


def _shake_hands(sock: ssl.SSLSocket) -> Generator[tuple[socket.socket, bool], None, None]:
    while True:
        try:
            sock.do_handshake()
        except ssl.SSLWantReadError:
            yield sock, False
        except ssl.SSLWantWriteError:
            yield sock, True
        else:
            return


def _run(opening: _Opening, deadline: float) -> Connection:
    with closing(opening):
        while True:
            try:
                sock, writing = next(opening)
            except StopIteration as done:
                return done.value
            if not wait([(sock, not writing, writing)], deadline - time.monotonic()):
                raise TimeoutError("no answer in time")


async def _run_async(opening: _Opening) -> Connection:
    with closing(opening):
        while True:
            try:
                sock, writing = next(opening)
            except StopIteration as done:
                return done.value
            await (wait_writable(sock) if writing else wait_readable(sock))
