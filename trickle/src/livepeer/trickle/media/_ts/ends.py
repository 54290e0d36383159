"""Where units end: rules that say so before the next unit begins, and how far each is believed."""

from enum import IntEnum

_BELIEVED = 3
_DOUBTED = -2


class End(IntEnum):
    """A reason to take a unit to have ended (trickle, section 7)."""

    LENGTH = 0
    """It is as long as its header says."""

    STUFFING = 1
    """Its packet was filled up: there was nothing left to put into it."""

    SEGMENT_END = 2
    """The segment ended."""

    OTHER_START = 3
    """A unit of another track begins."""

    SILENCE = 4
    """Nothing came for a moment."""


class Rules:
    """How far each rule is believed on one track.

    The next packet of the track tells whether a rule was right. One that was wrong a few times is believed no more,
    until it was right a few times in a row. Of the last two, which decide only where a unit fills its last packet
    exactly, that is asked from the beginning: a muxer may mix its tracks, and a sender may pause anywhere, and a unit
    that is cut short does more harm than one that comes late.
    """

    def __init__(self) -> None:
        self._belief = [_DOUBTED if rule in (End.OTHER_START, End.SILENCE) else _BELIEVED for rule in End]
        self._said: list[End] = []

    def believe(self, rule: End) -> bool:
        """Return whether a rule is believed."""
        return self._belief[rule] > 0

    def say(self, rule: End) -> bool:
        """Note that by this rule a unit has ended; returns whether it is believed."""
        if rule not in self._said:
            self._said.append(rule)
        return self._belief[rule] > 0

    def judge(self, *, has_ended: bool) -> None:
        """Note whether the unit had ended when it was said to have."""
        for rule in self._said:
            if has_ended:
                self._belief[rule] = min(self._belief[rule] + 1, _BELIEVED)
            else:
                self.contradict(rule)
        self._said.clear()

    def contradict(self, rule: End) -> None:
        """Note that a rule was wrong."""
        belief = self._belief[rule]
        self._belief[rule] = belief - 1 if belief > 1 else _DOUBTED

    def forget(self) -> None:
        """Note that it will not be known whether what was said is right."""
        self._said.clear()
