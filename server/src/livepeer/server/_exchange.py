"""One call as the edge sees it: frames in, until exactly one of them ends it."""

import asyncio
import os
from collections import deque
from collections.abc import Callable

from livepeer.core import CallCancelledError, CallError, Problem
from livepeer.host.wire import ANSWER, END, FAIL, STREAM_WINDOW_BYTES, Frame

from ._shared_files import SharedFile

PING = 255
"""A frame of the edge's own: the stream has been silent for a while."""

_CREDIT_BYTES = STREAM_WINDOW_BYTES // 2
_ENDS = (ANSWER, END, FAIL)


class Exchange:
    """One call under way. Made by a worker, read by one task.

    Args:
        number: The call's number on its connection.
        shared: The file that brings the call's body, and may bring the answer's back; released here.
        on_cancel: Tells the host that nobody waits any more.
        on_credit: Tells the host that so many bytes of a stream were taken.
        on_end: Called once, when the work has really ended, before its last frame is read.
    """

    __slots__ = (
        "_error",
        "_frames",
        "_left",
        "_on_cancel",
        "_on_credit",
        "_on_end",
        "_reader",
        "_taken",
        "ended",
        "number",
        "shared",
    )

    def __init__(
        self,
        number: int,
        shared: SharedFile | None = None,
        *,
        on_cancel: Callable[[int], None],
        on_credit: Callable[[int, int], None],
        on_end: Callable[[], None],
    ) -> None:
        self.number = number
        self.shared = shared
        self.ended = False
        self._on_cancel = on_cancel
        self._on_credit = on_credit
        self._on_end = on_end
        self._frames: deque[Frame] = deque()
        self._reader: asyncio.Future[None] | None = None
        self._error: CallError | None = None
        self._taken = 0
        self._left = False

    async def next_frame(self) -> Frame:
        """The next frame; a shared descriptor in it is the caller's to close.

        Raises:
            CallError: If the call ended badly, or was given up here.
        """
        while not self._frames:
            if self._error is not None:
                raise self._error
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        frame = self._frames.popleft()
        if frame.kind == FAIL:
            raise Problem.model_validate_json(frame.payload).to_error()
        return frame

    def taken(self, size: int) -> None:
        """Say that `size` bytes of the stream went out, so that more may come."""
        self._taken += size
        if self._taken >= _CREDIT_BYTES and not self.ended:
            self._on_credit(self.number, self._taken)
            self._taken = 0

    def give_up(self, error: CallError) -> None:
        """Stop waiting: cancel the work, and raise `error` to whoever reads. The slot stays taken until it ends."""
        if self._error is not None:
            return
        self._error = error
        self._drop_frames()
        if not self.ended:
            self._on_cancel(self.number)
        self._wake()

    def leave(self) -> None:
        """The reader is done with all frames and files; what still runs is cancelled."""
        self._left = True
        if not self.ended:
            self.give_up(CallCancelledError("nobody reads the answer any more"))
        self._drop_frames()
        self._release()

    def nudge(self) -> None:
        """Wake the reader with a `PING`."""
        if self._error is None and not self._frames:
            self._frames.append(Frame(PING, self.number, b"", None))
            self._wake()

    def deliver(self, frame: Frame) -> None:
        """Take a frame from the connection."""
        if frame.kind in _ENDS and not self.ended:
            self.ended = True
            self._on_end()
        if self._error is not None:
            if frame.shared is not None:
                os.close(frame.shared)
            self._release()
            return
        self._frames.append(frame)
        self._wake()

    def lose(self, error: CallError) -> None:
        """The connection is gone, and the work with it."""
        if not self.ended:
            self.deliver(Frame(FAIL, self.number, Problem.of(error).to_json(), None))

    def _release(self) -> None:
        """Give the file back once nobody can use it: neither the host, nor whoever reads the answer."""
        if self.ended and self._left and self.shared is not None:
            shared, self.shared = self.shared, None
            shared.release()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def _drop_frames(self) -> None:
        while self._frames:
            frame = self._frames.popleft()
            if frame.shared is not None:
                os.close(frame.shared)
