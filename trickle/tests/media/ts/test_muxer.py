"""What the muxer writes beside the units: tables, clocks, counters; and what it refuses."""

import pytest

from livepeer.trickle.media._ts import Demuxer, Muxer

from .ts_clips import clip, in_pieces, read, read_by_ffmpeg
from .ts_packets import AUDIO, PICTURE, PMT, VIDEO, begins, packets_of_stream, pid_of

KEYFRAME = b"\0\0\0\1\x09\xf0\0\0\0\1\x65key"
SOUND = b"\xff\xf1\x50\x80\x01\x60\xfcabcd"


def pids(data: bytes) -> list[int]:
    return [pid_of(packet) for packet in packets_of_stream(data)]


def clock_of(packet: bytes) -> int | None:
    if packet[3] & 0x20 and packet[4] >= 7 and packet[5] & 0x10:
        return int.from_bytes(packet[6:12]) >> 15
    return None


def test_tables_stand_before_the_first_unit_and_before_every_keyframe():
    muxer = Muxer(video="h264", audio="aac")
    written = [
        pids(muxer.write(kind, data, pts=0, dts=0, is_keyframe=key))
        for kind, data, key in [
            ("audio", SOUND, True),
            ("video", PICTURE, False),
            ("audio", SOUND, True),
            ("video", KEYFRAME, True),
        ]
    ]
    assert written == [[0, PMT, AUDIO], [VIDEO], [AUDIO], [0, PMT, VIDEO]]


def test_without_video_tables_stand_before_every_half_second():
    muxer = Muxer(video=None, audio="aac")
    written = [muxer.write("audio", SOUND, pts=pts, dts=pts, is_keyframe=True) for pts in range(0, 180_000, 1_800)]
    assert [index for index, data in enumerate(written) if PMT in pids(data)] == [0, 25, 50, 75]


def test_tables_stand_where_a_segment_is_to_begin():
    muxer = Muxer(video=None, audio="aac")
    assert pids(muxer.write("audio", SOUND, pts=0, dts=0, is_keyframe=True)) == [0, PMT, AUDIO]
    muxer.start_segment()
    assert pids(muxer.write("audio", SOUND, pts=1, dts=1, is_keyframe=True)) == [0, PMT, AUDIO]
    assert pids(muxer.write("audio", SOUND, pts=2, dts=2, is_keyframe=True)) == [AUDIO]


@pytest.mark.parametrize(("video", "pid"), [("h264", VIDEO), (None, AUDIO)])
def test_every_unit_of_the_leading_track_tells_the_time_by_which_it_is_decoded(video: str | None, pid: int):
    muxer = Muxer(video=video, audio="aac")
    for dts in (0, 3_000, (1 << 33) + 5):
        if video:
            data = muxer.write("video", PICTURE, pts=dts + 9_000, dts=dts, is_keyframe=False)
        else:
            data = muxer.write("audio", SOUND, pts=dts, dts=dts, is_keyframe=True)
        clocks = {
            pid_of(packet): clock_of(packet) for packet in packets_of_stream(data) if clock_of(packet) is not None
        }
        assert clocks == {pid: dts % (1 << 33)}


def test_the_counters_of_every_pid_go_on():
    muxer = Muxer(video="h264", audio="aac")
    data = b""
    for index in range(40):
        data += muxer.write("video", KEYFRAME * (index * 9 + 1), pts=index, dts=index, is_keyframe=index % 5 == 0)
        data += muxer.write("audio", SOUND, pts=index, dts=index, is_keyframe=True)
    for pid in (0, PMT, VIDEO, AUDIO):
        counters = [packet[3] & 15 for packet in packets_of_stream(data) if pid_of(packet) == pid]
        assert len(counters) >= 8
        assert counters == [index & 15 for index in range(len(counters))]


@pytest.mark.parametrize("size", [*range(1, 400, 7), 5_000, 65_520, 65_530, 70_000, 1_000_000])
def test_units_of_any_size_come_back_whole(size: int):
    data = PICTURE + b"\x55" * size
    muxer, demuxer = Muxer(video="h264", audio=None), Demuxer()
    packets = muxer.write("video", data, pts=7, dts=7, is_keyframe=False)
    assert len(packets) % 188 == 0
    units = demuxer.feed(packets, 0)
    assert [(unit.data, unit.pts, unit.dts, unit.is_broken) for unit in units] == [(data, 7, 7, False)]


def test_sound_of_any_size_comes_back_whole_beside_video():
    muxer, demuxer = Muxer(video="h264", audio="aac"), Demuxer()
    demuxer.feed(muxer.write("video", KEYFRAME, pts=0, dts=0, is_keyframe=True), 0)
    for size in range(400):
        packets = muxer.write("audio", SOUND.ljust(len(SOUND) + size), pts=size, dts=size, is_keyframe=True)
        assert len(packets) % 188 == 0
        assert [(unit.data, unit.pts) for unit in demuxer.feed(packets, 0)] == [(SOUND.ljust(len(SOUND) + size), size)]


def test_short_units_have_a_length_and_long_ones_none():
    muxer = Muxer(video="h264", audio=None)
    for size, has_length in ((65_000, True), (66_000, False)):
        data = muxer.write("video", PICTURE.ljust(size), pts=0, dts=0, is_keyframe=False)
        start = data.index(b"\0\0\1\xe0")
        assert (data[start + 4 : start + 6] != b"\0\0") is has_length


