"""Opus in a transport stream: its description, and the header that each packet has there.

It follows ETSI TS 103 491 and RFC 6716; the timestamps of a PES packet are those of its first Opus packet.
"""

from collections.abc import Iterator

CHANNELS_DESCRIPTOR = b"\x7f\x02\x80"
"""The beginning of the descriptor that says how many channels there are."""

_MAPPINGS = {
    # Channels: streams, those that are coupled, and which decoded channel each of the output's is (RFC 7845, 5.1.1.2).
    3: (2, 1, (0, 2, 1)),
    4: (2, 2, (0, 1, 2, 3)),
    5: (3, 2, (0, 4, 1, 2, 3)),
    6: (4, 2, (0, 4, 1, 2, 3, 5)),
    7: (4, 3, (0, 4, 1, 2, 3, 5, 6)),
    8: (5, 3, (0, 6, 1, 2, 3, 4, 5, 7)),
}
_SILK_MILLISECONDS = (10, 20, 40, 60)
_CELT_MILLISECONDS = (2.5, 5, 10, 20)


def opus_head(channels: int) -> bytes | None:
    """Return the OpusHead that a decoder wants, or None for a number of channels that has no usual order.

    Args:
        channels: How many; 0 is two that are no stereo, as a transport stream's descriptor says it.
    """
    if channels == 0:
        return _head(2, 255) + bytes([1, 1, 0, 1])
    if channels <= 2:
        return _head(channels, 0)
    if channels not in _MAPPINGS:
        return None
    streams, coupled, order = _MAPPINGS[channels]
    return _head(channels, 1) + bytes([streams, coupled, *order])


def _head(channels: int, family: int) -> bytes:
    return b"OpusHead\x01" + bytes([channels, 0, 0]) + (48_000).to_bytes(4, "little") + bytes([0, 0, family])


def write_control_header(size: int) -> bytes:
    """Return what stands before an Opus packet of `size` bytes."""
    return b"\x7f\xe0" + b"\xff" * (size // 255) + bytes([size % 255])


def split_packets(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the packets of a PES packet's payload, each with its duration in ticks of 90 kHz, as far as it is whole."""
    position = 0
    while position + 2 < len(data) and data[position] == 0x7F and data[position + 1] & 0xE0 == 0xE0:
        flags = data[position + 1]
        position += 2
        size = 0
        while position < len(data) and data[position] == 0xFF:
            size += 255
            position += 1
        if position == len(data):
            return
        size += data[position]
        position += 1 + 2 * (flags >> 4 & 1) + 2 * (flags >> 3 & 1)
        if flags & 0x04 and position < len(data):
            position += 1 + data[position]
        packet = data[position : position + size]
        if len(packet) < size or not packet:
            return
        yield packet, _duration(packet)
        position += size


def _duration(packet: bytes) -> int:
    """Return a packet's duration by its first bytes (RFC 6716, 3.1 and 3.2), in ticks of 90 kHz."""
    configuration, code = packet[0] >> 3, packet[0] & 3
    if configuration < 12:
        milliseconds: float = _SILK_MILLISECONDS[configuration & 3]
    elif configuration < 16:
        milliseconds = _SILK_MILLISECONDS[configuration & 1]
    else:
        milliseconds = _CELT_MILLISECONDS[configuration & 3]
    frames = (1, 2, 2, packet[1] & 0x3F if len(packet) > 1 else 1)[code]
    return int(milliseconds * 90) * frames
