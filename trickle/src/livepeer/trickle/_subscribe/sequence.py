"""Which segment a subscription asks for next, and which ones it has missed (trickle, section 1).

`Latest` is the server's word for the number that is written next. It goes up with the first byte of a segment, and may
lag by a few numbers while a publisher's segments overtake each other; a publisher that begins anew sets it back.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from livepeer.trickle._errors import FellBehindError
from livepeer.trickle._outcomes import Gap

Start = int | Literal["current", "next", "earliest"]
"""Where a subscription begins: at a number, at the newest segment that is written or being written, at the one after
it, or at the oldest one that the server still has."""

Lag = Literal["latest", "earliest", "fail"]
"""What becomes of a subscription that was too slow: it goes on at the newest segment, or at the oldest one that the
server still has, or fails."""

CURRENT = -2
"""Asks for the newest segment (trickle, table 1, row 10)."""

RING_SEGMENTS = 5
"""How many segments a server keeps (trickle, section 1)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrival:
    """A segment that has come, and how it follows on the one before."""

    seq: int
    """Its number."""

    gap: Gap | None
    """What was missed just before it, from the first to the last; empty segments may be between them."""

    restarted: bool
    """Whether the numbers began anew with it, or shortly before it."""


class Progress:
    """Where a subscription is in its channel.

    Args:
        start: Where it begins.
        lag: What becomes of it when it was too slow.

    Raises:
        ValueError: One of them is none.
    """

    def __init__(self, *, start: Start, lag: Lag) -> None:
        _check(start, lag)
        self.ask: int | None = {"current": CURRENT}.get(start) if isinstance(start, str) else start
        """The number to ask for; None asks the server which segment is next."""

        self.newest: int | None = None
        """The newest segment that is known to have begun."""

        self.gaps = 0
        """How often segments were missed."""

        self.missed = 0
        """How many segments were missed."""

        self.restarts = 0
        """How often the numbers began anew."""

        self._lag = lag
        self._due = start if isinstance(start, int) else None  # The first one that has not come; None: any is welcome.
        self._gap: Gap | None = None  # Known, and not told yet.
        self._climbing = start == "earliest"  # Towards the oldest segment that the server still has.
        self._placed = False  # Whether the server has said where it is: lower numbers are then another publication's.
        self._restarted = False

    def located(self, latest: int) -> None:
        """Take the server's word that segment `latest` is next."""
        self.newest = latest - 1 if latest else None
        self._placed = True
        if self._climbing:
            self.ask = max(0, latest - RING_SEGMENTS)
        else:
            self.ask = self._due = latest

    def waited(self) -> None:
        """Take it that the newest segment was asked for, and none came: the channel is empty.

        Asked for by its number, the first segment cannot slip away between two requests.
        """
        if self.ask == CURRENT:
            self.ask = 0

    def arrived(self, seq: int, latest: int | None) -> Arrival:
        """Take a segment; ask for the one after it."""
        gap = self._pass(seq, latest)
        arrival = Arrival(seq=seq, gap=gap, restarted=self._restarted)
        self._gap = None
        self._restarted = False
        return arrival

    def skipped(self, seq: int, latest: int | None) -> None:
        """Take a segment without bytes: there is nothing to read, and nothing was missed."""
        self._gap = self._pass(seq, latest)
        if latest is not None and latest < seq and self._began_anew(latest, troubled=False) and not self._restarted:
            self._restart(latest)

    def refused(self, latest: int, *, troubled: bool) -> bool:
        """Take the answer that the server does not have the segment asked for (trickle, table 1, row 13).

        Args:
            latest: The number that is written next.
            troubled: Whether the server was out of reach since the last answer, and may have forgotten everything.

        Returns:
            Whether there is another segment to ask for at once; otherwise it is too early, and has to be asked again.

        Raises:
            FellBehindError: Segments were missed, which this subscription does not allow.
        """
        asked = latest - 1 if self.ask is None or self.ask == CURRENT else self.ask
        if self._began_anew(latest, troubled=troubled):
            self._restart(latest)
            return True
        if latest <= asked:
            return False
        self.newest = latest - 1
        if self._lag == "fail" and self._due is not None:
            gap = Gap(first=self._due, last=latest - 1)
            self._count(gap)
            raise FellBehindError(gap=gap)
        self.ask = self._after(asked, latest)
        return True

    def finish(self) -> None:
        """Take it that no segment follows; count what was on the way to the last one asked for."""
        if self._due is not None and self.newest is not None and self.newest >= self._due:
            self._count(Gap(first=self._due, last=self.newest))
            self._due = self.newest + 1

    def _after(self, asked: int, latest: int) -> int:
        if self._climbing or self._lag == "earliest":
            return max(asked + 1, latest - RING_SEGMENTS)
        return latest - 1 if latest - 1 > asked else latest

    def _began_anew(self, latest: int, *, troubled: bool) -> bool:
        """Whether the numbers were set back.

        A Latest that is only a little below the number asked for says nothing: the publisher's segments may have
        overtaken each other. Should it have begun anew so close, the server drops what it sends for the numbers that
        were there before (trickle, table 1, row 19), so that nothing is missed by waiting.
        """
        asked = self.ask
        if asked is None or asked < 0 or latest >= asked:
            return False
        return asked - latest >= RING_SEGMENTS or (self._placed and (troubled or latest == 0))

    def _restart(self, latest: int) -> None:
        self.finish()  # The numbers begin anew, so that no segment can tell of what was missed of the old ones.
        self.restarts += 1
        self._restarted = True
        self._due = 0
        self._gap = None
        self.newest = latest - 1 if latest else None
        oldest = {"latest": latest - 1, "earliest": latest - RING_SEGMENTS, "fail": 0}[self._lag]
        self.ask = max(0, oldest)

    def _pass(self, seq: int, latest: int | None) -> Gap | None:
        """Go on to the segment after `seq`; return what was missed until there, with what is not told yet."""
        gap = self._gap
        if self._due is not None and seq > self._due:
            self._count(missed := Gap(first=self._due, last=seq - 1))
            gap = Gap(first=gap.first, last=missed.last) if gap else missed
        self._climbing = False
        self._placed = True
        self._due = self.ask = seq + 1
        self.newest = max(seq, (latest or 0) - 1)
        return gap

    def _count(self, gap: Gap) -> None:
        self.gaps += 1
        self.missed += gap.count


def _check(start: object, lag: object) -> None:
    words = ("current", "next", "earliest")
    number = isinstance(start, int) and not isinstance(start, bool) and start >= 0
    if not number and start not in words:
        raise ValueError(f"a subscription starts at 'current', 'next', 'earliest' or a number from 0, not at {start!r}")
    if lag not in get_args(Lag):
        raise ValueError(f"lag is 'latest', 'earliest' or 'fail', not {lag!r}")
