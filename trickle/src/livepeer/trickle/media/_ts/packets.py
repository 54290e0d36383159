"""The packets of 188 bytes: finding where they begin, and what their headers say."""

SIZE = 188
"""How long a packet is."""

SYNC = 0x47
"""The byte that each begins with."""

_SYNC = b"\x47"


class Alignment:
    """Bytes to whole packets, in whatever pieces they come and whatever lies between them."""

    def __init__(self) -> None:
        self.skipped_bytes = 0
        """How many bytes belonged to no packet."""

        self.rest = b""
        """What came after the last whole packet."""

        self._is_locked = True

    def feed(self, data: bytes) -> bytes:
        """Take a piece, and return the whole packets that there are now, joined."""
        data = self.rest + data if self.rest else data
        whole = len(data) - len(data) % SIZE
        if self._is_locked and data[:whole:SIZE].count(_SYNC) * SIZE == whole:
            self.rest = data[whole:]
            return data[:whole]
        return self._sort_out(data)

    def end(self) -> bool:
        """Forget what is not a whole packet; returns whether there was something."""
        dropped, self.rest = len(self.rest), b""
        self.skipped_bytes += dropped
        self._is_locked = True
        return dropped > 0

    def _sort_out(self, data: bytes) -> bytes:
        packets: list[bytes] = []
        position = 0
        while True:
            if not self._is_locked:
                begin = _find_packets(data, position)
                self.skipped_bytes += begin - position
                position = begin
                if len(data) - position <= 2 * SIZE:
                    break
                self._is_locked = True
            syncs = data[position::SIZE]
            end = position + (len(syncs) - len(syncs.lstrip(_SYNC))) * SIZE
            if end > len(data):  # The last one has only begun.
                end -= SIZE
            packets.append(data[position:end])
            position = end
            if data[position : position + 1] in (_SYNC, b""):
                break
            self._is_locked = False
        self.rest = data[position:]
        return b"".join(packets)


def _find_packets(data: bytes, position: int) -> int:
    """Return where three packets in a row may begin, from `position` on; what lies beyond the data may be anything."""
    while (position := data.find(_SYNC, position)) >= 0:
        if data[position : position + 2 * SIZE + 1 : SIZE].strip(_SYNC) == b"":
            return position
        position += 1
    return len(data)


def payload_start(packet: bytes) -> int:
    """Return where a packet's payload begins: at its end, or beyond it, where it has none."""
    control = packet[3]
    if not control & 0x10:
        return SIZE
    return 5 + packet[4] if control & 0x20 else 4


def is_discontinuous(packet: bytes) -> bool:
    """Return whether a packet says that its counter need not follow the last one's."""
    return bool(packet[3] & 0x20 and packet[4] and packet[5] & 0x80)


def is_stuffed(packet: bytes) -> bool:
    """Return whether a packet was filled up: its adaptation field is longer than what it holds."""
    if not packet[3] & 0x20:
        return False
    length = packet[4]
    if length < 2:
        return length == 0 or packet[5] == 0
    flags = packet[5]
    needed = 1
    if flags & 0x10:
        needed += 6
    if flags & 0x08:
        needed += 6
    if flags & 0x04:
        needed += 1
    for flag in (0x02, 0x01):  # Private data, and the extension: each says its length itself.
        if flags & flag and 5 + needed < SIZE:
            needed += 1 + packet[5 + needed]
    return length > needed
