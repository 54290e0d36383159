"""The tables that say what a transport stream holds: which programs there are, and of what each consists."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .codecs import read_track
from .packets import SIZE
from .sections import crc32
from .tracks import Track

PAT_PID = 0
"""Where the table of programs is."""

_PAT, _PMT = 0x00, 0x02
_PIDS = range(0x10, 0x1FFF)


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """What one program consists of."""

    tracks: Sequence[Track]
    """The streams whose codecs are known."""

    pids: frozenset[int]
    """The identifiers of all of its streams' packets."""


def read_pat(section: bytes) -> list[int] | None:
    """Return the PIDs of the programs' tables; None where this is no table of programs, or one for later."""
    if section[0] != _PAT or not section[5] & 1:
        return None
    entries = [section[at : at + 4] for at in range(8, len(section) - 3, 4)]
    pids = [_read_pid(entry[2:]) for entry in entries if entry[:2] != b"\0\0"]
    return [pid for pid in dict.fromkeys(pids) if pid in _PIDS]


def read_pmt(section: bytes) -> Program | None:
    """Return what a program consists of; None where this is no table of one, or one for later."""
    if section[0] != _PMT or not section[5] & 1 or len(section) < 12:
        return None
    tracks: dict[int, Track] = {}
    pids: set[int] = set()
    position = 12 + _read_length(section[10:12])
    while position + 5 <= len(section):
        pid = _read_pid(section[position + 1 :])
        end = position + 5 + _read_length(section[position + 3 : position + 5])
        track = read_track(pid, section[position], section[position + 5 : end])
        if pid in _PIDS:
            pids.add(pid)
            if track:
                tracks[pid] = track
        position = end
    return Program(tracks=tuple(tracks.values()), pids=frozenset(pids))


def write_pat(program: int, pmt_pid: int) -> bytes:
    """Return the packet with a table of one program; its counter is 0."""
    return _packet(PAT_PID, _section(_PAT, 1, program.to_bytes(2) + (0xE000 | pmt_pid).to_bytes(2)))


def write_pmt(program: int, pmt_pid: int, pcr_pid: int, entries: Iterable[bytes]) -> bytes:
    """Return the packet with the table of a program; its counter is 0."""
    body = (0xE000 | pcr_pid).to_bytes(2) + b"\xf0\x00" + b"".join(entries)
    return _packet(pmt_pid, _section(_PMT, program, body))


def _read_pid(data: bytes) -> int:
    return (data[0] & 0x1F) << 8 | data[1]


def _read_length(data: bytes) -> int:
    return (data[0] & 0x0F) << 8 | data[1]


def _section(table: int, number: int, body: bytes) -> bytes:
    length = (0xB000 | len(body) + 9).to_bytes(2)
    section = bytes([table]) + length + number.to_bytes(2) + b"\xc1\x00\x00" + body
    return section + crc32(section).to_bytes(4)


def _packet(pid: int, section: bytes) -> bytes:
    return (b"\x47" + (0x4000 | pid).to_bytes(2) + b"\x10\x00" + section).ljust(SIZE, b"\xff")
