"""Hooks that raise, or return what they may not."""

from collections.abc import Callable, Iterator
from fractions import Fraction

import av
import numpy as np
import pytest
from media_clips import Clip, make_clip
from media_stages import Stage

from livepeer.trickle.media import AudioFrame, HookError, Muxer, VideoFrame


def failing(*, every: int) -> Callable[[VideoFrame], VideoFrame]:
    """Return a hook that raises at each so many pictures, by their timestamps."""

    def hook(frame: VideoFrame) -> VideoFrame:
        if frame.pts // 3000 % every == 0:
            raise LookupError("no such face")
        return frame.replace(np.full((96, 160, 3), 250, np.uint8))

    return hook


@pytest.mark.parametrize(("policy", "count"), [("drop", 40), ("pass", 60)])
def test_a_hook_that_raises_loses_or_passes_its_picture(stage: Stage, policy: str, count: int) -> None:
    after = stage.run(make_clip(), video=failing(every=3), on_hook_error=policy)
    assert len(after.pictures) == count
    assert sum(level > 240 for level in after.levels) == 40
    assert stage.transform.stats.hook_errors == stage.count("hook_failed") == 20
    assert "LookupError: no such face" in stage.wait_for_notice("hook_failed").detail


def test_there_is_about_one_notice_a_second_of_a_kind(stage: Stage) -> None:
    stage.run(make_clip(), video=failing(every=3))
    assert len([each for each in stage.notices if each.kind == "hook_failed"]) <= 3


def test_a_hook_that_raises_can_stop_the_stream(stage: Stage) -> None:
    stage.start(video=failing(every=3), on_hook_error="stop")
    stage.play(make_clip())
    end = stage.wait_for_end()
    assert end.reason == "hook_failed"
    assert isinstance(end.error, HookError)
    assert "no such face" in str(end.error)
    assert isinstance(end.error.__cause__, LookupError)
    assert stage.transform.stats.hook_errors == 1


def test_too_many_errors_stop_the_stream(stage: Stage) -> None:
    stage.start(video=failing(every=1), hook_error_budget=5)
    stage.play(make_clip())
    end = stage.wait_for_end()
    assert end.reason == "hook_failed"
    assert "no such face" in str(end.error)
    assert stage.transform.stats.hook_errors == 6


def test_good_pictures_pay_for_bad_ones(stage: Stage) -> None:
    after = stage.run(make_clip(), video=failing(every=2), hook_error_budget=1)
    assert len(after.pictures) == 30


