"""An HTTP request to a mounted application."""

import asyncio
import re

from livepeer.core import AsgiApp

from ._mount_stream import MountStream
from ._mount_wire import MOUNT_PIECE_BYTES, Message, MountOpening
from ._mounted import MountedRequest
from ._outbox import Outbox
from ._wire import WITHOUT_BODY

_NOT_IN_NAMES = re.compile(rb'[\x00-\x20\x7f()<>@,;:\[\]={}\\"]')
_NOT_IN_VALUES = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


class MountedHttp(MountedRequest):
    """Holds the application to ASGI's rules, so that it sees its mistake itself.

    The answer's head waits for the body's first piece, but not beyond the loop's next turn, and the last
    piece as long for the application's return.
    """

    def __init__(self, number: int, opening: MountOpening, app: AsgiApp, outbox: Outbox) -> None:
        super().__init__(number, opening, app, outbox)
        self._started = False
        self._complete = False
        self._owed_bytes: int | None = None
        """What the answer's length still asks for; None if there is no such length."""

    async def receive(self) -> Message:
        """A piece of the body; the disconnect once the caller has left or has its answer."""
        return await self._stream.receive() or {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Answer, as fast as the caller takes it.

        Raises:
            RuntimeError: If this message may not come now, or is none that an answer can have.
        """
        if self._call.cancelled:
            await asyncio.sleep(0)  # an application that never looks must not keep the loop
        elif not self._started:
            self._hold(self._start(message))
        elif self._complete:
            raise RuntimeError(f"unexpected {message['type']!r}: the answer is complete")
        else:
            await self._send_body(message)

    def caller_left(self, message: Message) -> None:
        """Nothing more is read, and nothing more is sent."""
        self._held.clear()
        self._stream.end(drop=True)

    def server_stops(self) -> None:
        """Cancel what goes on behind an answer that is whole."""
        if self._complete and self._task is not None:
            self._stopping = True
            self._task.cancel()

    def check_finished(self) -> None:
        """Raise if the answer is not whole."""
        if not self._complete:
            what = "completing its answer" if self._started else "answering"
            raise RuntimeError(f"the application returned without {what}")

    async def _send_body(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            raise RuntimeError(f"expected 'http.response.body', got {message['type']!r}")
        size, last = len(message.get("body", b"")), not message.get("more_body", False)
        self._owe_less(size, last=last)
        stream = self._stream
        if not last:
            await self._send_now(stream, message)
        elif size <= MOUNT_PIECE_BYTES and stream.has_room:
            self._complete = True
            stream.end(drop=True)
            self._hold(message)
        else:
            await self._send_now(stream, message)
            self._complete = True
            stream.end(drop=True)

    async def _send_now(self, stream: MountStream, message: Message) -> None:
        held, self._held = self._held, []
        await stream.send([*held, message])

    def _hold(self, message: Message) -> None:
        if not self._held:
            asyncio.get_running_loop().call_soon(self.flush)
        self._held.append(message)

    def _start(self, message: Message) -> Message:
        if message["type"] != "http.response.start":
            raise RuntimeError(f"expected 'http.response.start', got {message['type']!r}")
        status = message["status"]
        if not 200 <= status <= 599:
            raise RuntimeError(f"{status} is no status of an answer")
        chunked = False
        owed = None
        headers = list(message.get("headers", ()))
        for name, value in headers:
            if not name or _NOT_IN_NAMES.search(name) or _NOT_IN_VALUES.search(value):
                raise RuntimeError(f"{name!r}: {value!r} is no header")
            lower = name.lower()
            if lower == b"content-length":
                owed = int(value)
            elif lower == b"transfer-encoding":
                chunked = True
        self._owed_bytes = None if chunked or self._scope["method"] == "HEAD" or status in WITHOUT_BODY else owed
        self._started = True
        return {**message, "headers": headers}

    def _owe_less(self, size: int, *, last: bool) -> None:
        if self._owed_bytes is None:
            return
        owed = self._owed_bytes - size
        if owed < 0:
            raise RuntimeError("the answer is longer than its Content-Length")
        if last and owed:
            raise RuntimeError("the answer is shorter than its Content-Length")
        self._owed_bytes = owed
