"""ADTS: the header that a frame of AAC has in a transport stream, and not in other containers."""

_SIZE = 7


def adts_header(extradata: bytes, size: int) -> bytes:
    """Return the header for a frame of AAC.

    Args:
        extradata: The AudioSpecificConfig that the decoder is set up with.
        size: How long the frame is, without the header.

    Raises:
        ValueError: No header can say that: another kind of AAC than the first four, a rate out of the table, channels
            in an order of their own, or a frame that is too long.
    """
    if len(extradata) < 2:
        raise ValueError("an AudioSpecificConfig has at least 2 bytes")
    kind = extradata[0] >> 3
    rate = (extradata[0] & 7) << 1 | extradata[1] >> 7
    channels = extradata[1] >> 3 & 0x0F
    if not 1 <= kind <= 4 or rate > 12 or not 1 <= channels <= 7:
        raise ValueError(f"ADTS has no words for an AudioSpecificConfig of {extradata.hex()}")
    if size + _SIZE >= 1 << 13:
        raise ValueError(f"a frame of {size} bytes is too long for ADTS")
    fields = (kind - 1) << 38 | rate << 34 | channels << 30 | (size + _SIZE) << 13 | 0x7FF << 2
    return b"\xff\xf1" + fields.to_bytes(5)


def is_adts(data: bytes) -> bool:
    """Return whether data begin with such a header."""
    return len(data) >= _SIZE and data[0] == 0xFF and data[1] & 0xF6 == 0xF0
