"""How the output is cut."""

import numpy as np
import pytest
from media_clips import Clip, look, make_clip, paced
from media_stages import Stage, split

from livepeer.trickle import Subscriber
from livepeer.trickle.media import Muxer, Unit, VideoFrame


def same(frame: VideoFrame) -> VideoFrame:
    return frame


def begins_with_tables(segment: bytes) -> bool:
    pids = [(segment[at + 1] & 0x1F) << 8 | segment[at + 2] for at in (0, 188)]
    return pids[0] == 0 and pids[1] not in (0, 0x1FFF)


@pytest.mark.parametrize("seconds", [0.5, 1.0])
def test_each_segment_begins_with_the_tables_and_a_keyframe(stage: Stage, seconds: float) -> None:
    stage.run(make_clip(seconds=3.0), video=same, segment_seconds=seconds)
    segments = stage.collector.segments
    assert len(segments) == 3 / seconds
    assert all(begins_with_tables(segment) for segment in segments)
    for segment in segments:
        assert [each.is_keyframe for each in split(segment, "video")] == [True] + [False] * int(30 * seconds - 1)
    assert [len(look(segment).pictures) for segment in segments] == [30 * seconds] * len(segments)


def test_copied_video_is_cut_where_it_was(stage: Stage) -> None:
    clip = make_clip(seconds=3.0)
    stage.run(clip, audio_hook=same)
    counts = [[len(split(segment, "video")) for segment in each] for each in (clip.segments, stage.collector.segments)]
    assert counts[0] == counts[1] == [30, 30, 30]


def test_sound_without_video_is_cut_by_time(stage: Stage) -> None:
    stage.run(make_clip(video=False, seconds=3.0), audio_hook=same)
    assert all(begins_with_tables(segment) for segment in stage.collector.segments)
    assert [len(split(segment, "audio")) for segment in stage.collector.segments[:3]] == [47, 47, 47]


def test_another_size_of_the_input_begins_a_segment_with_another_encoder(stage: Stage) -> None:
    first, second = make_clip(seconds=1.0), make_clip(seconds=1.0, width=320, height=176, start_seconds=11.0)
    after = stage.run(first, second, video=same)
    assert [each.width for each in after.pictures] == [160] * 30 + [320] * 30
    assert np.diff(after.video_pts).tolist() == [3000] * 59
    assert {each.width for each in look(stage.collector.segments[-1]).pictures} == {320}
    assert stage.wait_for_notice("size_changed").data["width"] == 320


def test_another_size_in_the_middle_of_a_second_cuts_it_there(stage: Stage) -> None:
    def grow(frame: VideoFrame) -> VideoFrame:
        return frame.replace(np.zeros((48 if frame.seconds < 10.5 else 64, 64, 3), np.uint8))

    stage.run(make_clip(seconds=1.0), video=grow)
    heights = [{each.height for each in look(segment).pictures} for segment in stage.collector.segments]
    assert heights == [{48}, {64}]


def test_an_audio_track_that_appears_is_sent_too(stage: Stage) -> None:
    after = stage.run(make_clip(audio=False, seconds=1.0), make_clip(start_seconds=11.0, seconds=1.0), video=same)
    assert len(after.pictures) == 60
    assert len(split(stage.collector.data, "audio")) >= 45


def test_an_audio_track_that_appears_in_the_middle_costs_no_picture(stage: Stage) -> None:
    """The tables change between two pictures that depend on each other."""
    clip = make_clip(seconds=1.0)
    units = split(clip.data, "video")
    first, second = Muxer(video="h264", audio=None), Muxer(video="h264", audio="aac")
    data = b"".join(write(first if index < 15 else second, unit) for index, unit in enumerate(units))
    data += b"".join(write(second, unit) for unit in split(clip.data, "audio"))
    stage.start(video=same)
    stage.send(data)
    stage.wait_until_read(30 + 40)
    stage.input.close()
    stage.wait_for_end()
    assert len(stage.look().pictures) == 30
    assert len(split(stage.collector.data, "audio")) > 40


def test_a_hooked_track_that_goes_and_comes_again_costs_no_picture(stage: Stage) -> None:
    clips = [
        make_clip(seconds=1.0, start_seconds=10.0),
        make_clip(seconds=1.0, start_seconds=11.0, video=False),
        make_clip(seconds=1.0, start_seconds=12.0),
    ]
    after = stage.run(*clips, video=same, audio_hook=same)
    assert len(after.pictures) == 60
    assert len(after.sounds) == pytest.approx(sum(len(split(clip.data, "audio")) for clip in clips), abs=2)


def write(muxer: Muxer, unit: Unit) -> bytes:
    return muxer.write(unit.track.kind, unit.data, pts=unit.pts or 0, dts=unit.dts or 0, is_keyframe=unit.is_keyframe)


def test_a_segment_does_not_last_much_longer_though_no_picture_comes(stage: Stage) -> None:
    """The hook drops all after the first one, while the sound goes on for 3 seconds."""
    first: list[VideoFrame] = []

    def one(frame: VideoFrame) -> VideoFrame | None:
        first.append(frame)
        return frame if len(first) == 1 else None

    stage.start(video=one, segment_seconds=0.5)
    for piece, begins in paced(Clip(segments=make_clip(seconds=3.0).segments), 3.0):
        if begins:
            segment = stage.input.segment()
        segment.write(piece)
    stage.wait_until_read(90)
    stage.finish()
    assert len(stage.collector.segments) >= 3
    assert all(begins_with_tables(segment) for segment in stage.collector.segments)


def test_a_segment_ends_though_nothing_comes(stage: Stage) -> None:
    """A reader of the output sees the end of the segment soon, for it need not wait for the next picture."""
    stage.start(video=same, segment_seconds=0.2)
    stage.send(make_clip(seconds=1.0).data)
    with Subscriber(stage.out_url, start="earliest", wait_seconds=5) as subscriber:
        assert len(split(b"".join(next(subscriber).read() for _ in range(5)), "video")) == 30
