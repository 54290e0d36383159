"""A file becomes units: copied where that can be, encoded anew where not, with timestamps that go on."""

import io
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.stream import Disposition

from livepeer.trickle.media import Demuxer, FileError, FileSource, FrameDecoder, Muxer, Unit, VideoFrame

MakeClip = Callable[..., Path]
TICKS = 90_000


def units_of(source: Any, kind: str) -> list[Unit]:
    return [unit for unit in source if unit.track.kind == kind]


def packets_of(path: Path, kind: str) -> list[Any]:
    with av.open(str(path)) as file:
        return [packet for packet in file.demux(**{kind: 0}) if packet.size]


def decoded(units: list[Unit]) -> list[Any]:
    decoder = FrameDecoder()
    frames: list[Any] = [frame for unit in units for frame in decoder.decode(unit)]
    return [*frames, *decoder.finish()]


def brightness(frame: VideoFrame) -> float:
    return float(frame.to_ndarray().mean())


def test_h264_and_aac_are_copied_packet_by_packet(make_clip: MakeClip) -> None:
    path = make_clip(options={"bf": "2"})
    with FileSource(path) as source:
        assert [(track.kind, track.codec) for track in source.tracks] == [("video", "h264"), ("audio", "aac")]
        units = list(source)
    for kind in ("video", "audio"):
        packets, copied = packets_of(path, kind), units_of(units, kind)
        shift = copied[0].pts - packets[0].pts * packets[0].time_base * TICKS
        assert [unit.is_keyframe for unit in copied] == [packet.is_keyframe for packet in packets]
        assert len(copied) == len(packets)
        for unit, packet in zip(copied, packets, strict=True):
            assert abs(unit.pts - packet.pts * packet.time_base * TICKS - shift) < 1
            assert abs(unit.dts - packet.dts * packet.time_base * TICKS - shift) < 1
            assert unit.data.startswith(b"\x00\x00\x00\x01" if kind == "video" else b"\xff\xf1")
            if kind == "audio":
                assert unit.data[7:] == bytes(packet)


def test_both_tracks_keep_their_distance(make_clip: MakeClip) -> None:
    path = make_clip()
    with FileSource(path) as source:
        units = list(source)
    video, audio = (packets_of(path, kind)[0] for kind in ("video", "audio"))
    expected = (video.pts * video.time_base - audio.pts * audio.time_base) * TICKS
    assert abs(units_of(units, "video")[0].pts - units_of(units, "audio")[0].pts - expected) <= 1
    assert all(unit.dts > 0 for unit in units)


