"""PES packets to packets of one track, ready to send."""

from .clock import MASK
from .packets import SIZE
from .pes import is_unlimited, with_padding

_ROOM = SIZE - 4
_KEYFRAME = 0x40
_CLOCK = 0x10


class Packetizer:
    """The packets of one PID, with its counter."""

    def __init__(self, pid: int) -> None:
        self._begin = b"\x47" + (0x4000 | pid).to_bytes(2)
        self._go_on = b"\x47" + pid.to_bytes(2)
        self._heads = [self._go_on + bytes([0x10 | counter]) for counter in range(16)] * 2
        self._counter = 0

    def write(self, pes: bytes, *, is_keyframe: bool = False, clock: int | None = None) -> bytes:
        """Return the packets of a PES packet; only its last one is filled up.

        Args:
            pes: The whole of it.
            is_keyframe: Whether decoding can begin there.
            clock: What time it is, in ticks of 90 kHz, for the tracks that tell it.
        """
        fields = _write_fields(is_keyframe, clock)
        room = _ROOM - (len(fields) + 1 if fields else 0)
        if len(pes) <= room:
            return self._packet(self._begin, fields, pes)
        if (len(pes) - room) % _ROOM == 0 and is_unlimited(pes):
            pes = with_padding(pes)  # So that there is a packet to fill up, by which a reader knows the end.
        packets = [self._packet(self._begin, fields, pes[:room])]
        whole = (len(pes) - room) // _ROOM
        end = room + whole * _ROOM
        self._write_whole(packets, pes, room, end)
        if end < len(pes):
            packets.append(self._packet(self._go_on, b"", pes[end:]))
        return b"".join(packets)

    def _write_whole(self, packets: list[bytes], pes: bytes, begin: int, end: int) -> None:
        counter = self._counter
        heads = self._heads
        for position in range(begin, end, _ROOM):
            packets += heads[counter], pes[position : position + _ROOM]
            counter = (counter + 1) & 0x0F
        self._counter = counter

    def _packet(self, head: bytes, fields: bytes, payload: bytes) -> bytes:
        """Return a packet with an adaptation field, if it has anything to say or is to fill the packet up."""
        counter = self._counter
        self._counter = (counter + 1) & 0x0F
        length = _ROOM - 1 - len(payload)
        if length < 0:
            return head + bytes([0x10 | counter]) + payload
        if length and not fields:
            fields = b"\0"
        return head + bytes([0x30 | counter, length]) + fields.ljust(length, b"\xff") + payload


def _write_fields(is_keyframe: bool, clock: int | None) -> bytes:
    flags = _KEYFRAME if is_keyframe else 0
    if clock is None:
        return bytes([flags]) if flags else b""
    return bytes([flags | _CLOCK]) + ((clock & MASK) << 15 | 0x7E00).to_bytes(6)
