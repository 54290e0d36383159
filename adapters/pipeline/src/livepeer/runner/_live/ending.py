"""Why a session ends: of all that may end it, what comes first counts."""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from anyio import CancelScope

from livepeer.core import SessionEndedError, SessionReport
from livepeer.trickle import ChannelClosedError, ChannelNotFoundError, TrickleError

from .reports import shortened

if TYPE_CHECKING:
    from livepeer.trickle.media import MediaEnd

Reason = Literal["stopped", "input_ended", "channel_closed", "idle", "watchdog", "hook_failed", "failed", "cancelled"]


class Ending:
    """The end of one session, once it is known. All of it is for the event loop, unless it says otherwise."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._report: asyncio.Future[SessionReport] = self._loop.create_future()

    @property
    def is_known(self) -> bool:
        """Whether something has ended it."""
        return self._report.done()

    async def wait(self) -> SessionReport:
        """Wait until something ends it; return what."""
        return await asyncio.shield(self._report)

    def report(self) -> SessionReport:
        """What has ended it."""
        return self._report.result()

    def end(self, reason: Reason, detail: str | None = None) -> None:
        """End it."""
        if not self._report.done():
            self._report.set_result(SessionReport(state="ended", reason=reason, detail=shortened(detail or "") or None))

    def end_with(self, channel: str, error: TrickleError) -> None:
        """End it, for a channel cannot be used any more."""
        is_gone = isinstance(error, ChannelClosedError | ChannelNotFoundError)
        self.end("channel_closed" if is_gone else "failed", f"the channel for {channel}: {error}")

    def end_with_media(self, end: "MediaEnd") -> None:
        """End it with its media. Any thread may."""
        detail = None if end.error is None else str(end.error) or type(end.error).__name__
        self._loop.call_soon_threadsafe(self.end, end.reason, detail)

    @contextmanager
    def cutting_short(self) -> Generator[None]:
        """Wait for nothing more in the block once the stream has ended, before it ran.

        One whose media is merely over already may start all the same.

        Raises:
            SessionEndedError: If that is how the block ended.
        """
        with CancelScope() as scope:

            def leave(end: "asyncio.Future[SessionReport]") -> None:
                if end.result().reason not in ("input_ended", "idle"):
                    scope.cancel()

            self._report.add_done_callback(leave)
            try:
                yield
            finally:
                self._report.remove_done_callback(leave)
        if scope.cancelled_caught:
            report = self.report()
            raise SessionEndedError(report.detail or f"the stream was {report.reason} before it ran")
