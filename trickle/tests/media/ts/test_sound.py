"""Headers of sound: ADTS and Opus."""

import io

import av
import pytest

from livepeer.trickle.media._ts import Demuxer, Muxer, adts_header
from livepeer.trickle.media._ts.opus import opus_head, split_packets, write_control_header

from .ts_clips import clip, joined, read, read_by_ffmpeg, sound
from .ts_packets import AUDIO, cut, entry, pes, tables

STEREO_48K = bytes([0x11, 0x90])


def encoder(codec: str) -> av.AudioCodecContext:
    context = av.CodecContext.create(codec, "w")
    assert isinstance(context, av.AudioCodecContext)
    context.sample_rate, context.layout, context.format = 48_000, "stereo", "fltp" if codec == "aac" else "flt"
    return context


def test_frames_with_the_header_are_read_by_ffmpeg():
    context = encoder("aac")
    packets = [packet for index in range(20) for packet in context.encode(sound(index))]
    config = context.extradata
    assert config is not None
    muxer = Muxer(video=None, audio="aac")
    frames = [adts_header(config, packet.size) + bytes(packet) for packet in packets]
    stream = [muxer.write("audio", f, pts=n * 1920, dts=n * 1920, is_keyframe=True) for n, f in enumerate(frames)]
    read_again = read_by_ffmpeg(b"".join(stream))["audio"]
    assert len(frames) > 20
    assert [packet.data for packet in read_again] == frames
    with av.open(io.BytesIO(b"".join(stream))) as container:
        decoded = list(container.decode(audio=0))
    assert sum(frame.samples for frame in decoded) == 1024 * len(frames)
    assert decoded[0].sample_rate == 48_000
    assert decoded[0].layout.nb_channels == 2


@pytest.mark.parametrize(
    "config",
    [b"", b"\x11", bytes([0x29, 0x90]), bytes([0x16, 0x90]), bytes([0x11, 0x80]), bytes([0x17, 0x90])],
    ids=["nothing", "half", "SBR", "no such rate", "channels of its own", "a rate of its own"],
)
def test_a_configuration_that_adts_has_no_words_for_is_refused(config: bytes):
    with pytest.raises(ValueError, match=r"AudioSpecificConfig"):
        adts_header(config, 100)


def test_a_frame_too_long_for_adts_is_refused():
    assert len(adts_header(STEREO_48K, 8191 - 7)) == 7
    with pytest.raises(ValueError, match="too long"):
        adts_header(STEREO_48K, 8192 - 7)


def test_opus_packets_that_we_mux_are_decoded_by_ffmpeg():
    context = encoder("libopus")
    packets = [bytes(packet) for index in range(20) for packet in context.encode(sound(index))]
    muxer = Muxer(video=None, audio="opus", audio_channels=2)
    stream = [muxer.write("audio", p, pts=n * 1800, dts=n * 1800, is_keyframe=True) for n, p in enumerate(packets)]
    assert len(packets) > 20
    assert [packet.data for packet in read_by_ffmpeg(b"".join(stream))["audio"]] == packets
    with av.open(io.BytesIO(b"".join(stream))) as container:
        assert sum(frame.samples for frame in container.decode(audio=0)) == 960 * len(packets)


def test_opus_units_are_decoded_with_the_head_that_the_track_has():
    demuxer = Demuxer()
    units = read(clip("opus_alone"), demuxer)
    context = av.CodecContext.create("opus", "r")
    context.extradata = demuxer.tracks[0].extradata
    frames = [frame for unit in units for frame in context.decode(av.Packet(unit.data))]
    assert sum(frame.samples for frame in frames if isinstance(frame, av.AudioFrame)) > 45 * 1500
    assert {frame.layout.nb_channels for frame in frames if isinstance(frame, av.AudioFrame)} == {2}


