"""A transport stream, cut into segments that can each be decoded alone."""

from dataclasses import dataclass

from .blocks import Block
from .clock import MASK
from .nal import starts_keyframe
from .packets import SIZE, Alignment, payload_start
from .pes import read_header
from .program import ProgramReader
from .tables import PAT_PID, Program
from .tracks import Track

_TOLERANCE_TICKS = 1_800
_LONGEST_SEARCH = 1 << 16
_LONGEST_TABLE = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Cut:
    """Packets of one segment."""

    data: bytes
    """The packets."""

    starts_segment: bool
    """Whether a new segment begins with them, the tables first."""


class Segmenter:
    """Cuts a stream at keyframes, or by time where there is no video; its packets stay what they are.

    The tables are repeated at the head of every segment. What comes before the first tables belongs to nothing, and is
    left out.

    Args:
        seconds: How long a segment is before the next keyframe begins another.

    Raises:
        ValueError: `seconds` is not more than 0.
    """

    def __init__(self, *, seconds: float = 1.0) -> None:
        if not seconds > 0:
            raise ValueError("seconds has to be more than 0")
        self._ticks = seconds * 90_000
        self._alignment = Alignment()
        self._program = ProgramReader(self._adopt)
        self._tables = {PAT_PID: _TablePackets()}
        self._leading: Track | None = None
        self._began: int | None = None
        self._search: _Search | None = None
        self._output: list[bytes] = []
        self._is_started = False
        self._cut_starts_segment = False
        self._cuts: list[Cut] = []

    def feed(self, data: bytes) -> list[Cut]:
        """Take bytes, and return what can be sent of them, in order."""
        block = Block(self._alignment.feed(data))
        begin = 0
        for index in range(len(block)):
            pid = block.pid(index)
            if pid in self._program.readers:
                read = self._read_table
            elif self._leading and pid == self._leading.pid and (self._search or block.begins(index)):
                read = self._read_leading
            else:
                continue
            self._put(block.packets[begin * SIZE : index * SIZE])
            begin = index + 1
            read(pid, block.packet(index))
        self._put(block.packets[begin * SIZE :])
        return self._take()

    def finish(self) -> list[Cut]:
        """Return what was held back to know whether a segment begins with it; half a packet at the end is left out."""
        self._alignment.end()
        self._end_search(is_keyframe=False)
        return self._take()

    def _take(self) -> list[Cut]:
        self._end_cut()
        cuts, self._cuts = self._cuts, []
        return cuts

    def _put(self, packets: bytes) -> None:
        if not self._is_started or not packets:
            return
        if self._search is None:
            self._output.append(packets)
        elif self._search.hold(packets) > _LONGEST_SEARCH:
            self._end_search(is_keyframe=False)

    def _end_cut(self) -> None:
        if self._output:
            self._cuts.append(Cut(data=b"".join(self._output), starts_segment=self._cut_starts_segment))
            self._output = []
            self._cut_starts_segment = False

    def _begin_segment(self) -> None:
        self._end_cut()
        self._cut_starts_segment = self._is_started = True
        self._output = [self._tables[pid].repeat() for pid in (PAT_PID, self._program.pid) if pid in self._tables]

    def _read_table(self, pid: int, packet: bytes) -> None:
        packets = self._tables.setdefault(pid, _TablePackets())
        was_started = self._is_started
        numbered = packets.take(packet)
        self._program.readers[pid].read(packet)
        if was_started:
            self._put(numbered)

    def _adopt(self, program: Program) -> None:
        self._end_search(is_keyframe=False)
        videos = [track for track in program.tracks if track.kind == "video"]
        self._leading = next(iter([*videos, *program.tracks]), None)
        if not self._is_started:
            self._begin_segment()

    def _read_leading(self, _pid: int, packet: bytes) -> None:
        """Read a packet of the track by which the stream is cut: one that begins a unit, or one of a unit searched."""
        payload = packet[payload_start(packet) :]
        if packet[1] & 0x40:
            self._end_search(is_keyframe=False)
            header = read_header(payload)
            if header is not None and header.pts is not None and self._is_due(header.pts):
                self._search = _Search(pts=header.pts)
        self._put(packet)
        if self._search:
            self._search_on(self._search, payload)

    def _is_due(self, pts: int) -> bool:
        if self._began is None:
            self._began = pts
            return False
        return (pts - self._began) & MASK >= self._ticks - _TOLERANCE_TICKS

    def _search_on(self, search: "_Search", payload: bytes) -> None:
        assert self._leading is not None
        search.pes += payload
        header = read_header(search.pes)
        found: bool | None = True
        if self._leading.kind == "video":
            found = starts_keyframe(self._leading.codec, bytes(search.pes[header.size :])) if header else None
        if found is not None:
            self._end_search(is_keyframe=found)

    def _end_search(self, *, is_keyframe: bool) -> None:
        search, self._search = self._search, None
        if search is None:
            return
        if is_keyframe:
            self._begin_segment()
            self._began = search.pts
        self._output += search.held


class _Search:
    """Packets that are held back until it is known whether the unit that they begin with is a keyframe."""

    def __init__(self, *, pts: int) -> None:
        self.pts = pts
        self.pes = bytearray()
        self.held: list[bytes] = []
        self._held_bytes = 0

    def hold(self, packets: bytes) -> int:
        """Hold packets back; returns how many bytes there are by now."""
        self.held.append(packets)
        self._held_bytes += len(packets)
        return self._held_bytes


class _TablePackets:
    """The packets of a table, to repeat, with counters that go on over the repetitions."""

    def __init__(self) -> None:
        self._newest: list[bytes] = []
        self._counter = 0

    def take(self, packet: bytes) -> bytes:
        """Take a packet of the stream; returns it with the counter that it has to have."""
        if packet[1] & 0x40:
            self._newest = []
        if len(self._newest) < _LONGEST_TABLE:
            self._newest.append(packet)
        return self._number(packet)

    def repeat(self) -> bytes:
        """Return the newest packets once more."""
        return b"".join([self._number(packet) for packet in self._newest])

    def _number(self, packet: bytes) -> bytes:
        counter = self._counter
        self._counter = (counter + 1) & 0x0F
        return packet[:3] + bytes([packet[3] & 0xF0 | counter]) + packet[4:]
