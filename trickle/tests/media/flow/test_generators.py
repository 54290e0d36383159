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
