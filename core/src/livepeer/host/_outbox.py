"""Writing frames from any thread: at once while the socket is idle, together while it is not."""

import asyncio
import os
import socket
import threading
import time

_IDLE_SECONDS = 0.0002
"""A write this long after the last one goes out at once; a sooner one shares the loop's next write."""


class Outbox:
    """The sending half of a socket.

    Args:
        sock: A connected Unix socket.
        loop: The event loop that must never block on it; None lets the posting thread block.
    """

    def __init__(self, sock: socket.socket, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._socket = sock
        self._loop = loop
        self._loop_thread = threading.get_ident()
        self._lock = threading.Lock()
        self._queue: list[tuple[bytes, int | None]] = []
        self._flush_due = False
        self._full = False
        self._closed = False
        self._last_write = 0.0

    def post(self, frame: bytes, shared: int | None = None) -> None:
        """Send a frame; a descriptor goes with it and is closed here once it has.

        Never raises for a peer that is gone: the reading half learns of that.
        """
        with self._lock:
            if self._closed:
                if shared is not None:
                    os.close(shared)
                return
            self._queue.append((frame, shared))
            if self._flush_due or self._full:
                return
            if self._loop is None or self._is_foreign_thread() or self._is_idle():
                self._write()
            else:
                self._flush_due = True
                self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Forget what is unsent."""
        with self._lock:
            self._closed = True
            if self._full and self._loop is not None:
                self._loop.remove_writer(self._socket)
            self._drop_queue()

    def _drop_queue(self) -> None:
        for _, shared in self._queue:
            if shared is not None:
                os.close(shared)
        self._queue.clear()

    def _is_foreign_thread(self) -> bool:
        return threading.get_ident() != self._loop_thread

    def _is_idle(self) -> bool:
        return time.monotonic() - self._last_write > _IDLE_SECONDS

    def _flush(self) -> None:
        with self._lock:
            self._flush_due = False
            if not self._full and not self._closed:
                self._write()

    def _write(self) -> None:
        flags = 0 if self._loop is None else socket.MSG_DONTWAIT
        queue = self._queue
        try:
            while queue:
                self._write_some(queue, flags)
        except BlockingIOError:
            self._wait_for_room()
        except OSError:
            self._drop_queue()
        self._last_write = time.monotonic()

    def _write_some(self, queue: list[tuple[bytes, int | None]], flags: int) -> None:
        frame, shared = queue[0]
        if shared is not None:
            sent = socket.send_fds(self._socket, [frame], [shared], flags)
            queue[0] = (frame, None)
            os.close(shared)
            count = 1
        else:
            count = next((index for index, item in enumerate(queue) if item[1] is not None), len(queue))
            frame = frame if count == 1 else b"".join([item[0] for item in queue[:count]])
            sent = self._socket.send(frame, flags)
        if sent < len(frame):
            queue[:count] = [(frame[sent:], None)]
        else:
            del queue[:count]

    def _wait_for_room(self) -> None:
        self._full = True
        assert self._loop is not None
        if self._is_foreign_thread():
            self._loop.call_soon_threadsafe(self._loop.add_writer, self._socket, self._on_room)
        else:
            self._loop.add_writer(self._socket, self._on_room)

    def _on_room(self) -> None:
        assert self._loop is not None
        self._loop.remove_writer(self._socket)
        with self._lock:
            self._full = False
            if not self._closed:
                self._write()
