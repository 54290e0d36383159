"""Access units in Annex B form: where one begins, and whether decoding can begin there."""

from collections.abc import Sequence

_START = b"\0\0\1"
_DELIMITERS = {"h264": b"\0\0\1\x09", "hevc": b"\0\0\1\x46"}
_NEW_DELIMITERS = {"h264": b"\0\0\0\1\x09\xf0", "hevc": b"\0\0\0\1\x46\x01\x50"}
_SEI = 6
_RECOVERY_POINT = 6


def is_annex_b(data: bytes) -> bool:
    """Return whether data begin as an access unit in this form does."""
    return data.startswith((_START, b"\0" + _START))


def with_delimiter(codec: str, data: bytes) -> bytes:
    """Return an access unit that begins with a delimiter, as a transport stream wants it."""
    if data.startswith(_DELIMITERS[codec], data.find(_START, 0, 4)):
        return data
    return _NEW_DELIMITERS[codec] + data


def starts_keyframe(codec: str, data: bytes) -> bool | None:
    """Return whether decoding can begin at the first picture in the data, or None where there is no picture in them.

    It can at an IDR picture and at a recovery point of H.264, and at any random access picture of HEVC.
    """
    find_answer = _read_hevc if codec == "hevc" else _read_h264
    position = data.find(_START)
    while 0 <= position < len(data) - 3:
        following = data.find(_START, position + 4)
        answer = find_answer(data, position + 3, following)
        if answer is not None:
            return answer
        position = following
    return None


def split_units(codec: str, data: bytes) -> Sequence[bytes]:
    """Return the access units of one PES packet: several, where delimiters within it say so."""
    delimiter = _DELIMITERS[codec]
    if data.rfind(delimiter, 4) < 0:
        return (data,)
    units: list[bytes] = []
    begin, cut = 0, data.find(delimiter, 4)
    while cut >= 0:
        end = cut - 1 if data[cut - 1] == 0 else cut
        if starts_keyframe(codec, data[begin:end]) is not None:
            units.append(data[begin:end])
            begin = end
        cut = data.find(delimiter, cut + 4)
    return [*units, data[begin:]]


def _read_h264(data: bytes, position: int, end: int) -> bool | None:
    kind = data[position] & 0x1F
    if 1 <= kind <= 5:
        return kind == 5
    if kind == _SEI and end > 0 and _has_recovery_point(data[position + 1 : end]):
        return True
    return None


def _read_hevc(data: bytes, position: int, end: int) -> bool | None:
    kind = data[position] >> 1 & 0x3F
    return 16 <= kind <= 23 if kind < 32 else None


def _has_recovery_point(message: bytes) -> bool:
    message = message.replace(b"\0\0\3", b"\0\0")
    position = 0
    while position < len(message) - 2:
        kind, position = _read_number(message, position)
        if kind == _RECOVERY_POINT:
            return True
        size, position = _read_number(message, position)
        position += size
    return False


def _read_number(message: bytes, position: int) -> tuple[int, int]:
    """Return a number, written as bytes of 255 and a last one, and where it ends."""
    rest = message[position:].lstrip(b"\xff")
    last = len(message) - len(rest)
    return 255 * (last - position) + sum(rest[:1]), last + 1
