"""Timestamps of an input that jumps."""

import numpy as np
import pytest
from media_clips import make_clip
from media_stages import Stage, split

from livepeer.trickle.media import Track, Unit, VideoFrame
from livepeer.trickle.media._flow.timeline import Timeline


def same(frame: VideoFrame) -> VideoFrame:
    return frame


@pytest.mark.parametrize("start_seconds", [500.0, 0.0], ids=["ahead", "back"])
@pytest.mark.parametrize("hooks", [{"video": same}, {"audio_hook": same}], ids=["video", "audio"])
def test_both_tracks_go_on_together_over_a_jump(stage: Stage, start_seconds: float, hooks: dict[str, object]) -> None:
    first, second = make_clip(start_seconds=100.0), make_clip(start_seconds=start_seconds, first_level=120)
    after = stage.run(first, second, **hooks)
    assert len(after.pictures) == 120
    steps = np.diff(after.video_pts)
    assert min(steps) > 0
    assert max(steps) < 9000
    assert min(np.diff(after.audio_pts)) > 0
    assert after.audio_pts[-1] - after.video_pts[-1] == pytest.approx(0, abs=9000)
    assert stage.wait_for_notice("timestamps_jumped").data["count"] == 1


def test_timestamps_go_on_over_the_end_of_33_bits(stage: Stage) -> None:
    clip = make_clip(seconds=2.0, start_seconds=2**33 / 90000 - 1)
    pts: list[int] = []
    stage.run(clip, video=lambda frame: pts.append(frame.pts))
    assert np.diff(pts).tolist() == [3000] * 59
    assert pts[-1] > 2**33
    assert not [each for each in stage.notices if each.kind == "timestamps_jumped"]


VIDEO = Track(pid=1, kind="video", codec="h264")
AUDIO = Track(pid=2, kind="audio", codec="aac")


def unit(track: Track, seconds: float | None, arrived: float) -> Unit:
    ticks = None if seconds is None else round(seconds * 90000)
    return Unit(track=track, data=b"", pts=ticks, dts=ticks, is_keyframe=True, is_broken=False, arrived=arrived)


def place(*units: Unit) -> list[float]:
    timeline = Timeline()
    for each in units:
        timeline.place(each)
    return [round((each.pts or 0) / 90000, 3) for each in units]


def test_a_pause_that_passed_on_the_clock_too_is_no_jump() -> None:
    assert place(unit(VIDEO, 1.0, 0.0), unit(VIDEO, 9.0, 8.0)) == [1.0, 9.0]


def test_the_track_that_jumps_second_takes_the_offset_of_the_first() -> None:
    placed = place(
        unit(VIDEO, 1.0, 0.0),
        unit(AUDIO, 1.0, 0.0),
        unit(VIDEO, 100.0, 0.04),
        unit(AUDIO, 1.02, 0.05),
        unit(AUDIO, 100.0, 0.06),
    )
    assert placed == [1.0, 1.0, 1.033, 1.02, 1.033]


def test_a_unit_without_timestamp_follows_on_the_one_before() -> None:
    assert place(unit(VIDEO, 1.0, 0.0), unit(VIDEO, 1.04, 0.0), unit(VIDEO, None, 0.0)) == [1.0, 1.04, 1.08]


def test_a_small_step_back_is_left_to_the_decoder() -> None:
    assert place(unit(VIDEO, 1.0, 0.0), unit(VIDEO, 0.9, 0.0)) == [1.0, 0.9]


def test_pictures_with_b_frames_come_out_in_order(stage: Stage) -> None:
    clip = make_clip(b_frames=2)
    after = stage.run(clip, video=same)
    assert np.diff(after.video_pts).tolist() == [3000] * 59
    assert after.levels == sorted(after.levels)


def test_copied_video_with_b_frames_is_the_same(stage: Stage) -> None:
    clip = make_clip(b_frames=2)
    stage.run(clip, audio_hook=same)
    before, after = split(clip.data, "video"), split(stage.collector.data, "video")
    assert [(each.data, each.pts, each.dts) for each in after] == [(each.data, each.pts, each.dts) for each in before]