def test_several_opus_packets_in_one_pes_packet_follow_each_other_in_time():
    demuxer = Demuxer()
    demuxer.feed(tables(entry(0x06, AUDIO, b"\x05\x04Opus\x7f\x02\x80\x02")), 0)
    opus = [b"\xfcone", b"\xfctwo", b"\xfcthree"]  # The fullest configuration: 20 ms in one frame each.
    data = b"".join(write_control_header(len(packet)) + packet for packet in opus)
    units = demuxer.feed(cut(pes(data, pts=100, length=None, stream_id=0xBD), pid=AUDIO)[0], 0)
    assert [(unit.data, unit.pts, unit.dts) for unit in units] == [
        (opus[0], 100, 100),
        (opus[1], 1900, 1900),
        (opus[2], 3700, 3700),
    ]


@pytest.mark.parametrize(
    ("first", "milliseconds"),
    [
        (b"\x00", 10),
        (b"\x18", 60),
        (b"\x60", 10),
        (b"\x68", 20),
        (b"\x80", 2.5),
        (b"\xf8", 20),
        (b"\xf9", 40),
        (b"\xfb\x03", 60),
    ],
)
def test_the_duration_of_an_opus_packet_is_told_by_its_first_bytes(first: bytes, milliseconds: float):
    packet = first + b"data"
    assert list(split_packets(write_control_header(len(packet)) + packet)) == [(packet, milliseconds * 90)]


@pytest.mark.parametrize(
    ("header", "packets"),
    [
        (b"\x7f\xe0\x04", 1),
        (b"\x7f\xf0\x04\0\7", 1),
        (b"\x7f\xf8\x04\0\7\0\7", 1),
        (b"\x7f\xe4\x04\2ab", 1),
        (b"\x7f\xe0\x05", 0),
        (b"\x7f\xe0\xff", 0),
        (b"\x7f\xe0\x04\xf8abc\x7f\xe0\xff\xff", 1),
        (b"\x7f\x00\x04", 0),
        (b"\x7f\xe0\x00", 0),
    ],
    ids=[
        "plain",
        "trimmed",
        "trimmed at both ends",
        "extended",
        "short",
        "long",
        "half a header",
        "another mark",
        "empty",
    ],
)
def test_control_headers_in_all_their_forms_are_read(header: bytes, packets: int):
    data = header if header.endswith(b"\xff\xff") else header + b"\xf8abc"
    assert [packet for packet, _ in split_packets(data)] == [b"\xf8abc"] * packets


@pytest.mark.parametrize("channels", range(1, 9))
def test_opus_of_any_channels_has_the_head_that_ffmpeg_gives_it(channels: int):
    muxer = Muxer(video=None, audio="opus", audio_channels=channels)
    stream = b"".join(muxer.write("audio", b"\xf8" + bytes(99), pts=n, dts=n, is_keyframe=True) for n in range(9))
    demuxer = Demuxer()
    assert joined(read(stream, demuxer)) == (b"\xf8" + bytes(99)) * 9
    (track,) = demuxer.tracks
    with av.open(io.BytesIO(stream), format="mpegts") as container:
        assert container.streams.audio[0].codec_context.extradata == track.extradata == opus_head(channels)
    assert track.channels == channels


def test_opus_of_two_channels_apart_has_the_head_that_ffmpeg_gives_it():
    muxer = Muxer(video=None, audio="opus", audio_channels=2)
    table = tables(entry(0x06, 0x101, b"\x05\x04Opus\x7f\x02\x80\0"))
    sound = [muxer.write("audio", b"\xf8" + bytes(99), pts=n, dts=n, is_keyframe=True)[-188:] for n in range(9)]
    demuxer = Demuxer()
    assert len(read(table + b"".join(sound), demuxer)) == 9
    with av.open(io.BytesIO(table + b"".join(sound)), format="mpegts") as container:
        assert container.streams.audio[0].codec_context.extradata == demuxer.tracks[0].extradata
    assert demuxer.tracks[0].channels == 2


def test_opus_of_too_many_channels_is_left_out():
    demuxer = Demuxer()
    demuxer.feed(tables(entry(0x06, AUDIO, b"\x05\x04Opus\x7f\x02\x80\x09")), 0)
    assert list(demuxer.tracks) == []
