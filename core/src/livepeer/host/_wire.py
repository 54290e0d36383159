"""Frames between an edge and a host, over connected Unix sockets.

A frame is a header, length first, and a payload; frames of many calls interleave. Calls and answers
travel on the *data* socket; what must get through while the model runs (cancel, credit) travels on
the *control* socket, which a thread of the host always reads; what belongs to mounts travels on the
*mount* socket (`_mount_wire`). A call's large body does not travel: its frame carries the descriptor
of a shared file that holds it, so it never holds up a small call.
"""

import array
import os
import re
import socket
import struct
import sys
from collections import deque
from collections.abc import Sequence
from typing import Final, NamedTuple

PROTOCOL_VERSION: Final = 4
"""Both sides must speak the same one."""

SHARED_BODY_BYTES: Final = 64 * 1024
"""A body from this size on travels as a shared file."""

STREAM_WINDOW_BYTES: Final = 256 * 1024
"""How much of a stream may be on its way before its reader has taken any of it."""

NO_MEDIA_TYPE: Final = b"none"
"""What an answer that has no media type says in its place."""

WITHOUT_BODY: Final = (204, 304)
"""An answer of such a status has no body."""

LINE_MARKS: Final = ("\x1e", "\x1f")
"""A line of output that a call wrote begins with the first, the request's id and the second."""

STREAM_ID_HEADER: Final = "x-stream-id"
"""Names the session in calls that change or end one."""

# What calls of sessions name, counted from the end of a description's operations.
LIVE_START: Final = 0
LIVE_UPDATE: Final = 1
LIVE_STOP: Final = 2

# On the data socket, edge to host.
LOAD: Final = 1
CALL: Final = 2
# On the data socket, host to edge.
HELLO: Final = 16
READY: Final = 17
BROKEN: Final = 18
ANSWER: Final = 19
EVENTS: Final = 20
END: Final = 21
FAIL: Final = 22
PROGRESS: Final = 23
UNWELL: Final = 24
NOT_READY: Final = 25
HEAD: Final = 26
# On the control socket, edge to host.
CANCEL: Final = 32
CREDIT: Final = 33

_SHARED: Final = 1
_IN_PLACE: Final = 2
_HEADER = struct.Struct("<IQBB")
_CALL_HEAD = struct.Struct("<HIHHIQ")
_ANSWER_HEAD = struct.Struct("<HHIIQ")
_STREAM_HEAD = struct.Struct("<H")
_SIZE = struct.Struct("<Q")
FRAME_HEAD_BYTES: Final = _HEADER.size
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_BREAK = re.compile(rb"[\r\n\0]")
_RECEIVE_BYTES = 64 * 1024
_ANCILLARY_BYTES = socket.CMSG_SPACE(16 * array.array("i").itemsize)


Headers = Sequence[tuple[bytes, bytes]]


class Frame(NamedTuple):
    """One frame."""

    kind: int
    call: int
    payload: bytes
    shared: int | None
    """Descriptor of the body's file if it travels so; the receiver closes it."""

    in_place: bool = False
    """Whether the body is in the file that the call brought."""


class CallFrame(NamedTuple):
    """What a CALL says."""

    operation: int
    """Index into the description's operations."""

    timeout_seconds: float | None
    media_type: str
    request_id: str
    headers: bytes
    """Lines of ``name:value``."""

    body: bytes


class AnswerFrame(NamedTuple):
    """What an ANSWER says, but for a body in a shared file."""

    media_type: bytes
    """Empty for JSON, `NO_MEDIA_TYPE` for none."""

    metrics: bytes
    """A JSON object, or empty."""

    body: bytes
    size: int
    """Length of a body that is in a file, in bytes."""

    status: int = 200
    headers: Headers = ()


def pack(kind: int, call: int, payload: bytes, *, flags: int = 0) -> bytes:
    """Write one frame."""
    return _HEADER.pack(len(payload), call, kind, flags) + payload


def pack_shared(kind: int, call: int) -> bytes:
    """Write a frame whose body is in a shared file, all of it."""
    return pack(kind, call, b"", flags=_SHARED)


def pack_call(
    call: int,
    operation: int,
    *,
    timeout_seconds: float | None,
    media_type: bytes,
    request_id: bytes,
    headers: bytes,
    body: bytes,
    size: int | None = None,
) -> bytes:
    """Write a CALL; with a `size`, that many bytes are in a shared file instead of in `body`."""
    timeout = 0 if timeout_seconds is None else max(1, min(int(timeout_seconds * 1000), 0xFFFFFFFF))
    head = _CALL_HEAD.pack(operation, timeout, len(media_type), len(request_id), len(headers), size or 0)
    return pack(
        CALL, call, b"".join((head, media_type, request_id, headers, body)), flags=0 if size is None else _SHARED
    )


def unpack_call(frame: Frame) -> CallFrame:
    """Read a CALL, and what its shared file holds, which stays open."""
    payload = frame.payload
    operation, timeout, media_size, id_size, headers_size, size = _CALL_HEAD.unpack_from(payload)
    ids = _CALL_HEAD.size + media_size
    headers = ids + id_size
    body = headers + headers_size
    return CallFrame(
        operation,
        timeout / 1000 if timeout else None,
        payload[_CALL_HEAD.size : ids].decode("latin-1"),
        payload[ids:headers].decode("latin-1"),
        payload[headers:body],
        payload[body:] if frame.shared is None else read_shared(frame.shared, size),
    )


