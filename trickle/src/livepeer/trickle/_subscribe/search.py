"""The search for the next segment: what a subscription makes of the answers to its GETs (trickle, table 1)."""

import logging

from livepeer.trickle._errors import ChannelNotFoundError, FellBehindError, ProtocolError, RefusedError
from livepeer.trickle._wire.urls import ChannelUrl

from .fetches import Fetch, Fetches
from .lookout import Lookout
from .patience import Patience
from .sequence import CURRENT, Arrival, Progress
from .terms import Limits

logger = logging.getLogger("livepeer.trickle")

_DETAIL_BYTES = 200

_WARNING_SECONDS = 1.0
"""How often missed segments are logged, at most; each reader is told of all of them."""

Found = tuple[Fetch, Arrival]
"""A segment's number, and the GET that brings it: its first bytes are in `Fetch.parts`."""


class EndOfStreamError(Exception):
    """Raised when the channel has ended, and all of it was read."""


class Search:
    """Finds the segments of a channel, one after the other.

    Args:
        url: Of the channel.
        fetches: Makes the GETs.
        progress: Where to begin.
        limits: What to bear.
    """

    def __init__(self, url: ChannelUrl, *, fetches: Fetches, progress: Progress, limits: Limits) -> None:
        self.progress = progress
        """Where in the channel it is."""

        self.lookout = Lookout(
            url,
            fetches=fetches,
            progress=progress,
            refresh_seconds=limits.refresh_seconds,
            retry_seconds=limits.retry_seconds,
            waits=limits.wait_seconds > 0,
        )
        """Keeps the GET of the next segment waiting."""

        self.empty = 0
        """How many segments without bytes were skipped."""

        self._url = url
        self._absent = Patience(limits.wait_seconds)
        self._early = Patience()
        self._met = False  # Whether the channel was ever there.
        self._ended = False
        self._warn_at = 0.0

    def find(self, now: float) -> Found | None:
        """Return the next segment once its first bytes are here.

        Raises:
            EndOfStreamError: There is none.
            TrickleError: There is none that can be read.
        """
        while True:
            self.lookout.keep(now)
            come = self.lookout.look(now)
            if self._ended:
                raise EndOfStreamError
            if self.lookout.failure is not None:
                raise self.lookout.failure.with_traceback(None)
            if not come or self._lacks_spare(now):
                return None
            if found := self._judge(now):
                self.lookout.keep(now)
                return found

    def has_passed(self, seq: int, now: float) -> bool:
        """Whether the channel has gone on to segments after this one, or ended, or cannot be reached any more."""
        while self.lookout.look(now):
            fetch = self.lookout.fetch
            if fetch is None or _tells_of_more(fetch, seq):
                return True
            self._judge(now)
            self.lookout.keep(now)
        return self.lookout.failure is not None

    def _lacks_spare(self, now: float) -> bool:
        """Whether the first answer came before there was a connection for the second request."""
        return not self._met and self.lookout.wants_connection(now, spare=True)

    def _judge(self, now: float) -> Found | None:
        """Take the answer that has come; return the segment if it brings one."""
        fetch = self.lookout.take()
        if fetch is None:
            return None
        self.lookout.answered()
        try:
            return self._judge_answer(fetch, now)
        except (ChannelNotFoundError, FellBehindError, ProtocolError, RefusedError) as error:
            fetch.connection.close()
            self.lookout.fail(error)
            return None

    def _judge_answer(self, fetch: Fetch, now: float) -> Found | None:
        answer = fetch.answer
        if answer.closed:
            self._end()
        elif answer.status == 404:
            self._miss(now)
        elif answer.status == 470 or (answer.status == 200 and fetch.asked is None):
            self._place(fetch, now)
        elif answer.status != 200:
            said = b"".join(fetch.parts)[:_DETAIL_BYTES].decode(errors="replace").strip()
            raise RefusedError(f"{self._url.text} answers {answer.status}: {said}", status=answer.status or 0)
        elif arrival := self._receive(fetch, now):
            return fetch, arrival
        self.lookout.give_back(fetch)
        return None

    def _end(self) -> None:
        self._ended = True
        before = self.progress.missed
        self.progress.finish()
        if missed := self.progress.missed - before:  # No segment comes after them to tell of it.
            logger.warning("%s: ended before %d of its segments were read", self._url.text, missed)
        self.lookout.stop()

    def _miss(self, now: float) -> None:
        """Take it that the channel is not there: not yet, no more, or lost with its server."""
        if self._met and not self.lookout.troubled:
            self._end()
            return
        self.lookout.troubled = True
        if not self._absent.lasts(now):
            raise ChannelNotFoundError(self._url.text)
        self.lookout.pause(self._absent.retry_at)

    def _meet(self) -> bool:
        """Take it that the channel is there; return whether it was lost before."""
        troubled, self.lookout.troubled = self.lookout.troubled, False
        self._met = True
        self._absent.renew()
        return troubled

    def _place(self, fetch: Fetch, now: float) -> None:
        """Take the server's word for which segment is next."""
        latest = fetch.answer.latest
        if latest is None:
            raise ProtocolError(f"{self._url.text} does not say which segment is next: it is no trickle channel")
        troubled = self._meet()
        if fetch.asked is None:
            self.progress.located(latest)
        elif not self.progress.refused(latest, troubled=troubled):
            self._early.lasts(now)
            self.lookout.pause(self._early.retry_at)

    def _receive(self, fetch: Fetch, now: float) -> Arrival | None:
        """Take a segment's first bytes, or its end without any."""
        seq, latest = fetch.answer.seq, fetch.answer.latest
        if seq is None or fetch.asked not in (CURRENT, seq):
            raise ProtocolError(f"{self._url.text} answers with segment {seq} when asked for {fetch.asked}")
        self._meet()
        self._early.renew()
        if not fetch.parts:
            self.empty += 1
            self.progress.skipped(seq, latest)
            return None
        arrival = self.progress.arrived(seq, latest)
        if arrival.gap and now >= self._warn_at:
            self._warn_at = now + _WARNING_SECONDS
            first, last, missed = arrival.gap.first, arrival.gap.last, self.progress.missed
            logger.warning("%s: missed segments %d to %d (%d until now)", self._url.text, first, last, missed)
        return arrival


def _tells_of_more(fetch: Fetch, seq: int) -> bool:
    answer = fetch.answer
    if answer.closed or answer.status not in (200, 470):
        return True
    return (answer.latest or 0) > seq + 1 or (answer.status == 200 and bool(fetch.parts))
