"""Many packets at once: what most of a stream is, read without looking at each of them."""

from .packets import SIZE

_LONGEST_RUN = 4096
_COUNTERS = bytes(0x10 | counter & 0x0F for counter in range(_LONGEST_RUN + 16))
_FIELDS = bytes(value & 0xF0 for value in range(256))
_PAYLOAD_ALONE = 0x10


class Block:
    """Whole packets that came together.

    Args:
        packets: The packets, joined.
    """

    def __init__(self, packets: bytes) -> None:
        self.packets = packets
        """The packets, joined."""

        self.flags = packets[1::SIZE]
        """Of each packet the byte with its flags, and the high bits of its PID."""

        self._pids = packets[2::SIZE]
        self._controls = packets[3::SIZE]
        self._fields = self._controls.translate(_FIELDS)

    def __len__(self) -> int:
        return len(self.flags)

    def pid(self, index: int) -> int:
        """Return the PID of a packet."""
        return (self.flags[index] & 0x1F) << 8 | self._pids[index]

    def begins(self, index: int) -> bool:
        """Return whether something begins in a packet."""
        return self.flags[index] & 0x40 != 0

    def packet(self, index: int) -> bytes:
        """Return a packet."""
        return self.packets[index * SIZE : (index + 1) * SIZE]

    def count_run(self, index: int, counter: int | None) -> int:
        """Return how many packets from one on only go on with what came before, or 0 where that is not so.

        Args:
            index: Which packet.
            counter: What its counter has to be if none was lost.
        """
        if counter is None or self.flags[index] & 0xC0 or self._fields[index] != _PAYLOAD_ALONE:
            return 0
        run = _LONGEST_RUN
        for heads in (self.flags, self._pids, self._fields):
            following = heads[index : index + run]
            run = len(following) - len(following.lstrip(following[:1]))
        return run if self._controls[index : index + run] == _COUNTERS[counter : counter + run] else 0

    def join_payloads(self, index: int, count: int) -> bytearray:
        """Return the payloads of packets of one run."""
        joined = bytearray(self.packets[index * SIZE : (index + count) * SIZE])
        for size in range(SIZE, SIZE - 4, -1):  # Each round takes the first byte out of every packet: its header goes.
            del joined[::size]
        return joined
