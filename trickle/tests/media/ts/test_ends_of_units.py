"""When a unit comes out: with its last packet, as well as anything in the stream gives that away."""

import pytest

from livepeer.trickle.media._ts import Demuxer, Muxer, Unit
from livepeer.trickle.media._ts.packets import is_stuffed

from .ts_clips import clip, joined, muxer_for, packets_of, read, write
from .ts_packets import AUDIO, OTHER, PICTURE, VIDEO, cut, entry, numbered, packets_of_stream, pes, places, tables

EXACT = PICTURE.ljust(2 * 184 - 14, b"\x55")
"""A picture whose PES packet of unknown length fills two packets exactly."""

LONG = PICTURE.ljust(1000, b"\x55")
"""A picture that does not."""


def steps(packets: list[bytes], demuxer: Demuxer) -> list[list[Unit]]:
    """What comes out with each packet."""
    return [demuxer.feed(packet, 0) for packet in packets]


def ready(*entries: bytes) -> Demuxer:
    demuxer = Demuxer()
    demuxer.feed(tables(*entries), 0)
    return demuxer


def later(packets: list[bytes], by: int) -> list[bytes]:
    """The same packets with counters that go on."""
    return [numbered(packet, packet[3] + by) for packet in packets]


@pytest.mark.parametrize("name", ["h264_and_aac", "b_frames", "slices", "video_with_lengths", "hevc", "opus"])
def test_a_unit_of_ffmpeg_comes_with_its_last_packet_if_that_is_filled_up_or_its_length_known(name: str):
    packets = packets_of_stream(clip(name))
    came = [len(units) for units in steps(packets, Demuxer())]
    at_once = 0
    for place in places(packets):
        last = packets[place.last]
        if place.pid == AUDIO or name == "video_with_lengths" or is_stuffed(last):
            assert came[place.last] >= 1, place
            at_once += 1
    assert at_once >= len(places(packets)) - 3


@pytest.mark.parametrize("name", ["h264_and_aac", "b_frames", "hevc", "video_alone", "sound_alone", "opus"])
def test_every_unit_that_we_mux_comes_with_its_last_packet(name: str):
    units = read(clip(name))
    written = write(units, muxer_for(units))
    demuxer = Demuxer()
    for unit, data in zip(units, written, strict=True):
        packets = packets_of_stream(data)
        came = steps(packets, demuxer)
        assert not any(came[:-1])
        assert packets_of(came[-1]) == packets_of([unit]) or came[-1][0].data.endswith(unit.data)


def test_a_unit_too_long_for_a_length_comes_with_its_last_packet_whatever_its_size():
    muxer, demuxer = Muxer(video="h264", audio=None), Demuxer()
    for size in range(70_000, 70_000 + 184):
        data = PICTURE.ljust(size, b"\x55")
        packets = muxer.write("video", data, pts=size, dts=size, is_keyframe=False)
        assert demuxer.feed(packets[:-188], 0) == []
        (unit,) = demuxer.feed(packets[-188:], 0)
        assert (unit.data == data, unit.pts, unit.is_broken) == (True, size, False)


def sound(counter: int = 0) -> bytes:
    return cut(pes(b"sound", length=None, stream_id=0xC0), pid=AUDIO, counter=counter)[0]


def exact(index: int) -> bytes:
    """The packets of a picture that fills its last one exactly."""
    return b"".join(cut(pes(EXACT), counter=2 * index))


def test_once_that_was_right_a_few_times_another_track_tells_where_a_unit_ended():
    demuxer = ready()
    came = []
    for index in range(5):
        demuxer.feed(exact(index), 0)
        came.append(joined(demuxer.feed(sound(index), 0)))
    assert came == [b"sound"] * 3 + [EXACT + b"sound"] * 2


def test_once_that_was_right_a_few_times_a_stream_that_is_left_out_tells_as_well():
    demuxer = ready(entry(0x1B, VIDEO), entry(0x15, OTHER))
    came = []
    for index in range(5):
        demuxer.feed(exact(index), 0)
        came.append(joined(demuxer.feed(cut(pes(b"metadata"), pid=OTHER, counter=index)[0], 0)))
    assert came == [b""] * 3 + [EXACT] * 2


def test_once_that_was_right_a_few_times_a_silence_tells_where_a_unit_ended():
    demuxer = ready()
    came = []
    for index in range(5):
        demuxer.feed(exact(index), 0)
        came.append(joined(demuxer.idle()))
    assert came == [b""] * 3 + [EXACT] * 2
    assert demuxer.idle() == []


def test_a_unit_that_fills_its_last_packet_exactly_comes_at_the_end_of_the_segment():
    demuxer = ready()
    demuxer.feed(exact(0), 0)
    assert joined(demuxer.end_segment()) == EXACT
    assert demuxer.end_segment() == []


def test_a_segment_that_ends_anywhere_is_understood_after_a_few_units():
    demuxer, units = ready(), []
    for index in range(8):
        for packet in later(cut(pes(EXACT)), 2 * index):
            units += demuxer.feed(packet, 0) + demuxer.end_segment()
    assert [unit.data == EXACT for unit in units] == [False] * 3 + [True] * 4


def test_a_silence_within_a_packet_ends_nothing():
    demuxer = ready()
    for index in range(3):
        demuxer.feed(exact(index), 0)
        demuxer.idle()
    packets = exact(3)
    demuxer.feed(packets[:300], 0)
    assert joined(demuxer.idle()) == b""
    assert demuxer.feed(packets[300:], 0) == []
    assert joined(demuxer.idle()) == EXACT


