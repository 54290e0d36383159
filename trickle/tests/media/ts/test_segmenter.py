"""Cutting a stream into segments that can each be decoded alone."""

import io

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepeer.trickle.media._ts import Cut, Demuxer, Segmenter

from .ts_clips import CLIPS, clip, in_pieces, make_clip, of_kind, packets_of, read
from .ts_packets import PMT, VIDEO, begins, cut, packets_of_stream, pes, pid_of, places


def cuts_of(stream: bytes, *, seconds: float = 0.5, piece: int = 1000) -> list[Cut]:
    segmenter = Segmenter(seconds=seconds)
    return [each for part in in_pieces(stream, piece) for each in segmenter.feed(part)] + segmenter.finish()


def segments_of(stream: bytes, *, seconds: float = 0.5, piece: int = 1000) -> list[bytes]:
    segments: list[bytes] = []
    for each in cuts_of(stream, seconds=seconds, piece=piece):
        if each.starts_segment:
            segments.append(b"")
        segments[-1] += each.data
    return segments


@pytest.mark.parametrize("name", CLIPS)
def test_the_segments_joined_are_the_stream(name: str):
    demuxer = Demuxer()
    units = read(b"".join(segments_of(clip(name))), demuxer)
    for kind in ("video", "audio"):
        assert packets_of(of_kind(units, kind)) == packets_of(of_kind(read(clip(name)), kind))
    assert demuxer.lost_packets == 0


@pytest.mark.parametrize("name", CLIPS)
def test_every_segment_begins_with_the_tables_and_a_keyframe(name: str):
    segments = segments_of(clip(name))
    for segment in segments:
        assert [pid_of(packet) for packet in packets_of_stream(segment)[:2]] == [0, PMT]
        units = read(segment)
        assert all(unit.is_keyframe for unit in of_kind(units, "video")[:1])
        assert units


@pytest.mark.parametrize("name", ["h264_and_aac", "zero_latency"])
def test_segments_are_cut_at_the_first_keyframe_after_their_time(name: str):
    """There is a keyframe every half second."""
    counts = [len(of_kind(read(segment), "video")) for segment in segments_of(clip(name), seconds=0.5)]
    assert counts == [15, 15, 15]
    counts = [len(of_kind(read(segment), "video")) for segment in segments_of(clip(name), seconds=0.7)]
    assert counts == [30, 15]
    assert len(segments_of(clip(name), seconds=float("inf"))) == 1


@pytest.mark.parametrize("name", ["sound_alone", "opus_alone"])
def test_a_stream_without_video_is_cut_by_time(name: str):
    segments = segments_of(clip(name), seconds=0.5)
    assert 3 <= len(segments) <= 4
    lengths = [max(times) - min(times) for times in ([unit.pts or 0 for unit in read(part)] for part in segments)]
    assert all(39_000 < length <= 50_000 for length in lengths[:3])


def test_each_segment_is_decoded_alone():
    pictures = 0
    for segment in segments_of(clip("zero_latency")):
        with av.open(io.BytesIO(segment), format="mpegts") as container:
            frames = list(container.decode(video=0))
        assert not any(frame.is_corrupt for frame in frames)
        assert frames[0].key_frame
        pictures += len(frames)
    assert pictures == 45


@given(st.lists(st.integers(1, 4000), min_size=1, max_size=30))
@settings(max_examples=30, deadline=None)
def test_pieces_of_all_sizes_give_the_same_segments(sizes: list[int]):
    stream, segmenter, segments = clip("h264_and_aac"), Segmenter(seconds=0.5), list[bytes]()
    while stream:
        for size in sizes:
            for each in segmenter.feed(stream[:size]):
                segments += [b""] if each.starts_segment else []
                segments[-1] += each.data
            stream = stream[size:]
    segments[-1] += b"".join(each.data for each in segmenter.finish())
    assert segments == segments_of(clip("h264_and_aac"))


def test_packets_come_out_as_they_come_in_except_at_the_beginning_of_a_keyframe():
    segmenter, silent, longest = Segmenter(seconds=0.5), 0, 0
    first, *rest = [packet for packet in packets_of_stream(clip("h264_and_aac")) if pid_of(packet) != 0x11]
    segmenter.feed(first)
    for packet in rest:
        silent = 0 if segmenter.feed(packet) else silent + 1
        longest = max(longest, silent)
    assert longest <= 8


