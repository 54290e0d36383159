"""A server that takes segments, and misbehaves where a script says so."""

import socket
import struct
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress

from livepeer.trickle._wire.chunks import ChunkDecoder

LIMIT_SECONDS = 10.0


class Exchange:
    """One request, as a script sees it."""

    def __init__(self, server: "PostingServer", connection: socket.socket, head: bytes, rest: bytes) -> None:
        self.server = server
        method, target, _ = head.decode().split(" ", 2)
        last = target.rsplit("/", 1)[-1]
        self.name = method if last == "c" else f"{method} {last}"
        """As `POST` of the channel, `POST 3`, `GET next`, `DELETE 3`."""

        self.head = head
        self.keeps_alive = True
        self._connection = connection
        self._decoder = ChunkDecoder()
        self._body = b"".join(self._decoder.feed(rest))

    @property
    def unused(self) -> bytes:
        return self._decoder.unused

    def read_body(self, count: int | None = None) -> bytes:
        """Wait for so many bytes of the body, or for all of it."""
        while not self._decoder.done and (count is None or len(self._body) < count):
            data = self._connection.recv(65536)
            if not data:
                raise ConnectionError("the client has gone")
            self._body += b"".join(self._decoder.feed(data))
        return self._body

    def answer(self, status: int = 200, body: str = "", **headers: str) -> None:
        """Send an answer; `lp_trickle_seq="3"` is a header."""
        lines = [f"HTTP/1.1 {status} x", f"Content-Length: {len(body)}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        self.keeps_alive = headers.get("connection") != "close"
        self.send("\r\n".join([*lines, "", body]).encode())
        self.server.note_answer(self.name)

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def reset(self) -> None:
        """Break the connection."""
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.keeps_alive = False

    def hang(self) -> None:
        """Do nothing until the server stops."""
        self.server.stopping.wait(LIMIT_SECONDS)
        self.keeps_alive = False

    def wait_for_end(self) -> None:
        """Wait until the client closes the connection."""
        while self._connection.recv(65536):
            pass
        self.keeps_alive = False


Act = Callable[[Exchange], None]


class PostingServer:
    """Takes segments of one channel until it is stopped.

    Args:
        script: What is done with the first, second, ... request of a name; all others are answered well.
    """

    def __init__(self, script: Mapping[str, Sequence[Act]]) -> None:
        self.asked: list[str] = []
        self.answered: list[str] = []
        self.heads: dict[str, bytes] = {}
        self.bodies: dict[int, bytes] = {}
        self.next_seq = 0
        self.accepted = 0
        self.exists = True
        self._refuses = False
        self.stopping = threading.Event()
        self._script = script
        self._counts: defaultdict[str, int] = defaultdict(int)
        self._changed = threading.Condition()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/ai/trickle/c"
        self._start(self._accept)

    def wait_until(self, ready: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(ready, LIMIT_SECONDS), (self.asked, self.bodies)

    def wait_until_asked(self, name: str, times: int = 1) -> None:
        self.wait_until(lambda: self.asked.count(name) >= times)

    def wait_until_answered(self, name: str, times: int = 1) -> None:
        self.wait_until(lambda: self.answered.count(name) >= times)

    def wait_until_left(self, but: int = 0) -> None:
        """Wait until no client is connected, but for so many connections."""
        self.wait_until(lambda: len(self._open) <= but)

    def keep(self, seq: int, body: bytes) -> None:
        """Have a segment, or some of it."""
        with self._changed:
            self.bodies[seq] = body
            self.next_seq = max(self.next_seq, seq + 1)
            self._changed.notify_all()

    def crash(self) -> None:
        """Forget everything, and take no connections."""
        self._end_connections()
        self.exists = False
        self.next_seq = 0
        self.bodies.clear()

    def come_back(self) -> None:
        """Take connections again, with no channel."""
        self._listener = socket.create_server(("127.0.0.1", self._port))
        self._refuses = False
        self._start(self._accept)

    def _end_connections(self) -> None:
        with self._changed:
            self._refuses = True
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.wait_until_left()

    def stop(self) -> None:
        self.stopping.set()
        self._end_connections()
        for thread in self._threads:
            thread.join(LIMIT_SECONDS)
            assert not thread.is_alive()

    def _start(self, target: Callable[..., None], *args: object) -> None:
        thread = threading.Thread(target=target, args=args)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                with self._changed:
                    self.accepted += 1
                    if not self._refuses:
                        self._open.add(connection)
                        self._start(self._serve, connection)
                        continue
                connection.close()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            self._serve_all(connection)
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def _serve_all(self, connection: socket.socket) -> None:
        keeps_alive, rest = True, b""
        while keeps_alive:
            head, rest = _receive_head(connection, rest)
            exchange = Exchange(self, connection, head, rest)
            self._note(exchange)
            self._act(exchange)
            keeps_alive, rest = exchange.keeps_alive, exchange.unused

    def note_answer(self, name: str) -> None:
        with self._changed:
            self.answered.append(name)
            self._changed.notify_all()

    def _note(self, exchange: Exchange) -> None:
        with self._changed:
            self.asked.append(exchange.name)
            self.heads[exchange.name] = exchange.head
            self._changed.notify_all()

    def _act(self, exchange: Exchange) -> None:
        acts = self._script.get(exchange.name, ())
        count = self._counts[exchange.name]
        self._counts[exchange.name] += 1
        if count < len(acts):
            acts[count](exchange)
        else:
            take(exchange)


def take(exchange: Exchange) -> None:
    """Do what a good server does."""
    server = exchange.server
    method, _, last = exchange.name.partition(" ")
    if exchange.name == "POST":
        server.exists = True
    if not server.exists:
        exchange.answer(404, "Stream not found\n", connection="close")
    elif method == "GET" and last != "next":
        body = server.bodies.get(int(last))
        exchange.answer(470, "Entry not found") if body is None else exchange.answer(body=body.decode())
    elif method == "GET":
        exchange.answer(lp_trickle_latest=str(server.next_seq), body=str(server.next_seq))
    elif method == "DELETE" or not last:
        exchange.answer()
    else:
        body = exchange.read_body()
        server.keep(int(last), body)
        exchange.answer(lp_trickle_seq=last)


def _receive_head(connection: socket.socket, data: bytes) -> tuple[bytes, bytes]:
    while b"\r\n\r\n" not in data:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("the client has gone")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


@contextmanager
def posting_server(script: Mapping[str, Sequence[Act]] | None = None) -> Generator[PostingServer]:
    server = PostingServer(script or {})
    try:
        yield server
    finally:
        server.stop()