@pytest.mark.parametrize("pts", [0, 1, (1 << 33) - 1, 1 << 33, (5 << 33) + 12, -90_000])
def test_times_of_any_size_are_written_in_33_bits(pts: int):
    data = Muxer(video="h264", audio=None).write("video", KEYFRAME, pts=pts, dts=pts - 3, is_keyframe=True)
    (unit,) = read(data)
    assert unit.pts is not None
    assert unit.dts is not None
    assert unit.pts % (1 << 33) == pts % (1 << 33)
    assert unit.pts - unit.dts == 3


def test_times_that_wrap_in_the_stream_go_on_rising():
    muxer, demuxer = Muxer(video="h264", audio="aac"), Demuxer()
    begin = (1 << 33) - 9_000
    times = range(begin, begin + 30_000, 3_000)
    units = [
        unit
        for pts in times
        for unit in demuxer.feed(
            muxer.write("video", KEYFRAME, pts=pts + 6_000, dts=pts, is_keyframe=True)
            + muxer.write("audio", SOUND, pts=pts, dts=pts, is_keyframe=True),
            0,
        )
    ]
    assert [unit.dts for unit in units] == [pts for pts in times for _ in range(2)]
    assert [unit.pts for unit in units[::2]] == [pts + 6_000 for pts in times]


@pytest.mark.parametrize(
    ("codec", "data", "delimiter"),
    [("h264", b"\0\0\1\x65key", b"\0\0\0\1\x09\xf0"), ("hevc", b"\0\0\0\1\x26\1key", b"\0\0\0\1\x46\1\x50")],
)
def test_a_delimiter_is_put_before_units_that_have_none(codec: str, data: bytes, delimiter: bytes):
    for unit in (data, delimiter + data, delimiter[1:] + data):
        written = Muxer(video=codec, audio=None).write("video", unit, pts=0, dts=0, is_keyframe=True)
        expected = unit if unit is not data else delimiter + data
        assert [read_unit.data for read_unit in read(written)] == [expected]


def test_ffmpeg_reads_a_stream_without_complaint_from_any_keyframe_on():
    units = read(clip("h264_and_aac"))
    muxer = Muxer(video="h264", audio="aac")
    segments: list[bytes] = []
    for unit in units:
        assert unit.pts is not None
        assert unit.dts is not None
        data = muxer.write(unit.track.kind, unit.data, pts=unit.pts, dts=unit.dts, is_keyframe=unit.is_keyframe)
        if unit.track.kind == "video" and unit.is_keyframe:
            segments.append(b"")
        if segments:
            segments[-1] += data
    assert len(segments) == 3
    assert [len(read_by_ffmpeg(segment)["video"]) for segment in segments] == [15, 15, 15]


def test_first_packets_of_units_say_whether_decoding_can_begin():
    muxer = Muxer(video="h264", audio=None)
    for data, is_keyframe in ((KEYFRAME, True), (PICTURE, False)):
        written = packets_of_stream(muxer.write("video", data, pts=0, dts=0, is_keyframe=is_keyframe))
        (first,) = [packet for packet in written if pid_of(packet) == VIDEO and begins(packet)]
        assert bool(first[5] & 0x40) is is_keyframe


@pytest.mark.parametrize(
    ("video", "audio", "message"),
    [
        (None, None, "has to have a track"),
        ("vp9", None, "'vp9' is not carried"),
        ("aac", None, "no codec of video"),
        (None, "h264", "no codec of audio"),
        ("h264", "flac", "'flac' is not carried"),
    ],
)
def test_tracks_that_cannot_be_are_refused(video: str | None, audio: str | None, message: str):
    with pytest.raises(ValueError, match=message):
        Muxer(video=video, audio=audio)


@pytest.mark.parametrize("channels", [-1, 9, 300])
def test_channels_of_opus_that_cannot_be_are_refused(channels: int):
    with pytest.raises(ValueError, match="channels"):
        Muxer(video=None, audio="opus", audio_channels=channels)


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        ("video", b"\0\0\0\x05\x65abcd", "Annex B"),
        ("video", b"", "Annex B"),
        ("audio", b"\x21\x10\x04\x60\x8c\x1c", "ADTS"),
        ("audio", b"", "ADTS"),
    ],
)
def test_data_in_another_form_are_refused_and_the_stream_goes_on(kind: str, data: bytes, message: str):
    muxer = Muxer(video="h264", audio="aac")
    with pytest.raises(ValueError, match=message):
        muxer.write(kind, data, pts=0, dts=0, is_keyframe=True)
    assert [unit.data for unit in read(muxer.write("video", KEYFRAME, pts=0, dts=0, is_keyframe=True))] == [KEYFRAME]


def test_a_track_that_was_not_announced_is_refused():
    with pytest.raises(ValueError, match="no audio"):
        Muxer(video="h264", audio=None).write("audio", SOUND, pts=0, dts=0, is_keyframe=True)


def test_its_own_stream_is_read_in_any_pieces():
    muxer = Muxer(video="h264", audio="aac")
    stream = b"".join(muxer.write("video", KEYFRAME * 99, pts=n, dts=n, is_keyframe=True) for n in range(9))
    assert [read(in_pieces(stream, size)) for size in (1, 100, 188, 999)] == [read(stream)] * 4