def test_no_more_is_held_back_for_a_unit_without_a_picture_than_a_little():
    segmenter = Segmenter(seconds=0.5)
    stream = packets_of_stream(clip("h264_and_aac"))
    segmenter.feed(b"".join(stream))
    segmenter.feed(cut(pes(b"\0\0\0\1\x09\xf0", pts=900_000))[0])
    sound = next(packet for packet in stream if pid_of(packet) == 0x101) * 10
    came = [bool(segmenter.feed(sound)) for _ in range(50)]
    assert came == [False] * came.index(True) + [True] * (50 - came.index(True))
    assert 20 < came.index(True) < 40


def test_packets_stay_what_they_are():
    stream = clip("h264_and_aac")
    out = packets_of_stream(b"".join(segments_of(stream)))
    before = [packet for packet in packets_of_stream(stream) if pid_of(packet) not in (0, PMT)]
    assert pid_of(before[0]) == 0x11  # A table of services stands before the first tables, and only that one is gone.
    assert [packet for packet in out if pid_of(packet) not in (0, PMT)] == before[1:]


def test_the_counters_of_the_tables_go_on():
    out = packets_of_stream(b"".join(segments_of(clip("h264_and_aac"))))
    for pid in (0, PMT):
        counters = [packet[3] & 15 for packet in out if pid_of(packet) == pid]
        assert counters == [(counters[0] + index) & 15 for index in range(len(counters))]


def test_a_stream_whose_time_jumps_back_is_cut_at_the_next_keyframe():
    stream = clip("h264_and_aac")
    segments = segments_of(stream + stream, seconds=1.0)
    assert [len(of_kind(read(segment), "video")) for segment in segments] == [30, 15, 30, 15]


def test_a_stream_over_the_wrap_of_time_is_cut_as_any_other():
    stream = make_clip(
        video_options={"g": "15", "sc_threshold": "0"},
        mux_options={"output_ts_offset": str(((1 << 33) - 60_000) / 90_000)},
    )
    assert [len(of_kind(read(segment), "video")) for segment in segments_of(stream)] == [15, 15, 15]


def test_what_comes_before_the_tables_is_left_out():
    packets = packets_of_stream(clip("h264_and_aac"))
    first = next(index for index, packet in enumerate(packets) if pid_of(packet) == VIDEO and begins(packet))
    cuts = cuts_of(b"".join(packets[first : first + 40]) + clip("h264_and_aac"))
    assert [each.starts_segment for each in cuts][:2] == [True, False]
    assert b"".join(each.data for each in cuts) == b"".join(segments_of(clip("h264_and_aac")))


def test_garbage_is_left_out():
    stream = clip("h264_and_aac")
    at = places(packets_of_stream(stream))[20].first * 188
    segments = segments_of(b"\0" * 500 + stream[:at] + b"\xff" * 300 + stream[at:])
    assert b"".join(segments) == b"".join(segments_of(stream))


@given(st.binary(max_size=3000))
@settings(max_examples=100, deadline=None)
def test_nothing_that_comes_raises(data: bytes):
    segmenter = Segmenter(seconds=0.01)
    head = b"".join(packets_of_stream(clip("h264_and_aac"))[:30])
    for piece in (head, data, head, data[::-1]):
        segmenter.feed(piece)
    segmenter.finish()


@given(st.lists(st.binary(min_size=184, max_size=184), max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_content_of_packets_raises(contents: list[bytes]):
    segmenter = Segmenter(seconds=0.01)
    out = len(b"".join(each.data for each in segmenter.feed(b"".join(packets_of_stream(clip("h264_and_aac"))[:30]))))
    assert out
    for index, content in enumerate(contents):
        pid = (0, PMT, VIDEO, 0x101)[index % 4]
        segmenter.feed(b"\x47" + (0x4000 * (content[0] & 1) | pid).to_bytes(2) + content + b"\xff")
    segmenter.finish()


def test_half_a_packet_at_the_end_is_left_out():
    stream = clip("h264_and_aac")
    assert b"".join(segments_of(stream + stream[:100])) == b"".join(segments_of(stream))


def test_nothing_comes_of_nothing():
    assert cuts_of(b"") == []
    assert cuts_of(b"\x47" + bytes(5000)) == []


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_time_that_is_none_is_refused(seconds: float):
    with pytest.raises(ValueError, match="seconds"):
        Segmenter(seconds=seconds)