def test_what_is_copied_makes_a_stream_that_shows_the_same_pictures(make_clip: MakeClip) -> None:
    path = make_clip(options={"bf": "2"})
    with FileSource(path) as source:
        muxer = Muxer(video="h264", audio="aac")
        stream = b"".join(
            muxer.write(unit.track.kind, unit.data, pts=unit.pts, dts=unit.dts, is_keyframe=unit.is_keyframe)
            for unit in source
        )
    demuxer = Demuxer()
    units = [*demuxer.feed(stream, 0.0), *demuxer.end_segment()]
    pictures = decoded(units_of(units, "video"))
    assert len(pictures) == 50
    with av.open(str(path)) as file:
        expected = [float(frame.to_ndarray(format="rgb24").mean()) for frame in file.decode(video=0)]
    assert [brightness(frame) for frame in pictures] == pytest.approx(expected, abs=0.5)
    assert np.diff([frame.pts for frame in pictures]).tolist() == [TICKS // 25] * 49
    assert sum(frame.samples for frame in decoded(units_of(units, "audio"))) == pytest.approx(96000, abs=3072)


@pytest.mark.parametrize(
    ("name", "video", "audio"),
    [
        ("clip.webm", "libvpx", "libopus"),
        ("clip.mkv", "mpeg4", "mp2"),
        ("clip.avi", "mjpeg", "pcm_s16le"),
    ],
)
def test_other_codecs_are_encoded_anew(make_clip: MakeClip, name: str, video: str, audio: str) -> None:
    path = make_clip(name, video=video, audio=audio)
    with FileSource(path) as source:
        assert [track.codec for track in source.tracks] == ["h264", "opus" if audio == "libopus" else "aac"]
        units = list(source)
    pictures = decoded(units_of(units, "video"))
    assert len(pictures) == 50
    assert [brightness(frame) for frame in pictures] == pytest.approx([16 + n * 4 % 224 for n in range(50)], abs=8)
    sound = decoded(units_of(units, "audio"))
    assert sum(frame.samples for frame in sound) / sound[0].sample_rate == pytest.approx(2.0, abs=0.1)
    loudest = max(float(np.abs(frame.to_ndarray()).max()) for frame in sound)
    assert 0.4 < loudest < 0.65
    assert abs(pictures[0].pts - sound[0].pts) < TICKS * 0.08


@pytest.mark.parametrize("name", ["clip.avi", "clip.asf"])
def test_reordered_pictures_that_have_no_times_of_their_own_come_in_order(make_clip: MakeClip, name: str) -> None:
    path = make_clip(name, audio=None, seconds=1.0, options={"bf": "2", "b-adapt": "0"})
    with FileSource(path) as source:
        pictures = decoded(list(source))
    assert [brightness(frame) for frame in pictures] == pytest.approx([16 + 4 * n for n in range(25)], abs=3)
    assert np.diff([frame.pts for frame in pictures]).tolist() == [TICKS // 25] * 24


def test_pictures_of_an_avi_that_are_in_order_are_copied(make_clip: MakeClip) -> None:
    path = make_clip("clip.avi", audio=None, options={"bf": "0"})
    with FileSource(path) as source:
        assert [unit.data for unit in source] == [bytes(packet) for packet in packets_of(path, "video")]


def test_pictures_whose_file_dates_only_some_of_them_are_decoded_before_they_are_shown(make_clip: MakeClip) -> None:
    path = make_clip("clip.mkv", audio=None, options={"bf": "3", "b-adapt": "0"})
    assert packets_of(path, "video")[0].dts is None
    with FileSource(path) as source:
        units = list(source)
    times = [unit.dts for unit in units]
    assert times == sorted(set(times))
    assert all(unit.dts <= unit.pts for unit in units)
    assert times[0] > 0


def test_a_file_of_odd_sides_is_encoded_with_even_ones(make_clip: MakeClip) -> None:
    path = make_clip("clip.avi", video="mjpeg", audio=None, size=(63, 47), seconds=0.2)
    with FileSource(path) as source:
        pictures = decoded(list(source))
    assert [(frame.width, frame.height) for frame in pictures] == [(62, 46)] * 5


def test_a_single_picture_loops_as_well(make_clip: MakeClip) -> None:
    path = make_clip(audio=None, seconds=1 / 25)
    with FileSource(path, loop=True) as source:
        units = list(islice(source, 5))
    assert np.diff([unit.pts for unit in units]).tolist() == [TICKS // 30] * 4


@pytest.mark.parametrize("loop", [False, True])
def test_a_file_without_times_says_what_to_do(make_clip: MakeClip, loop: bool) -> None:
    path = make_clip("clip.h264", audio=None)
    with FileSource(path, loop=loop) as source, pytest.raises(FileError, match=r"clip\.h264.*ffmpeg"):
        next(source)


def test_opus_is_copied_with_its_head(make_clip: MakeClip) -> None:
    path = make_clip("clip.mkv", video=None, audio="libopus", layout="mono")
    with FileSource(path) as source:
        (track,) = source.tracks
        units = list(source)
    assert (track.codec, track.channels) == ("opus", 1)
    assert track.extradata is not None
    assert track.extradata.startswith(b"OpusHead")
    assert [unit.data for unit in units] == [bytes(packet) for packet in packets_of(path, "audio")]


def test_a_transport_stream_is_copied_as_it_is(make_clip: MakeClip) -> None:
    path = make_clip("clip.ts")
    with FileSource(path) as source:
        units = list(source)
    for kind in ("video", "audio"):
        assert [unit.data for unit in units_of(units, kind)] == [bytes(packet) for packet in packets_of(path, kind)]


def test_bytes_in_memory_are_a_file_too(make_clip: MakeClip) -> None:
    path = make_clip()
    with FileSource(path) as source:
        expected = [(unit.pts, unit.data) for unit in source]
    with FileSource(io.BytesIO(path.read_bytes())) as source:
        assert [(unit.pts, unit.data) for unit in source] == expected


@pytest.mark.parametrize("in_memory", [False, True])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.webm"])
def test_a_loop_goes_on_with_rising_timestamps(make_clip: MakeClip, name: str, in_memory: bool) -> None:
    codecs = {"clip.mp4": ("libx264", "aac"), "clip.webm": ("libvpx", "libopus")}[name]
    path = make_clip(name, video=codecs[0], audio=codecs[1], seconds=0.4)
    with FileSource(io.BytesIO(path.read_bytes()) if in_memory else path, loop=True) as source:
        units = list(islice(source, 100))
    pictures = decoded(units_of(units, "video"))
    assert len(pictures) > 25
    steps = np.diff([frame.pts for frame in pictures])
    assert steps.min() > 0
    assert steps.max() < TICKS * 0.2
    shades = [brightness(frame) for frame in pictures]
    assert shades[:10] == pytest.approx([16 + 4 * n for n in range(10)], abs=8)
    assert shades[10:20] == pytest.approx(shades[:10], abs=8)
    for kind in ("video", "audio"):
        times = [unit.dts for unit in units_of(units, kind)]
        assert times == sorted(set(times)), kind


def test_in_real_time_a_file_takes_as_long_as_it_plays(make_clip: MakeClip) -> None:
    path = make_clip(seconds=0.5)
    started = time.monotonic()
    with FileSource(path, realtime=True) as source:
        count = len(list(source))
    assert 0.4 < time.monotonic() - started < 3
    with FileSource(path) as source:
        assert len(list(source)) == count


def test_the_duration_is_that_of_the_file(make_clip: MakeClip) -> None:
    with FileSource(make_clip()) as source:
        assert source.duration_seconds == pytest.approx(2.0, abs=0.1)


def test_a_cover_picture_is_no_video(make_clip: MakeClip, tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    with av.open(str(make_clip(video=None, seconds=0.5))) as source, av.open(str(path), "w") as output:
        tone = output.add_stream("libmp3lame", rate=48000, layout="stereo")
        cover = output.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = Disposition.attached_pic
        picture = av.VideoFrame.from_ndarray(np.zeros((48, 64, 3), np.uint8), format="rgb24")
        output.mux([*cover.encode(picture), *cover.encode(None)])
        for frame in source.decode(audio=0):
            output.mux(tone.encode(frame))
        output.mux(tone.encode(None))
    with av.open(str(path)) as file:
        assert len(file.streams.video) == 1
    with FileSource(path) as source:
        assert [(track.kind, track.codec) for track in source.tracks] == [("audio", "aac")]


def test_what_is_no_media_says_so(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("no media at all")
    with pytest.raises(FileError, match=r"notes\.mp4 cannot be read"):
        FileSource(path)
    with pytest.raises(FileError, match="nowhere"):
        FileSource(tmp_path / "nowhere.mp4")
    with pytest.raises(FileError, match="cannot be read"):
        FileSource(io.BytesIO(b""))


def test_subtitles_alone_are_neither_video_nor_audio(tmp_path: Path) -> None:
    path = tmp_path / "clip.srt"
    path.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    with pytest.raises(FileError, match="neither video nor audio"):
        FileSource(path)


def test_a_file_that_is_cut_off_gives_what_it_has(make_clip: MakeClip, tmp_path: Path) -> None:
    whole = make_clip("clip.ts")
    cut = tmp_path / "cut.ts"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with FileSource(cut) as source:
        pictures = decoded(units_of(source, "video"))
    assert 5 < len(pictures) < 50


def test_closing_twice_and_early_leaves_nothing_open(make_clip: MakeClip) -> None:
    source = FileSource(make_clip())
    next(source)
    source.close()
    source.close()
    with pytest.raises(StopIteration):
        next(source)


@pytest.mark.parametrize("name", ["notes.txt", "notes.ans"])
def test_text_is_refused_instead_of_drawn(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("a line of text\n" * 100)
    with pytest.raises(FileError, match=rf"{name} is text"):
        FileSource(path)


@pytest.mark.parametrize(("degrees", "corner"), [(90, (-1, 0)), (180, (-1, -1)), (270, (0, -1))])
def test_pictures_that_lie_on_their_side_are_turned_upright(
    tmp_path: Path, degrees: int, corner: tuple[int, int]
) -> None:
    path = tmp_path / "telephone.mp4"
    write_turned(path, degrees)
    with FileSource(path) as source:
        pictures = decoded(units_of(source, "video"))
    assert len(pictures) == 10
    for frame in pictures:
        bright = frame.to_ndarray()[:, :, 0] > 128
        assert bright.shape == ((48, 64) if degrees == 180 else (64, 48))
        assert bright[corner]
        assert 0.1 < bright.mean() < 0.2


def write_turned(path: Path, degrees: int) -> None:
    """Write pictures that are bright in the upper left corner alone, and say that they are shown turned."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.set_display_rotation(degrees)
        picture = np.zeros((48, 64, 3), np.uint8)
        picture[:16, :32] = 255
        for number in range(10):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
