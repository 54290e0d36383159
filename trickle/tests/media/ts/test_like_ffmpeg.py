"""Units are FFmpeg's packets, byte for byte, whatever encoder and muxer made the stream."""

import io

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepeer.trickle.media._ts import Demuxer

from .ts_clips import (
    CLIPS,
    clip,
    in_pieces,
    joined,
    make_clip,
    muxer_for,
    of_kind,
    packets_of,
    read,
    read_by_ffmpeg,
    write,
)


@pytest.mark.parametrize("name", CLIPS)
def test_video_units_are_its_packets(name: str):
    assert packets_of(of_kind(read(clip(name)), "video")) == read_by_ffmpeg(clip(name))["video"]


@pytest.mark.parametrize("name", CLIPS)
def test_sound_is_the_same_with_the_same_times(name: str):
    """FFmpeg takes the frames of one PES packet apart: the first of them has its time."""
    units = of_kind(read(clip(name)), "audio")
    packets = read_by_ffmpeg(clip(name))["audio"]
    assert joined(units) == joined(packets)
    assert {unit.pts for unit in units} <= {packet.pts for packet in packets}
    assert units[0].pts == packets[0].pts if units else not packets


def test_opus_units_are_its_packets():
    packets = read_by_ffmpeg(clip("opus"))["audio"]
    assert len(packets) > 50
    assert packets_of(of_kind(read(clip("opus")), "audio")) == packets


@pytest.mark.parametrize("name", CLIPS)
def test_no_unit_is_broken_and_nothing_is_lost(name: str):
    demuxer = Demuxer()
    units = read(clip(name), demuxer)
    assert len(units) >= 20
    assert not any(unit.is_broken for unit in units)
    assert (demuxer.lost_packets, demuxer.skipped_bytes) == (0, 0)


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("size", [187, 188, 1316, 5000])
def test_pieces_of_any_size_give_the_same_units(name: str, size: int):
    assert read(in_pieces(clip(name), size)) == read(clip(name))


def test_single_bytes_give_the_same_units():
    assert read(in_pieces(clip("h264_and_aac"), 1)) == read(clip("h264_and_aac"))


@given(st.lists(st.integers(1, 3000), min_size=1))
@settings(max_examples=40, deadline=None)
def test_pieces_of_all_sizes_give_the_same_units(sizes: list[int]):
    stream, pieces = clip("video_with_lengths"), []
    while stream:
        for size in sizes:
            pieces.append(stream[:size])
            stream = stream[size:]
    assert read(pieces) == read(clip("video_with_lengths"))


@pytest.mark.parametrize("name", CLIPS)
def test_what_is_muxed_again_is_the_same_for_it(name: str):
    units = read(clip(name))
    again = read_by_ffmpeg(b"".join(write(units, muxer_for(units))))
    before = read_by_ffmpeg(clip(name))
    assert again["video"] == before["video"]
    assert again["audio"] == before["audio"]


def test_a_wrap_of_the_timestamps_is_passed_over():
    """The stream begins a second before the 33 bits end."""
    begin = (1 << 33) - 90_000
    stream = make_clip(video_options={"bf": "2"}, mux_options={"output_ts_offset": str(begin / 90_000)})
    units = of_kind(read(stream), "video")
    assert [(unit.pts or 0) % (1 << 33) for unit in units] == [
        (packet.pts or 0) % (1 << 33) for packet in read_by_ffmpeg(stream)["video"]
    ]
    for kind in ("video", "audio"):
        dts = [unit.dts or 0 for unit in of_kind(read(stream), kind)]
        assert dts == sorted(set(dts))
        assert dts[0] < 1 << 33 < dts[-1]


def test_the_tracks_are_the_streams_of_its_tables():
    demuxer = Demuxer()
    read(clip("opus"), demuxer)
    video, audio = demuxer.tracks
    assert (video.kind, video.codec, video.extradata, video.channels) == ("video", "h264", None, None)
    assert (audio.kind, audio.codec, audio.channels) == ("audio", "opus", 2)
    with av.open(io.BytesIO(clip("opus"))) as container:
        assert audio.extradata == container.streams.audio[0].codec_context.extradata
        assert [stream.id for stream in container.streams] == [video.pid, audio.pid]
