"""Frames that are made without an input."""

import threading
from collections.abc import Iterator
from itertools import count
from time import monotonic

import av
import numpy as np
import pytest
from media_clips import LIMIT_SECONDS
from media_stages import Stage

from livepeer.trickle.media import AudioFrame, VideoFrame


def picture(index: int, *, level: int = 100) -> VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), level, np.uint8), format="rgb24")
    return VideoFrame(frame, pts=index * 3000)


def sound(index: int) -> AudioFrame:
    phase = (np.arange(960) + index * 960) * (2 * np.pi * 440 / 48000)
    frame = av.AudioFrame.from_ndarray(np.sin(phase)[None].astype(np.float32) * 0.5, format="fltp", layout="mono")
    frame.sample_rate = 48000
    return AudioFrame(frame, pts=index * 1800)


def test_pictures_are_sent_when_their_time_has_come(stage: Stage) -> None:
    began = monotonic()
    stage.start(subscribes=False, generate_video=lambda: (picture(index, level=50 + index) for index in range(30)))
    assert stage.wait_for_end().reason == "input_ended"
    assert monotonic() - began >= 29 / 30
    seen = stage.look()
    assert np.diff(seen.video_pts).tolist() == [3000] * 29
    assert np.diff(seen.levels) == pytest.approx([1] * 29, abs=1.5)
    assert stage.transform.stats.frames_out == 30


def test_pictures_and_sound_keep_one_clock(stage: Stage) -> None:
    stage.start(
        subscribes=False,
        generate_video=lambda: map(picture, range(30)),
        generate_audio=lambda: map(sound, range(50)),
    )
    assert stage.wait_for_end().reason == "input_ended"
    seen = stage.look()
    assert len(seen.pictures) == 30
    assert abs(seen.video_pts[-1] - seen.audio_pts[-1]) < 9000
    assert np.abs(seen.samples[:, 9600:38400]).max() == pytest.approx(0.5, abs=0.1)
    assert {each.layout.name for each in seen.sounds} == {"mono"}


def test_sound_alone_is_cut_into_segments_by_time(stage: Stage) -> None:
    stage.start(subscribes=False, generate_audio=lambda: map(sound, range(75)), segment_seconds=0.5)
    assert stage.wait_for_end().reason == "input_ended"
    stage.finish()
    assert len(stage.collector.segments) == 3


def test_a_generator_is_closed_on_the_hook_thread_at_the_stop(stage: Stage) -> None:
    closed_on: list[str] = []

    def endless() -> Iterator[VideoFrame]:
        try:
            yield from map(picture, count())
        finally:
            closed_on.append(threading.current_thread().name)

    transform = stage.start(subscribes=False, generate_video=endless)
    stage.wait_for_notice("output_started")
    assert transform.stop()
    assert closed_on == ["media-hook"]
    assert stage.ends[0].reason == "stopped"


def test_what_is_posted_runs_while_a_generator_waits(stage: Stage) -> None:
    ran = threading.Event()
    transform = stage.start(subscribes=False, generate_video=lambda: iter([picture(0), picture(30 * 3600)]))
    stage.wait_for_notice("output_started")
    transform.post(ran.set)
    assert ran.wait(LIMIT_SECONDS)


def test_a_generator_that_was_held_up_does_not_hurry_after(stage: Stage) -> None:
    """What was late by more than a second sets the clock anew: the pictures after it keep their distance."""
    times: list[float] = []

    def slow() -> Iterator[VideoFrame]:
        for index in range(12):
            if index == 1:
                threading.Event().wait(1.5)
            times.append(monotonic())
            yield picture(index)

    stage.start(subscribes=False, generate_video=slow)
    assert stage.wait_for_end().reason == "input_ended"
    assert times[-1] - times[1] >= 9 / 30


def test_generators_that_begin_again_go_on_in_step(stage: Stage) -> None:
    stage.start(
        subscribes=False,
        generate_video=lambda: (picture(index % 15) for index in range(45)),
        generate_audio=lambda: (sound(index % 25) for index in range(75)),
    )
    assert stage.wait_for_end().reason == "input_ended"
    seen = stage.look()
    steps = np.diff(seen.video_pts)
    assert [step for index, step in enumerate(steps) if index % 15 != 14] == [3000] * 42
    assert 0 < min(steps[14::15]) <= max(steps[14::15]) < 6000  # Whichever track was ahead decides.
    assert abs(seen.video_pts[-1] - seen.audio_pts[-1]) < 9000
    assert max(np.diff(seen.audio_pts)) < 6000


def test_a_generator_may_yield_the_same_frame_again(stage: Stage) -> None:
    def again() -> Iterator[VideoFrame]:
        frame = picture(0)
        for index in range(20):
            frame.pts = index % 10 * 3000
            yield frame

    stage.start(subscribes=False, generate_video=again)
    assert stage.wait_for_end().reason == "input_ended"
    assert np.diff(stage.look().video_pts).tolist() == [3000] * 19


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (None, "yielded NoneType: yield VideoFrame(av_frame, pts=...)"),
        (av.VideoFrame(64, 48), "yielded av.video.frame.VideoFrame: yield"),
        (VideoFrame(av.VideoFrame(64, 48), pts=None), "ticks of 1/90000 s, not None"),  # type: ignore[arg-type]
    ],
    ids=["none", "bare", "timeless"],
)
def test_what_cannot_be_sent_is_no_end_of_a_generator(stage: Stage, wrong: object, why: str) -> None:
    stage.start(subscribes=False, generate_video=lambda: iter([picture(0), wrong, picture(1)]))
    end = stage.wait_for_end()
    assert end.reason == "hook_failed"
    assert why in str(end.error)


def test_sound_may_change_its_rate_and_its_channels(stage: Stage) -> None:
    def changing() -> Iterator[AudioFrame]:
        for index in range(50):
            rate, layout = (48_000, "mono") if index < 25 else (32_000, "stereo")
            samples = np.zeros((2 if layout == "stereo" else 1, rate // 50), np.float32)
            frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout=layout)
            frame.sample_rate = rate
            yield AudioFrame(frame, pts=index * 1800)

    stage.start(subscribes=False, generate_audio=changing)
    assert stage.wait_for_end().reason == "input_ended"
    assert stage.look().samples.shape[1] == pytest.approx(48_000, abs=2048)