def test_a_unit_of_known_length_is_not_ended_by_a_silence_nor_by_another_track_nor_by_a_segment():
    demuxer = ready()
    *most, last = cut(pes(LONG, length=None))
    steps(most, demuxer)
    assert demuxer.idle() == []
    assert joined(demuxer.feed(sound(), 0)) == b"sound"
    assert demuxer.end_segment() == []
    (unit,) = demuxer.feed(last, 0)
    assert (unit.data, unit.is_broken) == (LONG, False)


def test_a_unit_comes_at_the_latest_when_the_next_begins():
    demuxer = ready()
    packets = cut(pes(EXACT))
    steps(packets, demuxer)
    assert joined(demuxer.feed(later(packets, 2)[0], 0)) == EXACT


def test_what_stands_beyond_the_length_is_not_of_the_unit():
    demuxer = ready()
    data = pes(b"sound", length=None, stream_id=0xC0) + b"\xff" * 20
    assert joined(demuxer.feed(cut(data, pid=AUDIO)[0], 0)) == b"sound"


def test_a_packet_filled_up_behind_a_header_alone_ends_nothing():
    demuxer = ready()
    whole = pes(LONG)
    first = cut(whole[:14])
    rest = [numbered(bytes([p[0], p[1] & 0x1F]) + p[2:], 1 + i) for i, p in enumerate(cut(whole[14:]))]
    came = steps([*first, *rest], demuxer)
    assert joined(came[-1]) == LONG
    assert not any(came[:-1])


def uneven(counter: int) -> list[bytes]:
    """A picture whose packets are all filled up, as no rule expects it."""
    whole, packets = pes(LONG), []
    for index, at in enumerate(range(0, len(whole), 100)):
        packets += cut(whole[at : at + 100], counter=counter + index)
        if index:
            packets[-1] = bytes([0x47, packets[-1][1] & 0x1F]) + packets[-1][2:]
    return packets


def test_a_muxer_that_fills_up_packets_anywhere_is_understood_after_a_few_units():
    demuxer, counter, units = ready(), 0, []
    for _ in range(8):
        packets = uneven(counter)
        counter += len(packets)
        units += [unit for came in steps(packets, demuxer) for unit in came]
    units += demuxer.end_segment()
    assert [unit.data == LONG for unit in units] == [False] * 3 + [True] * 5
    assert not any(unit.is_broken for unit in units)


def test_tracks_that_are_interleaved_within_units_break_none():
    demuxer, units = ready(), []
    for index in range(8):
        first, *rest = later(cut(pes(EXACT)), 2 * index)
        units += [unit for came in steps([first, sound(index), *rest], demuxer) for unit in came]
    units += demuxer.end_segment()
    assert [unit.data for unit in units if unit.track.pid == VIDEO] == [EXACT] * 8
    assert [unit.data for unit in units if unit.track.pid == AUDIO] == [b"sound"] * 8


def test_a_sender_that_pauses_within_units_breaks_none():
    demuxer, units = ready(), []
    for index in range(8):
        for packet in later(cut(pes(EXACT)), 2 * index):
            units += demuxer.feed(packet, 0) + demuxer.idle()
    assert [unit.data for unit in units] == [EXACT] * 7


def test_a_sender_that_begins_to_pause_within_units_breaks_a_few():
    demuxer, units = ready(), []
    for index in range(5):
        units += demuxer.feed(exact(index), 0) + demuxer.idle()
    for index in range(5, 15):
        for packet in later(cut(pes(EXACT)), 2 * index):
            units += demuxer.feed(packet, 0) + demuxer.idle()
    assert [unit.data == EXACT for unit in units] == [True] * 5 + [False] * 3 + [True] * 6


@pytest.mark.parametrize("length", [100, 5000])
def test_lengths_that_are_wrong_are_ignored_after_a_few(length: int):
    demuxer, units = ready(), []
    packets = cut(pes(LONG, length=length))
    for index in range(8):
        units += [unit for came in steps(later(packets, len(packets) * index), demuxer) for unit in came]
    units += demuxer.end_segment()
    assert [unit.data for unit in units][3:] == [LONG] * 5
    assert not any(unit.is_broken for unit in units[3:])


def test_a_picture_over_several_pes_packets_is_one_unit_after_a_few():
    """Only the first of them has a time; a length of 16 bits is too short for the whole."""
    demuxer, counter, units = ready(), 0, []
    for pts in range(10):
        for data in (pes(EXACT[:184], pts=pts, length=None), pes(EXACT[184:], pts=None, length=None)):
            packets = cut(data, counter=counter)
            counter += len(packets)
            units += [unit for came in steps(packets, demuxer) for unit in came]
    units += demuxer.end_segment()
    assert [unit.data for unit in units][-4:] == [EXACT] * 4
    assert [unit.pts for unit in units] == list(range(10))


def test_segments_that_end_within_units_do_not_make_known_lengths_doubtful():
    demuxer = ready()
    packets = cut(pes(LONG, length=None))
    for _ in range(5):
        steps(packets[:-1], demuxer)
        assert all(unit.is_broken for unit in demuxer.end_segment())
    assert [(unit.data == LONG, unit.is_broken) for unit in steps(packets, demuxer)[-1]] == [(True, False)]


def test_several_pictures_in_one_pes_packet_are_units_of_their_own():
    demuxer = ready()
    units = demuxer.feed(cut(pes(PICTURE + b"1" + PICTURE + b"2", pts=7))[0], 0)
    assert [(unit.data, unit.pts) for unit in units] == [(PICTURE + b"1", 7), (PICTURE + b"2", None)]
