"""HTTP/1.1 on a bare socket, which hides nothing: 1xx, chunk boundaries, an answer broken off, the connection's end."""

import select
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

LIMIT_SECONDS = 10.0
"""How long anything that must come may take."""

QUIET_SECONDS = 0.15
"""How long a socket is watched where nothing must come."""

UNSAID = frozenset({"date", "server"})
"""Headers that the table says nothing about."""


class BrokenOffError(Exception):
    """Raised when the connection ends before the answer does."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """The head of an answer."""

    status_line: str
    """Such as `HTTP/1.1 200 OK`."""
    headers: Mapping[str, str]
    """Every header but `Date` and `Server`, by lower-case name."""
    provisional: tuple[str, ...] = ()
    """The status lines of the 1xx that came before."""

    @property
    def status(self) -> int:
        """The status code."""
        return int(self.status_line.split(" ", 2)[1])


@dataclass(frozen=True, kw_only=True)
class Answer(Head):
    """A whole answer."""

    body: bytes
    """The exact body."""
    chunks: tuple[bytes, ...] | None = None
    """The body's chunks, None for one that was not chunked."""


@dataclass(kw_only=True)
class Wire:
    """One connection to a server: requests go out in pieces, answers come back as they were sent."""

    base: str
    limit_seconds: float = LIMIT_SECONDS
    """How long to wait for anything that must come."""
    _socket: socket.socket = field(init=False)
    _received: bytearray = field(init=False, default_factory=bytearray)
    _method: str = field(init=False, default="")

    def __post_init__(self) -> None:
        address = urlsplit(self.base)
        self._socket = socket.create_connection((address.hostname, address.port or 80), self.limit_seconds)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Leave, with whatever is unfinished; a thread that reads is woken."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    # What goes out.

    def send_head(self, method: str, path: str, headers: Iterable[str] = ()) -> None:
        """Send a request's head; `path` is relative to the base, and goes out as it is written."""
        address = urlsplit(self.base)
        self._method = method
        lines = [f"{method} {address.path}{path} HTTP/1.1", f"Host: {address.netloc}", *headers]
        self.send_bytes("".join(f"{line}\r\n" for line in (*lines, "")).encode())

    def send(self, method: str, path: str, body: bytes = b"", headers: Iterable[str] = ()) -> None:
        """Send a whole request; POSTs carry a length, also for an empty body."""
        length = [f"Content-Length: {len(body)}"] if method == "POST" else []
        self.send_head(method, path, (*headers, *length))
        self.send_bytes(body)

    def preconnect(self, path: str, headers: Iterable[str] = ()) -> None:
        """Send the head of a chunked POST, and none of its body."""
        self.send_head("POST", path, ("Transfer-Encoding: chunked", *headers))

    def send_chunk(self, data: bytes) -> None:
        """Send a chunk of a preconnected POST's body; an empty one ends it."""
        self.send_bytes(b"%x\r\n%b\r\n" % (len(data), data))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    # What comes back.

    def read_head(self) -> Head:
        """Read the next answer's head, with the 1xx before it."""
        provisional: list[str] = []
        while (status_line := self._read_line()).split(" ", 2)[1].startswith("1"):
            assert self._read_line() == ""
            provisional.append(status_line)
        headers: dict[str, str] = {}
        while line := self._read_line():
            name, _, value = line.partition(":")
            assert name.lower() not in headers, f"{name} came twice"
            headers[name.lower()] = value.strip()
        said = {name: value for name, value in headers.items() if name not in UNSAID}
        return Head(status_line=status_line, headers=said, provisional=tuple(provisional))

    def read_provisional(self) -> str:
        """Read the status line of the next 1xx."""
        status_line = self._read_line()
        assert self._read_line() == ""
        return status_line

    def read_chunk(self) -> bytes:
        """Read the next chunk of a chunked body; the last one is empty."""
        size = int(self._read_line(), 16)
        data = self._read_exactly(size)
        assert self._read_line() == ""
        return data

    def read_end(self) -> None:
        """Read the last chunk of a chunked body."""
        chunk = self.read_chunk()
        assert chunk == b"", f"{chunk!r} came where the body had to end"

    def read(self) -> Answer:
        """Read the next answer whole."""
        head = self.read_head()
        chunks = None
        if self._method == "HEAD":
            body = b""
        elif head.headers.get("transfer-encoding") == "chunked":
            chunks = tuple(iter(self.read_chunk, b""))
            body = b"".join(chunks)
        else:
            body = self._read_exactly(int(head.headers["content-length"]))
        return Answer(
            status_line=head.status_line, headers=head.headers, provisional=head.provisional, body=body, chunks=chunks
        )

    def stays_silent(self, seconds: float = QUIET_SECONDS) -> bool:
        """Watch for a moment: whether nothing comes, and the connection stays."""
        ready, _, _ = select.select([self._socket], [], [], seconds)
        return not ready and not self._received

    def is_closed(self) -> bool:
        """Wait until something comes: whether it is the connection's end and nothing else."""
        try:
            return not self._received and self._receive() == b""
        except ConnectionResetError:
            return True

    def _read_line(self) -> str:
        while b"\r\n" not in self._received:
            self._receive_more()
        line, _, rest = bytes(self._received).partition(b"\r\n")
        self._received[:] = rest
        return line.decode("latin-1")

    def _read_exactly(self, size: int) -> bytes:
        while len(self._received) < size:
            self._receive_more()
        data = bytes(self._received[:size])
        del self._received[:size]
        return data

    def _receive_more(self) -> None:
        try:
            ended = self._receive() == b""
        except ConnectionResetError:
            ended = True
        if ended:
            raise BrokenOffError(bytes(self._received))

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        self._received += data
        return data
