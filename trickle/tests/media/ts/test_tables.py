"""Which program is read, and what becomes of its tracks when its tables change."""

import pytest

from livepeer.trickle.media._ts import Demuxer
from livepeer.trickle.media._ts.sections import SectionReader, crc32

from .ts_packets import (
    AUDIO,
    PICTURE,
    PMT,
    VIDEO,
    cut,
    entry,
    numbered,
    packet,
    pes,
    section_packet,
    tables,
)

OTHER_PMT, OTHER_VIDEO = 0x1001, 0x200


def pat(*programs: tuple[int, int], counter: int = 0) -> bytes:
    body = b"".join(number.to_bytes(2) + (0xE000 | pid).to_bytes(2) for number, pid in programs)
    return section_packet(0, 0, 1, body, counter=counter)


def pmt(*entries: bytes, pid: int = PMT, counter: int = 0, table: int = 2) -> bytes:
    return section_packet(pid, table, 1, b"\xe1\x00\xf0\x00" + b"".join(entries), counter=counter)


def codecs(demuxer: Demuxer) -> dict[int, str]:
    return {track.pid: track.codec for track in demuxer.tracks}


def test_the_checksum_is_that_of_mpeg_2():
    assert crc32(b"123456789") == 0x0376E6E7


def test_of_several_programs_the_first_that_tells_of_a_known_track_is_read():
    demuxer = Demuxer()
    demuxer.feed(pat((0, 0x10), (1, PMT), (2, OTHER_PMT)), 0)
    demuxer.feed(pmt(entry(0x15, 0x300)), 0)
    assert codecs(demuxer) == {}
    demuxer.feed(pmt(entry(0x1B, OTHER_VIDEO), pid=OTHER_PMT), 0)
    demuxer.feed(pmt(entry(0x1B, VIDEO), counter=1), 0)
    assert codecs(demuxer) == {OTHER_VIDEO: "h264"}
    units = demuxer.feed(cut(pes(PICTURE))[0] + cut(pes(PICTURE), pid=OTHER_VIDEO)[0], 0)
    assert [unit.track.pid for unit in units] == [OTHER_VIDEO]


def test_a_program_that_leaves_the_table_makes_room_for_another():
    demuxer = Demuxer()
    demuxer.feed(pat((1, PMT)) + pmt(entry(0x1B, VIDEO)), 0)
    demuxer.feed(pat((2, OTHER_PMT), counter=1) + pmt(entry(0x24, OTHER_VIDEO), pid=OTHER_PMT), 0)
    assert codecs(demuxer) == {OTHER_VIDEO: "hevc"}


def test_a_track_that_a_new_table_goes_on_with_loses_nothing():
    demuxer = Demuxer()
    demuxer.feed(tables(entry(0x1B, VIDEO)), 0)
    first, *rest = cut(pes(PICTURE.ljust(1000, b"\x55"), length=None))
    units = demuxer.feed(first + pmt(entry(0x1B, VIDEO), entry(0x0F, AUDIO), counter=1) + b"".join(rest), 0)
    assert [(len(unit.data), unit.is_broken) for unit in units] == [(1000, False)]
    assert codecs(demuxer) == {VIDEO: "h264", AUDIO: "aac"}


def test_a_track_that_becomes_another_ends_what_had_begun():
    demuxer = Demuxer()
    demuxer.feed(tables(entry(0x1B, VIDEO)), 0)
    exact = PICTURE.ljust(184 - 14, b"\x55")
    demuxer.feed(cut(pes(exact))[0], 0)
    units = demuxer.feed(pmt(entry(0x24, VIDEO), counter=1), 0)
    units += demuxer.feed(cut(pes(PICTURE, length=None), counter=9)[0], 0)
    assert [(unit.track.codec, unit.data) for unit in units] == [("h264", exact), ("hevc", PICTURE)]
    assert demuxer.lost_packets == 0


def test_a_table_with_a_wrong_checksum_is_not_believed():
    demuxer = Demuxer()
    right = pmt(entry(0x1B, VIDEO))
    demuxer.feed(pat((1, PMT)) + right.replace(b"\x1b", b"\x24"), 0)
    assert codecs(demuxer) == {}
    demuxer.feed(numbered(right, 1), 0)
    assert codecs(demuxer) == {VIDEO: "h264"}


