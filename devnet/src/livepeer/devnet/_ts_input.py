"""A stream's input on its way from a caller to the orchestrator that has the stream at the moment."""

import math
from time import monotonic

import anyio

from livepeer.trickle.media import Cut

SEGMENT_SECONDS = 1.0


class InputEndedError(Exception):
    """Raised when nobody takes the input any more."""


class InputParts:
    """What a caller sends, handed over part by part: nothing is kept while no orchestrator takes it."""

    def __init__(self) -> None:
        self.last_segment_at = -math.inf
        """When the last segment began to be sent."""
        self.is_taken = False
        """Whether a caller sends already."""
        self.ended = anyio.Event()
        """Set once the caller sends no more."""
        self._sender, self._receiver = anyio.create_memory_object_stream[Cut](0)

    async def put(self, cut: Cut) -> None:
        """Hand a part over, as soon as an orchestrator takes it.

        Raises:
            InputEndedError: None will.
        """
        try:
            await self._sender.send(cut)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise InputEndedError from None

    async def take(self) -> Cut | None:
        """Return the next part; None once the caller sends no more."""
        try:
            cut = await self._receiver.receive()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return None
        if cut.starts_segment:
            self.last_segment_at = monotonic()
        return cut

    def end(self) -> None:
        """Say that the caller sends no more."""
        self._sender.close()
        self.ended.set()

    def refuse(self) -> None:
        """Say that nobody takes it any more."""
        self._receiver.close()
        self._sender.close()
