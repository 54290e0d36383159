"""Which program of a transport stream is read, and of what it consists at the moment."""

from collections.abc import Callable
from functools import partial

from .sections import SectionReader
from .tables import PAT_PID, Program, read_pat, read_pmt


class ProgramReader:
    """The tables of a stream, and the one program that is read: the first whose table tells of a known track.

    Args:
        on_program: Takes what the program consists of, whenever that may have changed.
    """

    def __init__(self, on_program: Callable[[Program], None]) -> None:
        self.readers = {PAT_PID: SectionReader(self._read_pat)}
        """By its PID, what reads the packets of each table."""

        self.pid: int | None = None
        """The PID of the program's own table, once there is one."""

        self._on_program = on_program

    def restart(self) -> None:
        """Forget what is half read: what comes next does not follow."""
        for reader in self.readers.values():
            reader.restart()

    def _read_pat(self, section: bytes) -> None:
        pids = read_pat(section)
        if pids is None:
            return
        pmts = {pid: SectionReader(partial(self._read_pmt, pid)) for pid in pids}
        self.readers = {PAT_PID: self.readers[PAT_PID], **pmts}
        if self.pid not in pids:
            self.pid = None

    def _read_pmt(self, pid: int, section: bytes) -> None:
        program = read_pmt(section)
        if program is None or self.pid not in (None, pid):
            return
        if program.tracks or self.pid == pid:
            self.pid = pid if program.tracks else None
            self._on_program(program)