def test_a_table_for_later_and_another_table_are_passed_over():
    demuxer = Demuxer()
    demuxer.feed(pat((1, PMT)) + pmt(entry(0x1B, VIDEO), table=3), 0)
    later = bytearray(pmt(entry(0x1B, VIDEO), counter=1)[:-1])
    section = later[5 : 5 + 3 + later[7] - 4]
    section[5] &= 0xFE
    demuxer.feed(packet(b"\0" + bytes(section) + crc32(bytes(section)).to_bytes(4), pid=PMT, counter=2, begins=True), 0)
    assert codecs(demuxer) == {}


def test_another_table_in_the_place_of_the_table_of_programs_is_passed_over():
    demuxer = Demuxer()
    demuxer.feed(section_packet(0, 1, 1, b"\0\1" + (0xE000 | PMT).to_bytes(2)) + pmt(entry(0x1B, VIDEO)), 0)
    assert codecs(demuxer) == {}
    demuxer.feed(pat((1, PMT), counter=1) + pmt(counter=1) + pmt(entry(0x1B, VIDEO), counter=2), 0)
    assert codecs(demuxer) == {VIDEO: "h264"}


def test_a_table_that_is_too_short_is_passed_over():
    demuxer = Demuxer()
    demuxer.feed(pat((1, PMT)) + section_packet(PMT, 2, 1, b"\xe1"), 0)
    assert codecs(demuxer) == {}


def test_a_table_over_several_packets_and_two_in_one_are_read():
    sections: list[bytes] = []
    reader = SectionReader(sections.append)
    bodies = [b"a" * 300, b"b" * 10, b"c" * 20]
    raw = [b"\x02" + (0xB000 | len(body) + 4).to_bytes(2) + body for body in bodies]
    raw = [section + crc32(section).to_bytes(4) for section in raw]
    stream = b"".join(raw)
    reader.read(packet(b"\0" + stream[:183], pid=PMT, counter=0, begins=True))
    tail = len(raw[0]) - 183
    reader.read(packet(bytes([tail]) + stream[183:], pid=PMT, counter=1, begins=True))
    assert [section[3:] for section in sections] == bodies


@pytest.mark.parametrize("lost", [1, 2])
def test_a_table_with_a_packet_lost_is_not_read(lost: int):
    sections: list[bytes] = []
    reader = SectionReader(sections.append)
    section = b"\x02" + (0xB000 | 504).to_bytes(2) + b"a" * 500
    packets = cut(b"\0" + section + crc32(section).to_bytes(4), pid=PMT)
    del packets[lost]
    for part in packets:
        reader.read(part)
    assert sections == []


def test_a_table_cannot_take_the_place_of_the_tables_themselves():
    demuxer = Demuxer()
    demuxer.feed(pat((1, PMT)) + pmt(entry(0x1B, 0), entry(0x1B, PMT), entry(0x1B, 0x1FFF), entry(0x1B, VIDEO)), 0)
    assert codecs(demuxer) == {VIDEO: "h264"}


@pytest.mark.parametrize(
    ("stream_type", "descriptors", "codec"),
    [
        (0x1B, b"", "h264"),
        (0x24, b"", "hevc"),
        (0x0F, b"", "aac"),
        (0x11, b"", "aac_latm"),
        (0x03, b"", "mp3"),
        (0x04, b"", "mp3"),
        (0x81, b"", "ac3"),
        (0x06, b"\x05\x04HEVC", "hevc"),
        (0x06, b"\x05\x04AC-3", "ac3"),
        (0x06, b"\x6a\x00", "ac3"),
        (0x06, b"\x0a\x04eng\x00\x7a\x00", "eac3"),
        (0x06, b"\x05\x04Opus\x7f\x02\x80\x01", "opus"),
        (0x06, b"\x05\x04KLVA", None),
        (0x06, b"\x05\x40Op", None),
        (0x06, b"", None),
        (0x1B, b"\x05", "h264"),
    ],
)
def test_a_codec_is_known_by_its_type_and_its_descriptors(stream_type: int, descriptors: bytes, codec: str | None):
    demuxer = Demuxer()
    demuxer.feed(tables(entry(stream_type, VIDEO, descriptors)), 0)
    assert codecs(demuxer).get(VIDEO) == codec
