"""Streams that are damaged, cut, mixed up or no streams at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livepeer.trickle.media._ts import Demuxer, Unit

from .ts_clips import clip, in_pieces, of_kind, packets_of, read
from .ts_packets import (
    AUDIO,
    PICTURE,
    VIDEO,
    begins,
    cut,
    entry,
    numbered,
    packet,
    packets_of_stream,
    pes,
    pid_of,
    places,
    tables,
)

NAME = "video_with_lengths"


def whole(units: list[Unit]) -> list[bytes]:
    return [unit.data for unit in units if not unit.is_broken]


def spoiled(stream: bytes) -> tuple[Demuxer, list[Unit]]:
    demuxer = Demuxer()
    return demuxer, read(in_pieces(stream, 1000), demuxer)


@given(st.binary(max_size=2000), st.binary(max_size=400), st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_garbage_before_and_between_packets_costs_at_most_the_units_around_it(before: bytes, between: bytes, at: int):
    stream = clip(NAME)
    cut_at = (len(stream) // 188 * at // 60) * 188
    _, units = spoiled(before + stream[:cut_at] + between + stream[cut_at:])
    good = whole(read(stream))
    lost = [data for data in good if data not in whole(units)]
    assert len(lost) <= 4 + (at == 0) * 4
    assert len(units) >= len(good) - 8


def test_garbage_is_counted_and_no_packet_after_it_is_lost():
    demuxer, units = spoiled(b"\x00" * 1000 + clip(NAME))
    assert demuxer.skipped_bytes == 1000
    assert units == read(clip(NAME))


def test_garbage_that_looks_like_the_beginning_of_packets_is_seen_through():
    demuxer, units = spoiled(b"\x47garbage" * 100 + clip(NAME))
    assert whole(units)[-60:] == whole(read(clip(NAME)))[-60:]
    assert demuxer.skipped_bytes >= 600


@given(st.binary(max_size=5000), st.booleans())
@settings(max_examples=150, deadline=None)
def test_nothing_that_comes_raises(data: bytes, with_tables: bool):
    demuxer = Demuxer()
    demuxer.feed(tables() if with_tables else b"", 0)
    for piece in in_pieces(data, 700):
        demuxer.feed(piece, 0)
        demuxer.idle()
    demuxer.end_segment()
    demuxer.restart()


@given(st.lists(st.tuples(st.integers(0, 100_000), st.integers(0, 255)), min_size=1, max_size=200))
@settings(max_examples=60, deadline=None)
def test_no_damage_to_bytes_raises(damage: list[tuple[int, int]]):
    stream = bytearray(clip("opus"))
    for at, value in damage:
        stream[at % len(stream)] = value
    spoiled(bytes(stream))


@given(st.lists(st.binary(min_size=185, max_size=185), max_size=40))
@settings(max_examples=100, deadline=None)
def test_no_content_of_packets_raises(contents: list[bytes]):
    """Packets of the right PIDs, with fields and payloads of anything."""
    demuxer = Demuxer()
    demuxer.feed(tables(), 0)
    for index, content in enumerate(contents):
        pid = (0, 0x1000, VIDEO, AUDIO)[index % 4]
        demuxer.feed(b"\x47" + (0x4000 * (content[0] & 1) | pid).to_bytes(2) + content, 0)


@pytest.mark.parametrize("at", [10, 40, 300])
def test_a_lost_packet_breaks_its_unit_alone(at: int):
    packets = packets_of_stream(clip(NAME))
    at = next(index for index in range(at, len(packets)) if pid_of(packets[index]) == VIDEO)
    reported: list[int] = []
    demuxer = Demuxer(on_loss=reported.append)
    units = read(b"".join(packets[:at] + packets[at + 1 :]), demuxer)
    good = read(clip(NAME))
    broken = [unit for unit in units if unit.is_broken]
    assert (demuxer.lost_packets, reported) == (1, [1])
    assert len(broken) <= 1
    assert len(whole(units)) == len(good) - 1
    assert all(data in [unit.data for unit in good] for data in whole(units))


def test_the_packets_that_are_lost_are_counted_up_to_the_counters_reach():
    demuxer = Demuxer()
    demuxer.feed(tables(), 0)
    packets = cut(pes(PICTURE.ljust(184 * 30, b"\x55")))
    units = demuxer.feed(b"".join(packets[:5] + packets[17:]), 0)
    assert demuxer.lost_packets == 12
    assert [unit.is_broken for unit in units] == [True]


def test_a_packet_sent_twice_is_read_once():
    packets = packets_of_stream(clip(NAME))
    demuxer = Demuxer()
    assert read(b"".join(packet * 2 for packet in packets), demuxer) == read(clip(NAME))
    assert demuxer.lost_packets == 0


def test_packets_in_the_wrong_order_break_units_and_do_not_mix_them():
    packets = packets_of_stream(clip(NAME))
    video = [index for index, packet in enumerate(packets) if pid_of(packet) == VIDEO and not begins(packet)]
    first, second = video[10:12]
    packets[first], packets[second] = packets[second], packets[first]
    units = read(b"".join(packets))
    good = [unit.data for unit in read(clip(NAME))]
    assert len(good) - len(whole(units)) in (1, 2)
    assert all(data in good for data in whole(units))


def test_a_packet_that_was_marked_as_damaged_is_as_good_as_lost():
    packets = packets_of_stream(clip(NAME))
    at = next(place.first + 1 for place in places(packets, [VIDEO]) if place.last > place.first + 2)
    packets[at] = packets[at][:1] + bytes([packets[at][1] | 0x80]) + packets[at][2:]
    units = read(b"".join(packets))
    assert [unit.is_broken for unit in of_kind(units, "video")].count(True) == 1


def test_a_scrambled_stream_gives_nothing():
    packets = [p[:3] + bytes([p[3] | 0xC0]) + p[4:] if pid_of(p) == VIDEO else p for p in packets_of_stream(clip(NAME))]
    assert {unit.track.kind for unit in read(b"".join(packets))} == {"audio"}


def test_a_counter_that_jumps_where_the_stream_says_so_is_no_loss():
    demuxer = Demuxer()
    demuxer.feed(tables(), 0)
    data = pes(PICTURE, length=None)
    first = packet(data, begins=True, counter=3)
    second = packet(data, begins=True, counter=9, fields=b"\x80")
    assert len(demuxer.feed(first + second, 0)) == 2
    assert demuxer.lost_packets == 0


def test_packets_without_payload_do_not_count():
    demuxer = Demuxer()
    demuxer.feed(tables(), 0)
    first, *rest = cut(pes(PICTURE.ljust(1000, b"\x55"), length=None))
    clock = b"\x47" + VIDEO.to_bytes(2) + b"\x20" + bytes([183, 0x10]) + b"\0" * 6 + b"\xff" * 176
    units = demuxer.feed(first + clock + b"".join(rest), 0)
    assert [(len(unit.data), unit.is_broken) for unit in units] == [(1000, False)]


def test_counters_may_begin_anew_in_every_segment():
    demuxer = Demuxer()
    units = []
    for _ in range(3):
        units += demuxer.feed(clip(NAME), 0) + demuxer.end_segment()
    assert demuxer.lost_packets == 0
    assert [unit.data for unit in units] == [unit.data for unit in read(clip(NAME))] * 3


def test_a_segment_that_ends_within_a_packet_breaks_what_had_begun_and_nothing_of_the_next():
    demuxer = Demuxer()
    stream = clip("video_alone")
    packets = packets_of_stream(stream)
    place = places(packets, [VIDEO])[5]
    units = demuxer.feed(stream[: place.last * 188 + 50], 0) + demuxer.end_segment()
    assert [unit.is_broken for unit in units] == [False] * 5 + [True]
    assert demuxer.skipped_bytes == 50
    again = demuxer.feed(stream, 0) + demuxer.end_segment()
    assert whole(again) == whole(read(stream))


def test_after_a_restart_halves_are_forgotten_and_tables_are_kept():
    packets = packets_of_stream(clip("video_alone"))
    place = places(packets, [VIDEO])[5]
    demuxer = Demuxer()
    demuxer.feed(b"".join(packets[: place.last]) + b"half", 0)
    demuxer.restart()
    following = places(packets, [VIDEO])[8].first
    units = demuxer.feed(b"".join(packets[following:]), 0) + demuxer.end_segment()
    assert packets_of(units) == packets_of(read(clip("video_alone")))[8:]
    assert demuxer.lost_packets == 0


def test_a_stream_that_is_joined_in_its_middle_begins_with_the_next_unit():
    demuxer = Demuxer()
    demuxer.feed(tables(), 0)
    packets = packets_of_stream(clip(NAME))
    units = read(b"".join(packets[30:]), demuxer)
    good = read(clip(NAME))
    assert not any(unit.is_broken for unit in units)
    assert [unit.data for unit in units] == [unit.data for unit in good[-len(units) :]]


def test_times_that_are_left_out_are_none():
    demuxer = Demuxer()
    demuxer.feed(tables(), 0)
    first, second = cut(pes(PICTURE, pts=None, length=None))[0], cut(pes(PICTURE, pts=5, length=None), counter=1)[0]
    units = demuxer.feed(first + second, 0)
    assert [(unit.pts, unit.dts) for unit in units] == [(None, None), (5, 5)]


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\2\xe0\0\0\x80\0\0" + PICTURE,
        b"\0\0\1\xbe\0\x20" + b"\xff" * 32,
        b"\0\0\1\xe0\0\0\x80\x80\xff" + PICTURE,
        b"\0\0\1\xe0\0\0\0\0\0" + PICTURE,
        b"\0\0\1\xe0\0\3\x80\0\0",
        b"\0\0\1",
    ],
    ids=["another prefix", "padding", "a header that is too long", "MPEG-1", "no data", "nothing more"],
)
def test_a_pes_packet_that_is_none_is_passed_over(data: bytes):
    demuxer = Demuxer()
    demuxer.feed(tables(), 0)
    units = demuxer.feed(cut(data)[0] + cut(pes(PICTURE, length=None), counter=1)[0], 0)
    assert [unit.data for unit in units + demuxer.end_segment()] == [PICTURE]


def test_a_unit_without_end_is_given_up():
    demuxer = Demuxer()
    demuxer.feed(tables(), 0)
    first, middle = cut(pes(PICTURE + b"\x55" * 400))[:2]
    demuxer.feed(first, 0)
    run = b"".join(numbered(middle, counter) for counter in range(16))
    piece = (run[188:] + run[:188]) * 400
    for _ in range((1 << 24) // (16 * 400 * 184) + 2):
        assert demuxer.feed(piece, 0) == []
    assert demuxer.end_segment() == []
    assert demuxer.lost_packets == 0


def test_the_time_of_arrival_is_that_of_the_first_byte():
    demuxer = Demuxer()
    demuxer.feed(tables(), 1)
    packets = b"".join(cut(pes(PICTURE.ljust(1000, b"\x55"), length=None)))
    assert demuxer.feed(packets[:100], 2) == []
    assert demuxer.feed(packets[100:500], 3) == []
    assert [unit.arrived for unit in demuxer.feed(packets[500:], 4)] == [2]


def test_two_units_in_one_piece_arrived_with_their_own_first_bytes():
    demuxer = Demuxer()
    demuxer.feed(tables(), 1)
    first = cut(pes(PICTURE, length=None))[0]
    second = cut(pes(PICTURE, length=None), counter=1)[0]
    demuxer.feed(first[:50], 2)
    assert [unit.arrived for unit in demuxer.feed(first[50:] + second, 3)] == [2, 3]


def test_streams_of_unknown_codecs_are_left_out():
    demuxer = Demuxer()
    demuxer.feed(tables(entry(0x15, 0x102), entry(0x1B, VIDEO), entry(0xEA, 0x103)), 0)
    assert [(track.pid, track.codec) for track in demuxer.tracks] == [(VIDEO, "h264")]
