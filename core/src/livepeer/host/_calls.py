"""Running calls: each from its frame to exactly one end."""

import asyncio
import inspect
import json
import logging
import os
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

from livepeer.core import (
    SSE_MEDIA_TYPE,
    Call,
    CallCancelledError,
    CallError,
    Encoded,
    Interruptible,
    ModelFailedError,
    Operation,
    Problem,
    Streaming,
    UnauthorizedError,
)
from livepeer.core._call import CURRENT_CALL

from ._outbox import Outbox
from ._stream import EventStream, Flusher
from ._wire import (
    FAIL,
    NO_MEDIA_TYPE,
    PROGRESS,
    SHARED_BODY_BYTES,
    WITHOUT_BODY,
    CallFrame,
    Frame,
    pack,
    pack_answer,
    pack_head,
    share,
    unpack_call,
    write_shared,
)

logger = logging.getLogger("livepeer.host")

_SERVERS_OWN = (CallCancelledError, UnauthorizedError)
"""Ends that are the server's to give: a model's own 401 would cost the registration (BYOC contract, section 2)."""

_FAIRNESS_SECONDS = 0.001
"""How long an async stream that never awaits may keep the loop from everybody else."""


class Running:
    """One call between its frame and its end."""

    __slots__ = ("call", "frame", "id", "operation", "shared", "stream", "task")

    def __init__(self, id: int, frame: CallFrame, shared: int | None, operation: Operation, call: Call) -> None:
        self.id = id
        self.frame = frame
        self.shared = shared
        """Descriptor of the file that brought the body, which may take the answer back."""
        self.operation = operation
        self.call = call
        self.stream: EventStream | None = None
        self.task: asyncio.Task[None] | None = None