def pack_answer(
    call: int,
    *,
    media_type: bytes,
    metrics: bytes,
    body: bytes = b"",
    size: int | None = None,
    shared: bool = False,
    status: int = 200,
    headers: Headers = (),
) -> bytes:
    """Write an ANSWER; with a `size`, that many bytes are in a file: a shared one, or the call's own."""
    lines = _header_lines(headers) if headers else b""
    head = _ANSWER_HEAD.pack(status, len(media_type), len(metrics), len(lines), size or 0)
    payload = b"".join((head, media_type, metrics, lines, body))
    return pack(ANSWER, call, payload, flags=0 if size is None else _SHARED if shared else _IN_PLACE)


def unpack_answer(frame: Frame) -> AnswerFrame:
    """Read an ANSWER, without touching any file."""
    payload = frame.payload
    status, media_size, metrics_size, headers_size, size = _ANSWER_HEAD.unpack_from(payload)
    start = _ANSWER_HEAD.size
    if not (media_size or metrics_size or headers_size):
        return AnswerFrame(b"", b"", payload[start:], size, status)
    metrics = start + media_size
    headers = metrics + metrics_size
    body = headers + headers_size
    return AnswerFrame(
        payload[start:metrics],
        payload[metrics:headers],
        payload[body:],
        size,
        status,
        _read_header_lines(payload[headers:body]),
    )


def pack_head(call: int, *, status: int, headers: Headers) -> bytes:
    """Write a HEAD: what a stream's answer begins with."""
    return pack(HEAD, call, _STREAM_HEAD.pack(status) + _header_lines(headers))


def unpack_head(frame: Frame) -> tuple[int, Headers]:
    """Read a HEAD: the status, and further headers."""
    (status,) = _STREAM_HEAD.unpack_from(frame.payload)
    return status, _read_header_lines(frame.payload[_STREAM_HEAD.size :])


def _header_lines(headers: Headers) -> bytes:
    for name, value in headers:
        if not _NAME.fullmatch(name) or _BREAK.search(value):
            raise ValueError(f"the header {name[:40]!r} is none: a name is a token, and a value one line")
    return b"\n".join([b"%b:%b" % header for header in headers])


def _read_header_lines(lines: bytes) -> Headers:
    return [(name, value) for name, _, value in (line.partition(b":") for line in lines.split(b"\n")) if name]


def pack_credit(call: int, size: int) -> bytes:
    """Tell a stream that its reader took `size` bytes."""
    return pack_size(CREDIT, call, size)


def pack_size(kind: int, call: int, size: int) -> bytes:
    """Write a frame that says a number of bytes."""
    return pack(kind, call, _SIZE.pack(size))


def unpack_credit(frame: Frame) -> int:
    """Read a frame that says a number of bytes."""
    (size,) = _SIZE.unpack(frame.payload)
    return size


def new_shared() -> int:
    """Open an empty file that has no name and lives in memory where the system allows it."""
    if sys.platform == "linux":
        return os.memfd_create("livepeer-body", os.MFD_CLOEXEC)
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def share(body: bytes) -> int:
    """Put a body into a shared file of its own."""
    shared = new_shared()
    try:
        write_shared(shared, body)
    except BaseException:
        os.close(shared)
        raise
    return shared


def write_shared(shared: int, chunk: bytes, offset: int = 0) -> None:
    """Write all of `chunk`."""
    rest = memoryview(chunk)
    while rest:
        written = os.pwrite(shared, rest, offset)
        rest, offset = rest[written:], offset + written


def read_shared(shared: int, size: int) -> bytes:
    """The first `size` bytes."""
    content = os.pread(shared, size, 0)
    while len(content) < size:
        more = os.pread(shared, size - len(content), len(content))
        if not more:
            raise EOFError(f"a shared file ended after {len(content)} of {size} bytes")
        content += more
    return content


class FrameReader:
    """Cuts what a socket delivers into frames."""

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self._rest = b""
        self._descriptors: deque[int] = deque()

    def receive(self, *, wait: bool = True) -> list[Frame] | None:
        """Take what has arrived: frames, none yet, or None at the end of the stream.

        Args:
            wait: Whether to block until something is there.
        """
        flags = socket.MSG_CMSG_CLOEXEC if sys.platform == "linux" else 0
        if not wait:
            flags |= socket.MSG_DONTWAIT
        try:
            data, ancillary, _, _ = self._socket.recvmsg(_RECEIVE_BYTES, _ANCILLARY_BYTES, flags)
        except BlockingIOError:
            return []
        except OSError:
            return None
        if not data:
            return None
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                received = array.array("i")
                received.frombytes(content[: len(content) - len(content) % received.itemsize])
                self._descriptors.extend(received)
        return self._cut(self._rest + data if self._rest else data)

    def _cut(self, data: bytes) -> list[Frame]:
        frames: list[Frame] = []
        start, end, header = 0, len(data), _HEADER.size
        while end - start >= header:
            size, call, kind, flags = _HEADER.unpack_from(data, start)
            stop = start + header + size
            if stop > end:
                break
            shared = self._descriptors.popleft() if flags & _SHARED else None
            frames.append(Frame(kind, call, data[start + header : stop], shared, bool(flags & _IN_PLACE)))
            start = stop
        self._rest = data[start:]
        return frames

    def close(self) -> None:
        """Close the descriptors of frames that were never cut."""
        while self._descriptors:
            os.close(self._descriptors.popleft())
