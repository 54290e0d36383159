"""A hook that is slower than the pictures come, and one that is held up for a moment."""

import threading
from time import monotonic

import av
import numpy as np
import pytest
from media_clips import make_clip
from media_stages import Stage, split

from livepeer.trickle.media import Demuxer, Unit, VideoFrame
from livepeer.trickle.media._flow.inbox import Inbox

LIVE = {"max_age_seconds": 0.25, "start": "current"}


def take(seconds: float) -> None:
    threading.Event().wait(seconds)


def test_the_newest_picture_wins_and_the_delay_stays_the_same(stage: Stage) -> None:
    """60 ms a picture of 33 ms: a picture in two, and none of them old."""
    ages: list[float] = []

    def slow(frame: VideoFrame) -> VideoFrame:
        assert frame.arrived is not None
        ages.append(monotonic() - frame.arrived)
        take(0.06)
        return frame

    stage.start(video=slow, **LIVE)
    stage.play(make_clip(seconds=3.0), seconds=3.0)
    assert stage.wait_for_end().reason == "input_ended"
    stats = stage.transform.stats
    assert stats.frames_out + stats.frames_dropped == stats.frames_in == 90
    assert 25 <= stats.frames_out <= 55
    assert stage.count("frames_dropped") == stats.frames_dropped
    assert float(np.median(ages[10:])) < 0.06
    assert stats.latency_seconds is not None
    assert stats.latency_seconds < 0.3


def test_sound_waits_for_pictures_that_are_late(stage: Stage) -> None:
    def slow(frame: VideoFrame) -> VideoFrame:
        take(0.15)
        return frame

    offsets = play_and_measure(stage, slow, audio="hold")
    assert float(np.median(offsets)) < 0.1


def test_sound_passes_pictures_that_are_late_if_it_may(stage: Stage) -> None:
    def slow(frame: VideoFrame) -> VideoFrame:
        take(0.15)
        return frame

    offsets = play_and_measure(stage, slow, audio="pass")
    assert float(np.median(offsets)) > 0.1


def play_and_measure(stage: Stage, hook: object, **options: str) -> list[float]:
    """Return how far the sound is ahead of the newest picture, in seconds, as it is sent; both tracks are complete."""
    stage.start(video=hook, **LIVE, **options)
    stage.play(make_clip(seconds=3.0), seconds=3.0)
    stage.wait_for_end()
    data = stage.finish()
    assert len(split(data, "audio")) == len(split(make_clip(seconds=3.0).data, "audio"))
    offsets: list[float] = []
    newest: int | None = None
    for unit in in_order(data):
        if unit.track.kind == "video":
            newest = unit.pts
        elif newest is not None:
            offsets.append(((unit.pts or 0) - newest) / 90000)
    return offsets


def in_order(data: bytes) -> list[Unit]:
    demuxer = Demuxer()
    units = [unit for at in range(0, len(data), 188) for unit in demuxer.feed(data[at : at + 188], 0.0)]
    return [*units, *demuxer.end_segment()]


def test_one_slow_call_loses_no_more_than_what_is_too_old(stage: Stage) -> None:
    calls: list[int] = []

    def hiccup(frame: VideoFrame) -> VideoFrame:
        calls.append(frame.pts)
        if len(calls) == 20:
            take(0.15)
        return frame

    stage.start(video=hiccup, **(LIVE | {"max_age_seconds": 1.0}))
    stage.play(make_clip(seconds=2.0), seconds=2.0)
    stage.wait_for_end()
    assert len(stage.look().pictures) == 60


def test_a_stream_in_real_time_is_delivered_whole_and_soon(stage: Stage) -> None:
    stage.start(video=lambda frame: frame, **LIVE)
    stage.play(make_clip(seconds=2.0), seconds=2.0)
    stage.wait_for_end()
    stats = stage.transform.stats
    assert stats.frames_dropped == 0
    assert stats.frames_out == 60
    assert stats.latency_seconds is not None
    assert stats.latency_seconds < 0.15
    assert 15 < stats.fps_out < 45


def test_a_hook_that_hangs_does_not_keep_the_input_from_being_read(stage: Stage) -> None:
    release = threading.Event()
    stage.start(video=lambda frame: release.wait(20) and None, **LIVE)
    try:
        for number in range(6):
            stage.send(make_clip(seconds=1.0, start_seconds=10.0 + number).data)
            stage.wait_until_read(77 * (number + 1))
        assert stage.transform.stats.lost_segments == 0
        assert stage.transform.stats.frames_dropped > 100
    finally:
        release.set()


class Dropping:
    def __init__(self, **options: float) -> None:
        self.dropped: list[tuple[str, int]] = []
        self.inbox = Inbox(on_drop=lambda kind, count: self.dropped.append((kind, count)), **options)

    def put(self, number: int, *, age: float) -> None:
        self.inbox.put(VideoFrame(av.VideoFrame(16, 16), pts=number * 3000, arrived=monotonic() - age))


def numbers(dropping: Dropping) -> list[int]:
    taken: list[int] = []
    while (item := dropping.inbox.get(0.0)) is not None:
        assert isinstance(item, VideoFrame)
        taken.append(item.pts // 3000)
    return taken


def test_old_pictures_are_dropped_but_never_the_newest() -> None:
    dropping = Dropping(max_age_seconds=0.5)
    for number, age in enumerate((3.0, 2.0, 1.0)):
        dropping.put(number, age=age)
    assert numbers(dropping) == [2]
    assert sum(count for _, count in dropping.dropped) == 2


def test_pictures_that_are_young_enough_are_kept_while_the_hook_keeps_up() -> None:
    dropping = Dropping(max_age_seconds=0.5)
    for seconds in (0.01, 0.01, 2.0):
        dropping.inbox.took(seconds)
    for number in range(4):
        dropping.put(number, age=0.1)
    assert numbers(dropping) == [0, 1, 2, 3]


def test_a_hook_that_is_slower_than_the_pictures_gets_the_newest_alone() -> None:
    dropping = Dropping(max_age_seconds=0.5)
    for _ in range(3):
        dropping.inbox.took(0.06)
    for number in range(4):
        dropping.put(number, age=0.1)
    assert numbers(dropping) == [3]


def test_a_hook_that_asks_for_nothing_leaves_no_more_than_what_is_young() -> None:
    dropping = Dropping(max_age_seconds=0.1)
    for number in range(100):
        dropping.put(number, age=0.2)
    assert sum(count for _, count in dropping.dropped) == 99
    assert numbers(dropping) == [99]


@pytest.mark.parametrize("seconds", [0.0, 0.25])
def test_the_first_pictures_are_not_dropped_for_want_of_experience(seconds: float) -> None:
    dropping = Dropping(max_age_seconds=0.25)
    dropping.put(0, age=seconds)
    assert numbers(dropping) == [0]