WRONG = {
    "array": (lambda frame: frame.to_ndarray(), "ndarray"),
    "av frame": (lambda frame: frame.frame, "VideoFrame itself"),
    "list of arrays": (lambda frame: [frame, frame.to_ndarray()], "ndarray"),
    "generator": (lambda frame: (each for each in [frame]), "generator"),
    "true": (lambda frame: True, "bool"),
    "floats": (lambda frame: frame.replace(np.zeros((96, 160, 3))), "float64"),
    "one channel": (lambda frame: frame.replace(np.zeros((96, 160), np.uint8)), "ValueError"),
    "no array": (lambda frame: frame.replace("picture"), "str"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_a_video_hook_may_not_return_is_named(stage: Stage, name: str) -> None:
    hook, said = WRONG[name]
    stage.start(video=hook, on_hook_error="stop")
    stage.play(make_clip(seconds=1.0))
    end = stage.wait_for_end()
    assert end.reason == "hook_failed"
    assert said in str(end.error)


def test_what_an_audio_hook_may_not_return_is_named(stage: Stage) -> None:
    stage.start(audio_hook=lambda frame: frame.replace(np.zeros(100, np.float32)), on_hook_error="stop")
    stage.play(make_clip(seconds=1.0))
    assert "(channels, samples)" in str(stage.wait_for_end().error)


def picture(pts: int) -> VideoFrame:
    frame = av.VideoFrame(64, 48, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    return VideoFrame(frame, pts=pts)


def test_a_generator_that_raises_ends_the_stream(stage: Stage) -> None:
    def two() -> Iterator[VideoFrame]:
        yield picture(0)
        yield picture(3000)
        raise ZeroDivisionError("nothing left")

    stage.start(subscribes=False, generate_video=two)
    end = stage.wait_for_end()
    assert end.reason == "hook_failed"
    assert "nothing left" in str(end.error)
    assert len(stage.look().pictures) == 2


def test_what_a_generator_may_not_yield_is_named(stage: Stage) -> None:
    stage.start(subscribes=False, generate_video=lambda: iter([picture(0), "text"]))
    end = stage.wait_for_end()
    assert end.reason == "hook_failed"
    assert "yielded str" in str(end.error)


@pytest.mark.parametrize("pts", [None, "soon", float("nan"), 1 << 70])
def test_a_timestamp_that_is_no_number_is_an_error_of_the_hook(stage: Stage, pts: object) -> None:
    def hook(frame: VideoFrame) -> VideoFrame:
        frame.pts = pts  # type: ignore[assignment]
        return frame

    after = stage.run(make_clip(), video=hook, on_hook_error="pass", hook_error_budget=60)
    assert np.diff(after.video_pts).tolist() == [3000] * 59
    assert f"ticks of 1/90000 s, not {pts!r}" in stage.wait_for_notice("hook_failed").detail


def test_sound_without_a_sample_rate_is_an_error_of_the_hook(stage: Stage) -> None:
    def hook(frame: AudioFrame) -> AudioFrame:
        samples = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        return AudioFrame(samples, pts=frame.pts)

    after = stage.run(make_clip(), audio_hook=hook, hook_error_budget=1000)
    assert len(after.pictures) == 60
    assert "has no sample rate" in stage.wait_for_notice("hook_failed").detail


def test_samples_that_the_encoder_refuses_cost_themselves_alone(stage: Stage) -> None:
    def hook(frame: AudioFrame) -> AudioFrame:
        if frame.pts // 1920 % 20 == 7:
            for plane in frame.writable().frame.planes:
                plane.update(np.full(plane.buffer_size // 4, np.nan, np.float32).tobytes())
        return frame

    after = stage.run(make_clip(), audio_hook=hook)
    assert stage.wait_for_notice("codec_restarted").data["codec"] == "aac"
    assert 70 < len(after.sounds) < 95
    assert np.isfinite(after.samples).all()


def test_a_picture_that_is_passed_on_is_brought_into_the_form_of_the_encoder(stage: Stage) -> None:
    def hook(frame: VideoFrame) -> VideoFrame:
        raise LookupError(frame)

    after = stage.run(odd_clip(), video=hook, on_hook_error="pass")
    assert {(each.width, each.height, each.format.name) for each in after.pictures} == {(160, 96, "yuv420p")}
    assert len(after.pictures) == 10


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt])
def test_a_hook_that_ends_its_thread_ends_the_stream(stage: Stage, error: type[BaseException]) -> None:
    def hook(frame: VideoFrame) -> VideoFrame:
        raise error(3)

    transform = stage.start(video=hook)
    stage.play(make_clip())
    end = stage.wait_for_end()
    assert end.reason == "failed"
    assert isinstance(end.error, error)
    assert transform.stop()


def test_posted_work_that_ends_its_thread_is_borne(stage: Stage) -> None:
    transform = stage.start(video=lambda frame: frame)
    transform.post(exit)
    stage.play(make_clip())
    assert stage.wait_for_end().reason == "input_ended"
    assert len(stage.look().pictures) == 60


def odd_clip() -> Clip:
    """Return 10 pictures of 161x97 in 4:4:4."""
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 161, 97, "yuv444p"
    encoder.time_base = Fraction(1, 90_000)
    encoder.options = {"tune": "zerolatency"}
    muxer = Muxer(video="h264", audio=None)
    data = b""
    for index in range(10):
        frame = av.VideoFrame(161, 97, "yuv444p")
        frame.pts, frame.time_base = index * 3000, Fraction(1, 90_000)
        for packet in encoder.encode(frame):
            data += muxer.write("video", bytes(packet), pts=packet.pts, dts=packet.dts, is_keyframe=packet.is_keyframe)
    return Clip(segments=[data])
