"""Which segments may be on the wire together, and which number each has.

The server keeps five segments, and a request for a sixth takes the place of the first at its head, before any of its
bytes and whether or not the first has ended (trickle, table 1, rows 24 and 25). What is lost that way may be answered
with a plain 200. So a publisher waits for its oldest segment, not for any one.
"""

from collections import deque
from itertools import islice
from typing import Generic, Protocol, TypeVar

CARRIED = 3
"""How many segments may have bytes on the wire without an acknowledgement."""


class Numbered(Protocol):
    """A segment, as far as its number goes."""

    seq: int

    @property
    def begun(self) -> bool:
        """Whether some of it is on the wire, so that its number is fixed."""
        ...


Item = TypeVar("Item", bound=Numbered)


class Window(Generic[Item]):
    """Segments without an outcome, oldest first.

    Args:
        first: The number of the first segment.
    """

    def __init__(self, first: int) -> None:
        self.next_seq = first
        """The number of the segment that is added next."""

        self.items: deque[Item] = deque()
        """The segments; those that have begun are before those that have not."""

    @property
    def free_seq(self) -> int:
        """The lowest number of which nothing is on the wire but perhaps a head."""
        return next((item.seq for item in self.items if not item.begun), self.next_seq)

    def add(self, item: Item) -> None:
        """Put a segment at the end, and give it its number."""
        item.seq = self.next_seq
        self.next_seq += 1
        self.items.append(item)

    def reach(self) -> list[Item]:
        """Return the segments whose heads may be on the wire: the last of them may send nothing more than its head."""
        if not self.items:
            return []
        end = self.items[0].seq + CARRIED
        return [item for item in islice(self.items, CARRIED + 1) if item.seq <= end]

    def carries(self, seq: int) -> bool:
        """Tell whether a segment's bytes may be on the wire."""
        return seq < self.items[0].seq + CARRIED

    def find(self, seq: int) -> Item | None:
        """Return the segment of a number, if its head may be on the wire."""
        return next((item for item in islice(self.items, CARRIED + 1) if item.seq == seq), None)

    def remove(self, item: Item) -> None:
        """Take out a segment; if it has not begun, its number goes to the one after it."""
        free_seq = None if item.begun else self.free_seq
        self.items.remove(item)
        if free_seq is not None:
            self.renumber(free_seq)

    def renumber(self, seq: int) -> None:
        """Number the segments that have not begun anew.

        Args:
            seq: The number of the first of them; higher than those of the segments that have begun.
        """
        for item in self.items:
            if not item.begun:
                item.seq = seq
                seq += 1
        self.next_seq = seq
