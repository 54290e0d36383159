"""A TCP proxy that misbehaves on command: it stops reading, goes silent without a word, or cuts its connections."""

import selectors
import socket
import struct
import threading
from collections.abc import Generator
from contextlib import contextmanager
from enum import Enum, auto

PIECE_BYTES = 64 * 1024
LIMIT_SECONDS = 10.0


class Mode(Enum):
    """What becomes of the bytes that come."""

    FORWARD = auto()
    STALL = auto()
    """Nobody reads them: the sender's window fills."""
    SILENT = auto()
    """They are read and dropped, and nothing comes back: as if the other machine had gone without a word."""


class Proxy:
    """Forwards connections to a port of this machine, on a thread of its own."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.accepted = 0
        self.mode = Mode.FORWARD
        self._peers: dict[socket.socket, socket.socket] = {}
        self._lock = threading.Lock()
        self._bell, self._ringer = socket.socketpair()
        self._ended = False
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._selector.register(self._bell, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run)

    def set(self, mode: Mode) -> None:
        """Change what becomes of bytes from now on, also on connections that are open."""
        with self._lock:
            self.mode = mode
        self._ringer.send(b"!")

    def cut(self) -> None:
        """Break off every connection with a reset."""
        with self._lock:
            for sock in list(self._peers):
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self._drop(sock)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended = True
        self._ringer.send(b"!")
        self._thread.join(LIMIT_SECONDS)
        assert not self._thread.is_alive()
        self.cut()
        for sock in (self._listener, self._bell, self._ringer):
            sock.close()
        self._selector.close()

    def _run(self) -> None:
        while not self._ended:
            for key, _ in self._selector.select():
                sock = key.fileobj
                assert isinstance(sock, socket.socket)
                with self._lock:
                    self._serve(sock)

    def _serve(self, sock: socket.socket) -> None:
        if sock is self._listener:
            self._accept()
        elif sock is self._bell:
            sock.recv(100)
            for other in self._peers:
                self._watch(other)
        elif sock in self._peers:
            self._pump(sock)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        self.accepted += 1
        try:
            far = socket.create_connection(("127.0.0.1", self._target), LIMIT_SECONDS)
        except OSError:
            near.close()
            return
        for sock, peer in ((near, far), (far, near)):
            sock.settimeout(LIMIT_SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[sock] = peer
            self._watch(sock)

    def _watch(self, sock: socket.socket) -> None:
        watched = sock in self._selector.get_map()
        if self.mode is Mode.STALL and watched:
            self._selector.unregister(sock)
        elif self.mode is not Mode.STALL and not watched:
            self._selector.register(sock, selectors.EVENT_READ)

    def _pump(self, sock: socket.socket) -> None:
        try:
            data = sock.recv(PIECE_BYTES)
            if not data:
                raise ConnectionResetError
            if self.mode is Mode.FORWARD:
                self._peers[sock].sendall(data)
        except OSError:
            if self.mode is Mode.FORWARD:
                self._drop(self._peers[sock])
            self._drop(sock)

    def _drop(self, sock: socket.socket) -> None:
        if self._peers.pop(sock, None) is None:
            return
        if sock in self._selector.get_map():
            self._selector.unregister(sock)
        sock.close()


@contextmanager
def proxied(port: int) -> Generator[Proxy]:
    """Run a proxy to a port of this machine."""
    proxy = Proxy(port)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
