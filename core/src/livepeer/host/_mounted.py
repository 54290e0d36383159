"""One request to a mounted application, from its first frame until the application returns."""

import asyncio
import logging
from abc import ABC, abstractmethod

from livepeer.core import AsgiApp, Call, ModelFailedError, Problem
from livepeer.core._call import CURRENT_CALL

from ._mount_stream import MountStream
from ._mount_wire import MOUNT_GONE, Message, MountOpening, pack_end, pack_messages, unpack_messages
from ._outbox import Outbox
from ._wire import Frame

logger = logging.getLogger("livepeer.host")


class CallerLeftError(OSError):
    """Raised by a WebSocket's `send()` once the caller has left, as ASGI has it."""


class MountedRequest(ABC):
    """What HTTP and WebSocket have in common.

    Args:
        number: The request's number.
        opening: What its first frame says.
        app: The application.
        outbox: Where frames go.
    """

    def __init__(self, number: int, opening: MountOpening, app: AsgiApp, outbox: Outbox) -> None:
        self._number = number
        self._scope = opening.scope
        self._app = app
        self._outbox = outbox
        self._stream = MountStream(number, outbox)
        self._stream.put(opening.messages)
        lines = [b"%b:%b" % item for item in opening.scope["headers"] if item[0] != b"authorization"]
        self._call = Call(id=opening.request_id, headers=b"\n".join(lines))
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._held: list[Message] = []
        """Messages that wait for the next ones, to leave with them in one frame."""

    def deliver(self, frame: Frame) -> None:
        """Take a frame from the edge."""
        if frame.kind == MOUNT_GONE:
            self._call.cancelled = True
            self.caller_left(unpack_messages(frame.payload)[0])
        else:
            self._stream.deliver(frame)

    async def run(self) -> None:
        """Run the application to its end, and say so."""
        self._task = asyncio.current_task()
        CURRENT_CALL.set(self._call)
        problem = None
        try:
            await self._app(self._scope, self.receive, self.send)
            if not self._call.cancelled:
                self.check_finished()
        except CallerLeftError:
            pass
        except BaseException as error:  # noqa: BLE001 - somebody's own code: it ends the request alone
            problem = self._problem(error)
        held, self._held = self._held, []
        self._outbox.post(pack_end(self._number, held, problem))

    def _problem(self, error: BaseException) -> bytes | None:
        if self._stopping and isinstance(error, asyncio.CancelledError):
            logger.warning("[%s] the server stops: what went on behind the answer was cancelled", self._call.id)
            return None
        logger.error("the mounted application failed", exc_info=error)
        failed = ModelFailedError("the model raised an error; the server's log has it under this request's id")
        return Problem.of(failed).to_json()

    @abstractmethod
    async def receive(self) -> Message:
        """ASGI's receive."""

    @abstractmethod
    async def send(self, message: Message) -> None:
        """ASGI's send."""

    @abstractmethod
    def caller_left(self, message: Message) -> None:
        """Let the application know, by its `receive()` and by its `send()`."""

    @abstractmethod
    def check_finished(self) -> None:
        """Raise if the application returned before it had answered."""

    def server_stops(self) -> None:  # noqa: B027 - most requests have nothing to end
        """The server has waited long enough for what nobody waits for."""

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            held, self._held = self._held, []
            self._outbox.post(pack_messages(self._number, held))
