"""A transport stream to units, each handed on with its last byte."""

from collections.abc import Callable, Sequence

from .assembler import Assembler
from .blocks import Block
from .clock import Clock
from .ends import End
from .packets import Alignment
from .program import ProgramReader
from .tables import Program
from .tracks import Track, Unit

_MOST_TRACKS = 16


class Demuxer:
    """Bytes of a transport stream to the units of one program: the first in its table that has a known track.

    Nothing that comes raises: what is no packet is skipped, what is incomplete is marked, and both are counted.

    Args:
        on_loss: Takes how many packets are missing, whenever some are.
    """

    def __init__(self, *, on_loss: Callable[[int], None] | None = None) -> None:
        self.tracks: Sequence[Track] = ()
        """The tracks of the program, by its newest table; those of unknown codecs are left out."""

        self.lost_packets = 0
        """How many packets of the tracks are missing."""

        self._on_loss = on_loss
        self._alignment = Alignment()
        self._rest_arrived = 0.0
        self._clock = Clock()
        self._units: list[Unit] = []
        self._program = ProgramReader(self._adopt)
        self._pids: frozenset[int] = frozenset()
        self._assemblers: dict[int, Assembler] = {}

    @property
    def skipped_bytes(self) -> int:
        """How many bytes belonged to no packet."""
        return self._alignment.skipped_bytes

    def feed(self, data: bytes, now: float) -> list[Unit]:
        """Take bytes, and return the units that are complete by them.

        Args:
            data: As much of the stream as there is.
            now: When it came.
        """
        arrived = self._rest_arrived if self._alignment.rest else now
        packets = self._alignment.feed(data)
        if packets:
            self._read(Block(packets), arrived, now)
            arrived = now
        self._rest_arrived = arrived
        return self._take()

    def end_segment(self) -> list[Unit]:
        """Return the units that are complete because the segment ended; counters may begin anew in the next."""
        is_cut_off = self._alignment.end()
        for assembler in self._assemblers.values():
            assembler.end_segment(is_cut_off=is_cut_off)
        return self._take()

    def idle(self) -> list[Unit]:
        """Return the units that seem complete because nothing came for a moment."""
        if not self._alignment.rest:
            for assembler in self._assemblers.values():
                assembler.end(End.SILENCE)
        return self._take()

    def restart(self) -> None:
        """Forget all that is half there, but not the tables: what comes next does not follow what came."""
        self._alignment.end()
        self._program.restart()
        for assembler in self._assemblers.values():
            assembler.restart()

    def _take(self) -> list[Unit]:
        units, self._units = self._units, []
        return units

    def _read(self, block: Block, first_arrived: float, arrived: float) -> None:
        """Read whole packets: one by one where something begins or ends, and in one go what lies between."""
        index = 0
        while index < len(block):
            assembler = self._assemblers.get(block.pid(index))
            run = 0
            if assembler is None:
                self._read_other(block, index)
            else:
                run = block.count_run(index, assembler.next_counter) if assembler.is_open else 0
                if run:
                    assembler.read_run(block.join_payloads(index, run), run)
                else:
                    self._read_packet(assembler, block, index, arrived if index else first_arrived)
            index += run or 1

    def _read_packet(self, assembler: Assembler, block: Block, index: int, arrived: float) -> None:
        if block.begins(index):
            self._end_others(assembler)
        assembler.read(block.packet(index), arrived)

    def _read_other(self, block: Block, index: int) -> None:
        """Read a packet that is of no track: of a table, or of a stream that is left out."""
        pid = block.pid(index)
        reader = self._program.readers.get(pid)
        if reader is not None:
            reader.read(block.packet(index))
        elif pid in self._pids and block.begins(index):
            self._end_others(None)

    def _end_others(self, beginning: Assembler | None) -> None:
        for assembler in self._assemblers.values():
            if assembler is not beginning and assembler.is_open:
                assembler.end(End.OTHER_START)

    def _adopt(self, program: Program) -> None:
        """Go by a program's table: tracks that it goes on with go on."""
        before = self._assemblers
        tracks = [track for track in program.tracks if track.pid not in self._program.readers]
        self.tracks = tuple(tracks[:_MOST_TRACKS])
        self._pids = program.pids
        self._assemblers = {track.pid: self._assemble(track, before.get(track.pid)) for track in self.tracks}
        for pid, assembler in before.items():
            if self._assemblers.get(pid) is not assembler:
                assembler.finish()

    def _assemble(self, track: Track, before: Assembler | None) -> Assembler:
        if before is not None and before.track == track:
            return before
        return Assembler(track, self._clock, on_unit=lambda unit: self._units.append(unit), on_loss=self._lose)

    def _lose(self, packets: int) -> None:
        self.lost_packets += packets
        if self._on_loss:
            self._on_loss(packets)
