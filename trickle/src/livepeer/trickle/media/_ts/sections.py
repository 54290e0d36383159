"""Sections: how tables travel in packets, and the checksum that they end with."""

import zlib
from collections.abc import Callable

from .packets import SIZE, payload_start

_LONGEST = 1024
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))


class SectionReader:
    """The sections of one PID, each of them handed on once until it changes.

    Args:
        on_section: Takes a section whose checksum is right, from its `table_id` on and without the checksum.
    """

    def __init__(self, on_section: Callable[[bytes], None]) -> None:
        self._on_section = on_section
        self._buffer = b""
        self._is_open = False
        self._counter = -1
        self._last = b""

    def read(self, packet: bytes) -> None:
        """Take a packet of this PID."""
        start = payload_start(packet)
        if start >= SIZE or packet[1] & 0x80 or packet[3] & 0xC0:
            return
        counter = packet[3] & 0x0F
        if counter != (self._counter + 1) & 0x0F:
            self._is_open = False
        self._counter = counter
        if not packet[1] & 0x40:
            self._go_on(packet[start:])
            return
        begin = start + 1 + packet[start]
        self._go_on(packet[start + 1 : begin])
        self._buffer = b""
        self._is_open = True
        self._go_on(packet[begin:])

    def restart(self) -> None:
        """Forget a section that is half there: what comes next does not follow."""
        self._is_open = False

    def _go_on(self, data: bytes) -> None:
        if not self._is_open:
            return
        self._buffer += data
        while len(self._buffer) >= 3 and self._buffer[0] != 0xFF:
            size = 3 + ((self._buffer[1] & 0x0F) << 8 | self._buffer[2])
            if size > _LONGEST:
                break
            if size > len(self._buffer):
                return
            section, self._buffer = self._buffer[:size], self._buffer[size:]
            self._hand_on(section)
        self._is_open = len(self._buffer) < 3 and self._buffer[:1] != b"\xff"

    def _hand_on(self, section: bytes) -> None:
        if section == self._last or len(section) < 12 or crc32(section) != 0:
            return
        self._last = section
        self._on_section(section[:-4])


def crc32(data: bytes) -> int:
    """Return the checksum of sections: 0 over a whole one.

    It is zlib's with the bits of every byte, and of the result, the other way round.
    """
    value = zlib.crc32(data.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int.from_bytes(value.to_bytes(4, "little").translate(_REVERSED), "big")
