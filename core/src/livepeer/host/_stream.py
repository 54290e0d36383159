"""A stream's events on their way to the edge: at once while it is slow, together while it is fast."""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable

from livepeer.core import CallCancelledError, sse_event

from ._outbox import Outbox
from ._wire import END, EVENTS, SHARED_BODY_BYTES, STREAM_WINDOW_BYTES, pack, pack_shared, share

_IDLE_SECONDS = 0.0002
"""An event this long after the last write goes out at once."""

_BATCH_BYTES = 16 * 1024
"""Events wait for each other up to this size, while they come faster than they are written."""


class EventStream:
    """Writes the events of one call, with as many bytes on their way as the edge has room for.

    Args:
        call: The call's number.
        outbox: Where frames go.
        on_pending: Called when a fast burst leaves something behind, which wants a `flush()` soon.
    """

    def __init__(self, call: int, outbox: Outbox, on_pending: Callable[["EventStream"], None]) -> None:
        self._call = call
        self._outbox = outbox
        self._on_pending = on_pending
        self._lock = threading.Lock()
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._last_write = 0.0
        self._window = STREAM_WINDOW_BYTES
        self.looked_after = False
        """Whether the flusher knows that something is pending."""
        self._on_room: Callable[[], None] | None = None
        self._cancelled = False

    def put(self, data: bytes, *, framed: bool = False) -> bool:
        """Send one event's data, compact JSON, or a whole event. False if there is no room for another yet."""
        event = data if framed else sse_event(data)
        with self._lock:
            self._pending.append(event)
            self._pending_bytes += len(event)
            if time.monotonic() - self._last_write > _IDLE_SECONDS or self._pending_bytes > _BATCH_BYTES:
                self._write()
            elif len(self._pending) == 1:
                self._on_pending(self)
            return self._window > 0

    def flush(self) -> None:
        """Send what is pending."""
        with self._lock:
            if self._pending:
                self._write()

    def flush_if_idle(self) -> bool:
        """Send what is pending if nothing was sent for a while; whether to look again later."""
        if self._pending and time.monotonic() - self._last_write < _IDLE_SECONDS:
            return True
        with self._lock:
            if self._pending:
                self._write()
            self.looked_after = False
        return False

    def end(self, metrics: bytes) -> None:
        """Send what is pending, and the end."""
        self.flush()
        self._outbox.post(pack(END, self._call, metrics))

    def grant(self, size: int) -> None:
        """The edge's reader took `size` bytes."""
        with self._lock:
            self._window += size
            if self._window > 0:
                self._wake()

    def cancel(self) -> None:
        """Nobody reads any more: a producer that waits for room gives up."""
        with self._lock:
            self._cancelled = True
            self._wake()

    def wait_for_room(self) -> None:
        """Block until there is room.

        Raises:
            CallCancelledError: If the call was cancelled meanwhile.
        """
        room = threading.Event()
        if not self._has_room(room.set):
            room.wait()
        self._raise_if_cancelled()

    async def wait_for_room_async(self) -> None:
        """Wait on the running loop until there is room.

        Raises:
            CallCancelledError: If the call was cancelled meanwhile.
        """
        loop, room = asyncio.get_running_loop(), asyncio.Event()
        if not self._has_room(lambda: loop.call_soon_threadsafe(room.set) and None):
            await room.wait()
        self._raise_if_cancelled()

    def _has_room(self, on_room: Callable[[], None]) -> bool:
        with self._lock:
            if self._window > 0 or self._cancelled:
                return True
            if self._pending:
                self._write()
            self._on_room = on_room
            return False

    def _raise_if_cancelled(self) -> None:
        if self._cancelled:
            raise CallCancelledError("nobody reads this stream any more")

    def _wake(self) -> None:
        if self._on_room is not None:
            self._on_room()
            self._on_room = None

    def _write(self) -> None:
        events = b"".join(self._pending)
        self._pending.clear()
        self._pending_bytes = 0
        self._window -= len(events)
        if len(events) >= SHARED_BODY_BYTES:
            self._outbox.post(pack_shared(EVENTS, self._call), share(events))
        else:
            self._outbox.post(pack(EVENTS, self._call, events))
        self._last_write = time.monotonic()


class Flusher:
    """A thread that writes what a stream left pending when its model stops to think.

    A burst is written together; should the model block right after it, on its thread or on its loop,
    the burst's tail must not wait for the model. While a stream is fast this only looks at it.
    """

    _ROUND_SECONDS = 0.001

    def __init__(self) -> None:
        self._expected = threading.Event()
        self._streams: deque[EventStream] = deque()
        self._thread: threading.Thread | None = None

    def expect(self, stream: EventStream) -> None:
        """Look after `stream` until nothing of it is pending."""
        if stream.looked_after:
            return
        stream.looked_after = True
        self._streams.append(stream)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="livepeer-flusher", daemon=True)
            self._thread.start()
        self._expected.set()

    def close(self) -> None:
        """End the thread."""
        if self._thread is not None:
            thread, self._thread = self._thread, None
            self._expected.set()
            thread.join()

    def _run(self) -> None:
        while True:
            self._expected.wait()
            self._expected.clear()
            while self._streams:
                if self._thread is None:
                    return
                time.sleep(self._ROUND_SECONDS)
                for _ in range(len(self._streams)):
                    stream = self._streams.popleft()
                    if stream.flush_if_idle():
                        self._streams.append(stream)
            if self._thread is None:
                return
