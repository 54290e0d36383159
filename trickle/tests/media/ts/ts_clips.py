"""Clips made on the fly by FFmpeg, and what its own demuxer reads of a stream."""

import io
from collections.abc import Iterable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import av
import numpy as np

from livepeer.trickle.media._ts import Demuxer, Muxer, Unit

WIDTH, HEIGHT, RATE, SOUND_RATE = 160, 96, 30, 48_000

CLIPS: Mapping[str, Mapping[str, Any]] = {
    "h264_and_aac": {"video_options": {"g": "15", "sc_threshold": "0"}},
    "zero_latency": {"video_options": {"tune": "zerolatency", "g": "15", "sc_threshold": "0"}},
    "b_frames": {"video_options": {"bf": "3", "g": "15"}},
    "open_gop": {"video_options": {"x264-params": "open-gop=1:keyint=15:bframes=3"}},
    "slices": {"video_options": {"x264-params": "slices=4", "tune": "zerolatency"}},
    "delimiters_of_the_encoder": {"video_options": {"x264-params": "aud=1"}},
    "intra_refresh": {"video_options": {"x264-params": "intra-refresh=1:keyint=20", "tune": "zerolatency"}},
    "interlaced": {"video_options": {"flags": "+ildct+ilme"}},
    "video_with_lengths": {"mux_options": {"omit_video_pes_length": "0"}},
    "opus": {"audio": "libopus"},
    "mp3": {"audio": "libmp3lame"},
    "ac3": {"audio": "ac3"},
    "eac3": {"audio": "eac3"},
    "latm": {"mux_options": {"mpegts_flags": "latm"}},
    "hevc": {"video": "libx265", "video_options": {"x265-params": "log-level=none:keyint=20"}},
    "video_alone": {"audio": None},
    "sound_alone": {"video": None},
    "opus_alone": {"video": None, "audio": "libopus"},
}


class Packet(NamedTuple):
    """What FFmpeg says of a packet."""

    data: bytes
    pts: int | None
    dts: int | None
    is_keyframe: bool


@cache
def clip(name: str) -> bytes:
    return make_clip(**CLIPS[name])


def make_clip(
    *,
    video: str | None = "libx264",
    audio: str | None = "aac",
    frames: int = 45,
    video_options: dict[str, str] | None = None,
    mux_options: dict[str, str] | None = None,
) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mpegts", options=mux_options or {}) as container:
        streams: dict[str, Any] = {}
        if video:
            stream: Any = container.add_stream(video, rate=RATE, options=video_options or {})
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            streams["video"] = stream
        if audio:
            stream = container.add_stream(audio, rate=SOUND_RATE)
            stream.layout = "stereo"
            streams["audio"] = stream
        for index in range(frames):
            for kind, stream in streams.items():
                container.mux(stream.encode(picture(index) if kind == "video" else sound(index)))
        for stream in streams.values():
            container.mux(stream.encode(None))
    return file.getvalue()


def picture(index: int) -> av.VideoFrame:
    blocks = np.random.default_rng(index).integers(0, 255, (HEIGHT // 4, WIDTH // 4, 3), np.uint8)
    frame = av.VideoFrame.from_ndarray(np.kron(blocks, np.ones((4, 4, 1), np.uint8)), format="rgb24")
    frame.pts, frame.time_base = index, Fraction(1, RATE)
    return frame


def sound(index: int) -> av.AudioFrame:
    samples = SOUND_RATE // RATE
    noise = np.random.default_rng(index).normal(0, 0.1, (2, samples)).astype(np.float32)
    frame = av.AudioFrame.from_ndarray(noise, format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, index * samples, Fraction(1, SOUND_RATE)
    return frame


def read_by_ffmpeg(stream: bytes) -> dict[str, list[Packet]]:
    packets: dict[str, list[Packet]] = {"video": [], "audio": []}
    with av.open(io.BytesIO(stream), format="mpegts") as container:
        for packet in container.demux():
            if packet.size:
                assert not packet.is_corrupt
                read = Packet(bytes(packet), packet.pts, packet.dts, packet.is_keyframe)
                packets[packet.stream.type].append(read)
    return packets


def read(stream: bytes | Iterable[bytes], demuxer: Demuxer | None = None) -> list[Unit]:
    """All units of a stream that comes in one piece, or in those."""
    demuxer = demuxer or Demuxer()
    units = [unit for piece in ([stream] if isinstance(stream, bytes) else stream) for unit in demuxer.feed(piece, 0)]
    return units + demuxer.end_segment()


def write(units: Iterable[Unit], muxer: Muxer) -> list[bytes]:
    """The units' packets."""
    return [
        muxer.write(unit.track.kind, unit.data, pts=unit.pts, dts=unit.dts, is_keyframe=unit.is_keyframe)
        for unit in units
        if unit.pts is not None and unit.dts is not None
    ]


def muxer_for(units: Iterable[Unit]) -> Muxer:
    codecs = {unit.track.kind: unit.track.codec for unit in units}
    return Muxer(video=codecs.get("video"), audio=codecs.get("audio"))


def of_kind(units: Iterable[Unit], kind: str) -> list[Unit]:
    return [unit for unit in units if unit.track.kind == kind]


def packets_of(units: Iterable[Unit]) -> list[Packet]:
    return [Packet(unit.data, unit.pts, unit.dts, unit.is_keyframe) for unit in units]


def joined(packets: Iterable[Packet] | Iterable[Unit]) -> bytes:
    return b"".join(packet.data for packet in packets)


def in_pieces(stream: bytes, size: int) -> list[bytes]:
    return [stream[at : at + size] for at in range(0, len(stream), size)]
