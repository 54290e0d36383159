"""PES packets: the headers that carry the timestamps of a unit."""

from typing import NamedTuple

from .clock import MASK

START = b"\0\0\1"
"""What a PES packet begins with."""

_WITHOUT_HEADER = frozenset({0xBC, 0xBE, 0xBF, 0xF0, 0xF1, 0xF2, 0xF8, 0xFF})
_LONGEST = 0xFFFF


class PesHeader(NamedTuple):
    """What the header of a PES packet says."""

    pts: int | None
    """When to show its unit, in 33 bits."""

    dts: int | None
    """When to decode it, in 33 bits, if that is another time."""

    size: int
    """How long the header is: the data begin after it."""


def read_header(pes: bytes | bytearray) -> PesHeader | None:
    """Return the header of a PES packet, or None where there is none, or only half of one."""
    if len(pes) < 9 or pes[:3] != START or pes[3] in _WITHOUT_HEADER or pes[6] & 0xC0 != 0x80:
        return None
    size = 9 + pes[8]
    has_pts = pes[7] & 0x80 and pes[8] >= 5
    has_dts = pes[7] & 0xC0 == 0xC0 and pes[8] >= 10
    if size > len(pes):
        return None
    return PesHeader(_read_time(pes, 9) if has_pts else None, _read_time(pes, 14) if has_dts else None, size)


def write_header(stream_id: int, size: int, *, pts: int, dts: int) -> bytes:
    """Return the header before `size` bytes of data; it does not say how many where those are too many.

    Args:
        stream_id: What kind of stream it is in.
        size: How many bytes of data follow.
        pts: When to show them; of any size, of which 33 bits are written.
        dts: When to decode them, likewise.
    """
    if pts == dts:
        flags, times = 0x80, _write_time(0x20, pts)
    else:
        flags, times = 0xC0, _write_time(0x30, pts) + _write_time(0x10, dts)
    length = 3 + len(times) + size
    length = length if length <= _LONGEST else 0
    return START + bytes([stream_id]) + length.to_bytes(2) + bytes([0x84, flags, len(times)]) + times


def is_unlimited(pes: bytes) -> bool:
    """Return whether a PES packet does not say how long it is."""
    return pes[4:6] == b"\0\0"


def with_padding(pes: bytes) -> bytes:
    """Return a PES packet of unknown length with one byte more in its header."""
    size = 9 + pes[8]
    return pes[:8] + bytes([pes[8] + 1]) + pes[9:size] + b"\xff" + pes[size:]


def _read_time(data: bytes | bytearray, at: int) -> int:
    first, second, third, fourth, fifth = data[at : at + 5]
    return (first >> 1 & 7) << 30 | second << 22 | (third >> 1) << 15 | fourth << 7 | fifth >> 1


def _write_time(prefix: int, time: int) -> bytes:
    time &= MASK
    high, middle, low = time >> 30, time >> 15 & 0x7FFF, time & 0x7FFF
    return (((prefix | high << 1 | 1) << 16 | middle << 1 | 1) << 16 | low << 1 | 1).to_bytes(5)
