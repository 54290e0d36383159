"""Codecs as the tables of a transport stream name them, in both directions."""

from .opus import CHANNELS_DESCRIPTOR, opus_head
from .tracks import Kind, Track

_STREAM_TYPES: dict[str, tuple[Kind, int]] = {
    "h264": ("video", 0x1B),
    "hevc": ("video", 0x24),
    "aac": ("audio", 0x0F),
    "aac_latm": ("audio", 0x11),
    "mp3": ("audio", 0x03),
    "ac3": ("audio", 0x81),
    "eac3": ("audio", 0x87),
}
_CODECS = {stream_type: codec for codec, (_, stream_type) in _STREAM_TYPES.items()} | {0x04: "mp3"}

_PRIVATE = 0x06
_REGISTRATION = 0x05
_REGISTERED = {b"Opus": "opus", b"HEVC": "hevc", b"AC-3": "ac3", b"EAC3": "eac3"}
_DVB_DESCRIPTORS = {0x6A: "ac3", 0x7A: "eac3"}


def kind_of(codec: str) -> Kind:
    """Return whether a codec's streams are seen or heard.

    Raises:
        ValueError: A transport stream of ours does not carry it.
    """
    if codec == "opus":
        return "audio"
    if codec not in _STREAM_TYPES:
        raise ValueError(f"{codec!r} is not carried: only {', '.join([*_STREAM_TYPES, 'opus'])}")
    return _STREAM_TYPES[codec][0]


def read_track(pid: int, stream_type: int, descriptors: bytes) -> Track | None:
    """Return the track that an entry of a program's table tells of, or None where its codec is not known.

    Args:
        pid: The identifier of its packets.
        stream_type: What the table says it is.
        descriptors: What the table adds to that.
    """
    described = _read_descriptors(descriptors)
    codec = _CODECS.get(stream_type)
    if codec is None and stream_type == _PRIVATE:
        codec = _read_private_codec(described)
    if codec is None:
        return None
    if codec != "opus":
        return Track(pid=pid, kind=kind_of(codec), codec=codec)
    channels = described.get(CHANNELS_DESCRIPTOR[0], b"\x80\x02")[1:2]
    head = opus_head(channels[0] if channels else 2)
    return Track(pid=pid, kind="audio", codec=codec, extradata=head, channels=head[9]) if head else None


def write_track(pid: int, codec: str, channels: int) -> bytes:
    """Return the entry of a program's table that tells of a track.

    Args:
        pid: The identifier of its packets.
        codec: What it is.
        channels: How many channels an Opus track has.
    """
    if codec == "opus":
        stream_type, descriptors = _PRIVATE, b"\x05\x04Opus" + CHANNELS_DESCRIPTOR + bytes([channels])
    else:
        stream_type, descriptors = _STREAM_TYPES[codec][1], _write_registration(codec)
    return bytes([stream_type]) + (0xE000 | pid).to_bytes(2) + (0xF000 | len(descriptors)).to_bytes(2) + descriptors


def _write_registration(codec: str) -> bytes:
    formats = [name for name, registered in _REGISTERED.items() if registered == codec]
    return bytes([_REGISTRATION, 4]) + formats[0] if formats else b""


def _read_private_codec(described: dict[int, bytes]) -> str | None:
    registered = _REGISTERED.get(described.get(_REGISTRATION, b"")[:4])
    return registered or next((codec for tag, codec in _DVB_DESCRIPTORS.items() if tag in described), None)


def _read_descriptors(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    position = 0
    while position + 2 <= len(data):
        end = position + 2 + data[position + 1]
        found.setdefault(data[position], data[position + 2 : end])
        position = end
    return found
