"""A server that answers each GET as a script says, for what a real one does rarely or never."""

import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import Enum, auto

LIMIT_SECONDS = 10.0


class Do(Enum):
    """What a script can do apart from sending."""

    SILENT = auto()
    """Say nothing until the client goes."""

    DROP = auto()
    """Close the connection."""


Step = bytes | Do | threading.Event | str | Callable[[], object]
"""Bytes are sent; an event is waited for, and so is that something was asked for; anything else is called."""

Reply = Step | tuple[Step, ...]

Script = Mapping[str, Sequence[Reply]]
"""For the last part of each path what is answered the first time, the second time, and so on; the last stays."""


def segment(seq: int, *chunks: bytes, latest: int | None = None, content_type: str = "a/b") -> bytes:
    """Return a whole segment in chunks."""
    return begun(seq, *chunks, latest=latest, content_type=content_type) + b"0\r\n\r\n"


def begun(seq: int, *chunks: bytes, latest: int | None = None, content_type: str = "a/b") -> bytes:
    """Return the head of a segment and some chunks, without its end."""
    newest = f"Lp-Trickle-Latest: {latest}\r\n" if latest is not None else ""
    head = (
        f"HTTP/1.1 200 OK\r\nLp-Trickle-Seq: {seq}\r\n{newest}"
        f"Content-Type: {content_type}\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return head.encode() + b"".join(map(chunk, chunks))


def chunk(data: bytes) -> bytes:
    """Return one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def empty(seq: int, latest: int) -> bytes:
    """Return a segment without bytes."""
    return answer(200, "", seq=seq, latest=latest)


def ended(seq: int) -> bytes:
    """Return what a GET that waits gets when the channel is deleted."""
    return answer(200, "", seq=seq).replace(b"\r\n", b"\r\nLp-Trickle-Closed: terminated\r\n", 1)


def missing(seq: int, latest: int) -> bytes:
    """Return the answer for a segment that the server does not have."""
    return answer(470, "Entry not found", seq=seq, latest=latest)


def next_is(latest: int) -> bytes:
    """Return the answer to a GET of `next`."""
    return answer(200, str(latest), latest=latest)


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 17\r\n\r\nStream not found\n"


def answer(status: int, body: str, *, seq: int | None = None, latest: int | None = None) -> bytes:
    """Return any answer."""
    head = f"HTTP/1.1 {status} status\r\nContent-Length: {len(body)}\r\n"
    if seq is not None:
        head += f"Lp-Trickle-Seq: {seq}\r\n"
    if latest is not None:
        head += f"Lp-Trickle-Latest: {latest}\r\n"
    return (head + "\r\n" + body).encode()


class ScriptedServer:
    """Serves a script until it is stopped."""

    def __init__(self, script: Script) -> None:
        self.asked: list[str] = []
        """The last part of each path, in the order of the requests."""

        self.heads: list[bytes] = []
        """The request heads."""

        self.most_connections = 0
        """How many connections were open at a time."""

        self._script = script
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}/trickle/c"
        self._start(self._accept)

    def wait_until_asked(self, name: str, times: int = 1) -> None:
        """Wait until something was asked for that often."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.asked.count(name) >= times, LIMIT_SECONDS), self.asked

    def wait_until_left(self) -> None:
        """Wait until no client is connected."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, LIMIT_SECONDS)

    def stop(self) -> None:
        """Close the port and all connections."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(LIMIT_SECONDS)
            assert not thread.is_alive()

    def _start(self, target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.add(connection)
                self.most_connections = max(self.most_connections, len(self._open))
                self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while head := _receive_head(connection):
                if not self._reply(connection, head):
                    break
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def _reply(self, connection: socket.socket, head: bytes) -> bool:
        name = head.split()[1].decode().partition("?")[0].rsplit("/", 1)[-1]
        with self._changed:
            self.asked.append(name)
            self.heads.append(head)
            self._changed.notify_all()
            replies = self._script.get(name, [Do.SILENT])
            reply = replies[min(self._counts[name], len(replies) - 1)]
            self._counts[name] += 1
        for step in reply if isinstance(reply, tuple) else (reply,):
            if isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, threading.Event):
                assert step.wait(LIMIT_SECONDS)
            elif isinstance(step, str):
                self.wait_until_asked(step)
            elif isinstance(step, Do):
                if step is Do.SILENT:
                    connection.recv(1)
                return False
            else:
                step()
        return True


def _receive_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        data = connection.recv(4096)
        if not data:
            return b""
        head += data
    return head


@contextmanager
def scripted(script: Script) -> Generator[ScriptedServer]:
    """Serve a script."""
    server = ScriptedServer(script)
    try:
        yield server
    finally:
        server.stop()
