"""Units to a transport stream, each to packets of its own at once."""

from .adts import is_adts
from .codecs import kind_of, write_track
from .nal import is_annex_b, with_delimiter
from .opus import write_control_header
from .packetizer import Packetizer
from .pes import write_header
from .tables import write_pat, write_pmt
from .tracks import Kind

_PROGRAM = 1
_PMT_PID = 0x1000
_PIDS: dict[Kind, int] = {"video": 0x100, "audio": 0x101}
_VIDEO_STREAM, _AUDIO_STREAM, _PRIVATE_STREAM = 0xE0, 0xC0, 0xBD
_TABLES_TICKS = 45_000


class Muxer:
    """Units to packets that can be sent as they are: nothing is held back, whatever the other track does.

    Args:
        video: The codec of the video, or None for a stream without.
        audio: The codec of the audio, or None for a stream without.
        audio_channels: How many channels an Opus track has, from 1 to 8.

    Raises:
        ValueError: There is no track, or one of a codec or with channels that are not carried.
    """

    def __init__(self, *, video: str | None, audio: str | None, audio_channels: int = 2) -> None:
        if audio == "opus" and not 1 <= audio_channels <= 8:
            raise ValueError(f"an Opus track has 1 to 8 channels, not {audio_channels}")
        self._codecs = _check_codecs(video, audio)
        self._packetizers = {kind: Packetizer(_PIDS[kind]) for kind in self._codecs}
        self._clock_kind: Kind = "video" if video else "audio"
        entries = [write_track(_PIDS[kind], codec, audio_channels) for kind, codec in self._codecs.items()]
        self._tables = [
            write_pat(_PROGRAM, _PMT_PID),
            write_pmt(_PROGRAM, _PMT_PID, _PIDS[self._clock_kind], entries),
        ]
        self._tables_counter = 0
        self._tables_due = True
        self._tables_pts = 0

    def start_segment(self) -> None:
        """Let the next packets begin with the tables, whatever they are."""
        self._tables_due = True

    def write(self, kind: Kind, data: bytes, *, pts: int, dts: int, is_keyframe: bool) -> bytes:
        """Return the packets of a unit, after the tables where those are due.

        Args:
            kind: Which track it belongs to.
            data: Video: an access unit in Annex B form; AAC: frames with ADTS headers; Opus: one packet.
            pts: When to show it, in ticks of 90 kHz; of any size, of which 33 bits are written.
            dts: When to decode it, likewise.
            is_keyframe: Whether decoding can begin there.

        Raises:
            ValueError: There is no such track, or the data are not in the form that its codec wants.
        """
        if kind not in self._codecs:
            raise ValueError(f"this stream has no {kind}")
        data = _prepare(self._codecs[kind], data)
        is_leading = kind == self._clock_kind
        pes = _write_pes(kind, self._codecs[kind], data, pts, dts)
        packets = self._packetizers[kind].write(pes, is_keyframe=is_keyframe, clock=dts if is_leading else None)
        return self._write_tables(pts) + packets if self._wants_tables(kind, pts, is_keyframe) else packets

    def _wants_tables(self, kind: Kind, pts: int, is_keyframe: bool) -> bool:
        if self._tables_due:
            return True
        if self._clock_kind == "audio":
            return abs(pts - self._tables_pts) >= _TABLES_TICKS
        return kind == "video" and is_keyframe

    def _write_tables(self, pts: int) -> bytes:
        counter = self._tables_counter
        self._tables_counter = (counter + 1) & 0x0F
        self._tables_due = False
        self._tables_pts = pts
        return b"".join(table[:3] + bytes([0x10 | counter]) + table[4:] for table in self._tables)


def _check_codecs(video: str | None, audio: str | None) -> dict[Kind, str]:
    codecs: dict[Kind, str] = {}
    if video is not None:
        codecs["video"] = video
    if audio is not None:
        codecs["audio"] = audio
    if not codecs:
        raise ValueError("a stream has to have a track")
    for kind, codec in codecs.items():
        if kind_of(codec) != kind:
            raise ValueError(f"{codec!r} is no codec of {kind}")
    return codecs


def _prepare(codec: str, data: bytes) -> bytes:
    """Return a unit's data as they stand in a transport stream."""
    if codec in ("h264", "hevc"):
        if not is_annex_b(data):
            raise ValueError(f"{codec} has to come in Annex B form: it begins with 00 00 01")
        return with_delimiter(codec, data)
    if codec == "opus":
        return write_control_header(len(data)) + data
    if codec == "aac" and not is_adts(data):
        raise ValueError("AAC has to come with ADTS headers: adts_header() writes them")
    return data


def _write_pes(kind: Kind, codec: str, data: bytes, pts: int, dts: int) -> bytes:
    if kind == "video":
        stream = _VIDEO_STREAM
    else:
        stream = _AUDIO_STREAM if codec in ("aac", "aac_latm", "mp3") else _PRIVATE_STREAM
    return write_header(stream, len(data), pts=pts, dts=dts) + data
