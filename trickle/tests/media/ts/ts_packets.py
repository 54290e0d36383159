"""Streams taken apart into packets, and packets made by hand."""

from collections.abc import Iterable
from typing import NamedTuple

from livepeer.trickle.media._ts.sections import crc32
from livepeer.trickle.media._ts.tables import write_pat, write_pmt

SIZE = 188
VIDEO, AUDIO, OTHER = 0x100, 0x101, 0x102
PMT = 0x1000
PICTURE = b"\0\0\0\1\x09\xf0\0\0\0\1\x41"
"""The beginning of a picture that is no keyframe."""


class Place(NamedTuple):
    """Where a PES packet is in a stream, in packets."""

    pid: int
    first: int
    last: int


def packets_of_stream(stream: bytes) -> list[bytes]:
    assert len(stream) % SIZE == 0
    return [stream[at : at + SIZE] for at in range(0, len(stream), SIZE)]


def pid_of(packet: bytes) -> int:
    return (packet[1] & 0x1F) << 8 | packet[2]


def begins(packet: bytes) -> bool:
    return bool(packet[1] & 0x40)


def numbered(packet: bytes, counter: int) -> bytes:
    return packet[:3] + bytes([packet[3] & 0xF0 | counter & 0x0F]) + packet[4:]


def places(packets: list[bytes], pids: Iterable[int] = (VIDEO, AUDIO)) -> list[Place]:
    """Where each PES packet is, in the order in which they end."""
    found: list[Place] = []
    for pid in pids:
        mine = [index for index, packet in enumerate(packets) if pid_of(packet) == pid]
        firsts = [index for index in mine if begins(packets[index])]
        for first, following in zip(firsts, [*firsts[1:], len(packets)], strict=True):
            found.append(Place(pid, first, max(index for index in mine if first <= index < following)))
    return sorted(found, key=lambda place: place.last)


def tables(*entries: bytes) -> bytes:
    """A stream's tables, by default of H.264 and AAC."""
    entries = entries or (entry(0x1B, VIDEO), entry(0x0F, AUDIO))
    return write_pat(1, PMT) + write_pmt(1, PMT, VIDEO, entries)


def entry(stream_type: int, pid: int, descriptors: bytes = b"") -> bytes:
    return bytes([stream_type]) + (0xE000 | pid).to_bytes(2) + (0xF000 | len(descriptors)).to_bytes(2) + descriptors


def pes(data: bytes, *, pts: int | None = 0, length: int | None = 0, stream_id: int = 0xE0) -> bytes:
    """A PES packet, by default of unknown length; None gives it the right one."""
    times = b"" if pts is None else time(pts)
    head = bytes([0x80, 0x80 if times else 0, len(times)]) + times
    length = len(head) + len(data) if length is None else length
    return b"\0\0\1" + bytes([stream_id]) + length.to_bytes(2) + head + data


def time(pts: int) -> bytes:
    bits = f"0010{pts >> 30 & 7:03b}1{pts >> 15 & 0x7FFF:015b}1{pts & 0x7FFF:015b}1"
    return int(bits, 2).to_bytes(5)


def cut(data: bytes, *, pid: int = VIDEO, counter: int = 0, last_is_filled_up: bool = True) -> list[bytes]:
    """Packets of a PES packet; without filling up the last one, its length has to fit."""
    pieces = [data[at : at + 184] for at in range(0, len(data), 184)]
    assert last_is_filled_up or len(pieces[-1]) == 184
    return [packet(piece, pid=pid, counter=counter + index, begins=index == 0) for index, piece in enumerate(pieces)]


def packet(payload: bytes, *, pid: int = VIDEO, counter: int = 0, begins: bool = False, fields: bytes = b"") -> bytes:
    """One packet; the adaptation field holds `fields`, from its flags on, and fills it up."""
    head = b"\x47" + (0x4000 * begins | pid).to_bytes(2)
    room = 184 - len(payload)
    if not room:
        return head + bytes([0x10 | counter & 15]) + payload
    field = (fields or b"\0" * (room > 1)).ljust(room - 1, b"\xff")
    return head + bytes([0x30 | counter & 15, room - 1]) + field + payload


def section_packet(pid: int, table: int, number: int, body: bytes, *, counter: int = 0) -> bytes:
    """A packet with a table."""
    section = bytes([table]) + (0xB000 | len(body) + 9).to_bytes(2) + number.to_bytes(2) + b"\xc1\0\0" + body
    payload = b"\0" + section + crc32(section).to_bytes(4)
    return b"\x47" + (0x4000 | pid).to_bytes(2) + bytes([0x10 | counter]) + payload.ljust(184, b"\xff")
