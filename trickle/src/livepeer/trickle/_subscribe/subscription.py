"""A subscription: the segment that is read, and the search for the next one.

It waits for nothing and knows no clock: its calls do what can be done now, and say by None that they have to be made
again, once one of the connections in `watch` is ready or its time has come. What nobody asks for stays in the network,
and at last in the server's ring, whence it may go before it is read: that is a gap.
"""

from livepeer.trickle._errors import ProtocolError, UnreachableError
from livepeer.trickle._wire.sockets import Connection

from .fetches import Fetch
from .search import Search
from .segments import Cursor, Segment
from .terms import Limits, SubscriberStats

_SKIPPED_BYTES = 1 << 20
"""How much of a segment that nobody wants is read, to spare another connection."""


class Subscription:
    """The reading of one channel.

    Args:
        search: Finds its segments.
        limits: What it bears.
    """

    def __init__(self, search: Search, limits: Limits) -> None:
        self._search = search
        self._lookout = search.lookout
        self._limits = limits
        self._fetch: Fetch | None = None  # Brings the current segment, until that is over.
        self._segment: Segment | None = None
        self._segments = self._bytes = self._interrupted = 0

    @property
    def latest(self) -> int | None:
        """The newest segment that is known to have begun."""
        return self._search.progress.newest

    @property
    def stats(self) -> SubscriberStats:
        """What was done so far."""
        progress = self._search.progress
        return SubscriberStats(
            segments=self._segments,
            bytes=self._bytes,
            empty=self._search.empty,
            gaps=progress.gaps,
            missed=progress.missed,
            restarts=progress.restarts,
            refreshes=self._lookout.refreshes,
            reconnections=self._lookout.reconnections,
            interrupted=self._interrupted,
        )

    @property
    def full(self) -> bool:
        """Whether so much is kept that nothing is read until the slowest reader takes some of it."""
        segment, upcoming = self._segment, self._lookout.fetch
        if self._fetch is None or segment is None or not segment.held_bytes:
            return False
        ahead = sum(map(len, upcoming.parts)) if upcoming else 0
        return segment.held_bytes + ahead >= self._limits.max_buffered_bytes

    def take(self, now: float) -> Segment | None:
        """Return the next segment once its first bytes are here; what is left of the one before is skipped.

        Raises:
            EndOfStreamError: There is none.
            TrickleError: There is none that can be read.
        """
        self._leave(now)
        found = self._search.find(now)
        if found is None:
            return None
        fetch, arrival = found
        segment = Segment(arrival, content_type=fetch.answer.headers.get("content-type", ""))
        self._segments += 1
        self._fetch, self._segment = fetch, segment
        self._add(fetch, segment, fetch.parts)
        self._lookout.keep(now)  # Its connection may be free already.
        return segment

    def pull(self, segment: Segment, cursor: Cursor, now: float) -> bytes | None:
        """Return the next part of a segment for one of its readers: no bytes at its end.

        Raises:
            SegmentInterruptedError: The segment broke off, or was left for the next one.
            ClosedError: The reader is closed.
        """
        while (part := segment.take(cursor)) is None:
            self._lookout.keep(now)
            if self.full or not self._read(now):
                return None
        return part

    def wants_connection(self, now: float) -> bool:
        """Whether a connection should be opened before anything is waited for."""
        return self._lookout.wants_connection(now, spare=self._fetch is None)

    def connected(self, connection: Connection) -> None:
        """Take a connection."""
        self._lookout.connected(connection)

    def unconnected(self, error: UnreachableError, now: float) -> None:
        """Take it that no connection could be opened."""
        self._lookout.unconnected(error, now)

    def watch(self, now: float) -> tuple[list[Connection], float | None]:
        """Return the connections to wait for, and for how many seconds at most."""
        connections, seconds = self._lookout.watch(now)
        if self._fetch is None:
            return connections, seconds
        silent_in = self._fetch.heard_at + self._limits.abandon_seconds - now
        if silent_in <= 0:
            return [self._fetch.connection, *connections], seconds
        # While bytes come, nobody needs to know whether the next segment has begun.
        return [self._fetch.connection], silent_in if seconds is None else min(silent_in, seconds)

    def close(self) -> None:
        """Close all connections; a segment that is being read breaks off."""
        self._break_off("the subscriber was closed")
        self._lookout.stop()

    def _read(self, now: float) -> bool:
        """Read what has come of the current segment; return whether anything is new."""
        fetch, segment = self._fetch, self._segment
        if fetch is None or segment is None:
            return False
        try:
            parts = fetch.receive(now)
            if parts is None and self._is_left_behind(fetch, segment, now):
                parts = fetch.receive(now)  # Its last bytes may have come in the meantime.
                if parts is None:
                    silent_seconds = now - fetch.heard_at
                    self._break_off(f"nothing came of it for {silent_seconds:.1f} seconds, and the channel went on")
                    return True
        except (OSError, ProtocolError) as error:
            self._lookout.troubled = True
            self._break_off(str(error))
            return True
        if parts is None:
            return False
        self._add(fetch, segment, parts)
        return True

    def _is_left_behind(self, fetch: Fetch, segment: Segment, now: float) -> bool:
        """Whether a segment says nothing while the channel goes on.

        Its publisher's connection may have dropped (trickle, table 1, row 20), or this one, unnoticed. The system's
        keepalive finds the second, and the lookout, which asks again and again, a server that has gone.
        """
        silent = now - fetch.heard_at >= self._limits.abandon_seconds
        return silent and self._search.has_passed(segment.arrival.seq, now)

    def _add(self, fetch: Fetch, segment: Segment, parts: list[bytes]) -> None:
        before = segment.received_bytes
        segment.add(parts)
        self._bytes += segment.received_bytes - before
        if fetch.answer.done:
            segment.finish()
            self._fetch = None
            self._lookout.give_back(fetch)

    def _break_off(self, why: str) -> None:
        fetch, self._fetch = self._fetch, None
        if fetch is not None and self._segment is not None:
            fetch.connection.close()
            self._segment.interrupt(why)
            self._interrupted += 1

    def _leave(self, now: float) -> None:
        """Have done with the current segment, and its connection to spare if little of it is left."""
        fetch, segment = self._fetch, self._segment
        if fetch is None or segment is None:
            return
        skipped = 0
        try:
            while not fetch.answer.done and skipped <= _SKIPPED_BYTES:
                parts = fetch.receive(now)
                if parts is None:
                    break
                skipped += sum(map(len, parts))
        except (OSError, ProtocolError):
            pass  # Nobody wants the rest.
        if fetch.answer.done and not skipped:
            segment.finish()
        segment.interrupt("the subscriber went on to the next one")
        self._fetch = None
        self._lookout.give_back(fetch)