class Calls:
    """The calls of one host.

    Args:
        operations: What the frames' operation numbers mean.
        outbox: Where answers go.
        loop: The loop on which async operations run; None if there are none.
    """

    def __init__(
        self, operations: Sequence[Operation], outbox: Outbox, loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        self._operations = operations
        self._streams = [operation.description.streams for operation in operations]
        self._outbox = outbox
        self._loop = loop
        self._lock = threading.Lock()
        self._active: dict[int, Running] = {}
        self._highest = 0
        self._cancelled_early: set[int] = set()
        self._flusher = Flusher()

    def begin(self, frame: Frame) -> Running:
        """Take a call over from the socket. Frames come in the order of their numbers."""
        content = unpack_call(frame)
        timeout = content.timeout_seconds
        number = frame.call
        call = Call(
            id=content.request_id,
            headers=content.headers,
            deadline=None if timeout is None else time.monotonic() + timeout,
            report_progress=lambda fraction, message: self._report(number, fraction, message),
        )
        running = Running(number, content, frame.shared, self._operations[content.operation], call)
        if self._streams[content.operation]:
            running.stream = EventStream(number, self._outbox, self._on_pending)
        with self._lock:
            self._highest = number
            self._active[number] = running
            if self._cancelled_early and number in self._cancelled_early:
                self._cancelled_early.discard(number)
                call.cancelled = True
        return running

    def cancel(self, number: int) -> None:
        """Stop a call; one whose frame has not been read yet is stopped when it is."""
        with self._lock:
            running = self._active.get(number)
            if running is None:
                if number > self._highest:
                    self._cancelled_early.add(number)
                return
        running.call.cancelled = True
        if running.stream is not None:
            running.stream.cancel()
        if running.task is not None:
            assert self._loop is not None
            self._loop.call_soon_threadsafe(running.task.cancel)
        elif isinstance(running.operation, Interruptible):
            try:
                running.operation.interrupt(running.call)
            except Exception:
                logger.exception("[%s] the framework could not stop the call", running.call.id)

    def grant(self, number: int, size: int) -> None:
        """A stream's reader took `size` bytes."""
        with self._lock:
            running = self._active.get(number)
        if running is not None and running.stream is not None:
            running.stream.grant(size)

    def tasks(self) -> list[asyncio.Task[None]]:
        """The async calls under way."""
        with self._lock:
            return [running.task for running in self._active.values() if running.task is not None]

    def close(self) -> None:
        """Let go of the flusher's thread."""
        self._flusher.close()

    def run(self, running: Running) -> None:
        """Run a sync operation's call on this thread, to its end."""
        call, operation = running.call, running.operation
        token = CURRENT_CALL.set(call)
        try:
            call.raise_if_cancelled()
            value = operation.invoke(operation.decode(running.frame.body, running.frame.media_type), call)
            if running.stream is None:
                self._answer(running, operation.encode(value))
            elif (items := self._open(running, value)) is not None:
                self._send_items(running, running.stream, items)
        except BaseException as error:  # noqa: BLE001 - somebody's own code: SystemExit too ends the call alone
            self._fail(running, error)
        finally:
            CURRENT_CALL.reset(token)
            if running.shared is not None:
                os.close(running.shared)

    async def run_async(self, running: Running) -> None:
        """Run an async operation's call on this loop, to its end."""
        call, operation = running.call, running.operation
        CURRENT_CALL.set(call)
        try:
            call.raise_if_cancelled()
            value = operation.invoke(operation.decode(running.frame.body, running.frame.media_type), call)
            if running.stream is None:
                self._answer(running, operation.encode(await value))
            else:
                items = self._open(running, await value if inspect.isawaitable(value) else value)
                if items is not None:
                    await self._send_items_async(running, running.stream, items)
        except BaseException as error:  # noqa: BLE001 - somebody's own code: SystemExit too ends the call alone
            self._fail(running, error)
        finally:
            if running.shared is not None:
                os.close(running.shared)

    def _answer(self, running: Running, encoded: Encoded) -> None:
        body, media_type, status, headers = encoded
        if status in WITHOUT_BODY:
            body = b""
        kind = b"" if media_type == "application/json" else media_type.encode("latin-1") or NO_MEDIA_TYPE
        size = None if len(body) < SHARED_BODY_BYTES else len(body)
        frame = pack_answer(
            running.id,
            media_type=kind,
            metrics=self._metrics(running),
            body=body if size is None else b"",
            size=size,
            shared=size is not None and running.shared is None,
            status=_allowed(status),
            headers=headers,
        )
        shared = None
        if size is not None and running.shared is not None:
            write_shared(running.shared, body)
        elif size is not None:
            shared = share(body)
        self._finish(running)
        self._outbox.post(frame, shared)

    def _open(self, running: Running, value: Any) -> Any | None:
        """The items of a stream, whose head is sent if it has one; None if the value was a whole answer."""
        if isinstance(value, Encoded):
            self._answer(running, value)
            return None
        if isinstance(value, Streaming):
            head = pack_head(running.id, status=_allowed(value.status), headers=value.headers)
            self._outbox.post(head)
            return value.items
        return value

    def _send_items(self, running: Running, stream: EventStream, items: Iterator[Any]) -> None:
        encode, call = running.operation.encode, running.call
        try:
            for item in items:
                if call.cancelled:
                    break
                encoded = encode(item)
                if not stream.put(encoded.body, framed=encoded.media_type == SSE_MEDIA_TYPE):
                    stream.wait_for_room()
        finally:
            close = getattr(items, "close", None)
            if close is not None:
                close()
        call.raise_if_cancelled()
        self._end(running, stream)

    async def _send_items_async(self, running: Running, stream: EventStream, items: AsyncIterator[Any]) -> None:
        encode = running.operation.encode
        since = time.monotonic()
        try:
            async for item in items:
                encoded = encode(item)
                if not stream.put(encoded.body, framed=encoded.media_type == SSE_MEDIA_TYPE):
                    await stream.wait_for_room_async()
                if time.monotonic() - since > _FAIRNESS_SECONDS:
                    await asyncio.sleep(0)
                    since = time.monotonic()
        finally:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()
        running.call.raise_if_cancelled()
        self._end(running, stream)

    def _end(self, running: Running, stream: EventStream) -> None:
        self._finish(running)
        stream.end(self._metrics(running))

    def _finish(self, running: Running) -> None:
        with self._lock:
            self._active.pop(running.id, None)

    def _metrics(self, running: Running) -> bytes:
        metrics = running.call.metrics
        return json.dumps(metrics, separators=(",", ":"), default=str).encode() if metrics else b""

    def _fail(self, running: Running, error: BaseException) -> None:
        self._finish(running)
        if running.stream is not None:
            running.stream.flush()
        found = self._as_call_error(running, error)
        self._outbox.post(pack(FAIL, running.id, Problem.of(found).to_json()))

    def _as_call_error(self, running: Running, error: BaseException) -> CallError:
        if isinstance(error, CallError) and not isinstance(error, _SERVERS_OWN):
            if error.__cause__ is not None:
                logger.error("%s", error, exc_info=error)
            return error
        if running.call.cancelled:
            return CallCancelledError("the call was cancelled")
        logger.error("the model failed", exc_info=error)
        return ModelFailedError("the model raised an error; the server's log has it under this request's id")

    def _report(self, number: int, fraction: float, message: str) -> None:
        progress = json.dumps({"progress": fraction, "message": message}, separators=(",", ":"))
        self._outbox.post(pack(PROGRESS, number, progress.encode()))

    def _on_pending(self, stream: EventStream) -> None:
        if self._loop is not None and asyncio._get_running_loop() is self._loop:
            self._loop.call_soon(stream.flush)
        self._flusher.expect(stream)


def _allowed(status: int) -> int:
    """A status that a model may give: a 401 of its own would cost the registration (BYOC contract, section 2)."""
    if not 200 <= status <= 599:
        raise ValueError(f"{status} is no status of an answer")
    return 403 if status == 401 else status
