"""Sending bytes as they are, and reading answers as strictly as HTTP/1.1 is written."""

import re
import socket
import struct
import time
from contextlib import suppress
from dataclasses import dataclass, field

from .case import Case

LIMIT_SECONDS = 5.0
"""How long an answer, or the end of a connection, may take."""

_QUIET_SECONDS = 0.02
"""How long to listen for an answer to what may not be a whole request."""

_STATUS_LINE = re.compile(rb"HTTP/1\.1 ([1-5][0-9][0-9]) [ -~]*")
_FIELD_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_RESET = struct.pack("ii", 1, 0)


class MalformedAnswerError(Exception):
    """Raised when what came back is no HTTP/1.1."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One HTTP response."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(kw_only=True)
class Heard:
    """What came back on one connection."""

    answers: list[Answer] = field(default_factory=list[Answer])
    rest: bytes = b""
    """Bytes of an answer that is not whole."""

    closed: bool = False
    reset: bool = False
    """Whether the end came as a reset, which throws away what was still on its way."""

    seconds: float = 0.0

    def take(self, data: bytes, *, head_only: bool) -> None:
        """Take what arrived; nothing means the end.

        Raises:
            MalformedAnswerError: If it is no HTTP/1.1.
        """
        self.closed = self.closed or not data
        self.rest += data
        while self.rest and (found := _cut(self.rest, head_only=head_only)) is not None:
            answer, self.rest = found
            if answer.status >= 200:
                self.answers.append(answer)


def play(port: int, case: Case) -> Heard:
    """Send a case on a connection of its own, and hear what comes of it.

    Raises:
        MalformedAnswerError: If the answer is no HTTP/1.1.
        TimeoutError: If there is neither an answer nor an end in time.
    """
    heard, begun = Heard(), time.monotonic()
    with socket.create_connection(("127.0.0.1", port), LIMIT_SECONDS) as sock:
        _send(sock, case)
        match case.ending:
            case "read":
                _listen(sock, case, heard)
            case "leave":
                pass
            case "reset":
                reset(sock)
    heard.seconds = time.monotonic() - begun
    return heard


def reset(sock: socket.socket) -> None:
    """End a connection without a word."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    sock.close()


def _send(sock: socket.socket, case: Case) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with suppress(ConnectionResetError, BrokenPipeError):  # refused before it was whole; the answer may be there
        for piece in case.pieces:
            sock.sendall(piece)


def _listen(sock: socket.socket, case: Case, heard: Heard) -> None:
    head_only = case.content.startswith(b"HEAD ")
    end = time.monotonic() + 2 * LIMIT_SECONDS
    patient = case.whole
    while not heard.closed and (heard.rest or len(heard.answers) < case.answers):
        sock.settimeout(LIMIT_SECONDS if patient else _QUIET_SECONDS)
        try:
            heard.take(_receive(sock, heard), head_only=head_only)
        except TimeoutError:
            if patient:
                raise
            # What may lack something gets its end instead: the server has no reason to wait then.
            patient = True
            with suppress(OSError):
                sock.shutdown(socket.SHUT_WR)
        if time.monotonic() > end:
            raise TimeoutError("the answer has no end")


def _receive(sock: socket.socket, heard: Heard) -> bytes:
    try:
        return sock.recv(1024 * 1024)
    except ConnectionResetError:
        heard.reset = True
        return b""


def _cut(data: bytes, *, head_only: bool) -> tuple[Answer, bytes] | None:
    """The first answer and what follows it; None if it is not whole yet."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    first, *lines = head.split(b"\r\n")
    found = _STATUS_LINE.fullmatch(first)
    if found is None:
        raise MalformedAnswerError(f"no status line: {first[:200]!r}")
    status, headers = int(found[1]), _fields(lines)
    if status < 200 or status in (204, 304):
        return Answer(status=status, headers=headers, body=b""), rest
    if ("content-length" in headers) == ("transfer-encoding" in headers):
        raise MalformedAnswerError(f"nothing says how long the body is: {headers}")
    if head_only:
        return Answer(status=status, headers=headers, body=b""), rest
    body = _chunked(rest) if headers.get("transfer-encoding") == "chunked" else _sized(rest, headers)
    return None if body is None else (Answer(status=status, headers=headers, body=body[0]), body[1])


def _fields(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        found = _FIELD_LINE.fullmatch(line)
        if found is None:
            raise MalformedAnswerError(f"no header: {line[:200]!r}")
        name = found[1].decode().lower()
        if name in headers:
            raise MalformedAnswerError(f"{name} comes twice")
        headers[name] = found[2].decode("latin-1")
    return headers


def _sized(rest: bytes, headers: dict[str, str]) -> tuple[bytes, bytes] | None:
    length = headers.get("content-length", "")
    if not (length.isascii() and length.isdigit()):
        raise MalformedAnswerError(f"a length of {length!r}")
    size = int(length)
    return None if len(rest) < size else (rest[:size], rest[size:])


def _chunked(rest: bytes) -> tuple[bytes, bytes] | None:
    body = b""
    while True:
        line, separator, rest = rest.partition(b"\r\n")
        if not separator:
            return None
        size = int(line, 16)
        if len(rest) < size + 2:
            return None
        if rest[size : size + 2] != b"\r\n":
            raise MalformedAnswerError(f"a chunk of {size} bytes that does not end there")
        body, rest = body + rest[:size], rest[size + 2 :]
        if not size:
            return body, rest
