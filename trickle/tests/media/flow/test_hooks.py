"""What hooks do to a stream, seen by what comes out of it."""

import threading

import av
import numpy as np
import pytest
from media_clips import look, make_clip
from media_stages import Stage, split

from livepeer.trickle.media import AudioFrame, VideoFrame


def brighter(frame: VideoFrame) -> VideoFrame:
    luma = frame.to_ndarray("yuv420p")
    luma[: frame.height] += 50
    return frame.replace(luma, format="yuv420p")


def test_a_video_hook_changes_each_picture_and_leaves_the_timestamps_alone(stage: Stage) -> None:
    clip = make_clip()
    before, after = look(clip.data), stage.run(clip, video=brighter)
    assert after.video_pts == before.video_pts
    assert after.levels == pytest.approx([level + 50 * 255 / 219 for level in before.levels], abs=3)


def test_audio_without_a_hook_is_copied_to_the_byte(stage: Stage) -> None:
    clip = make_clip()
    stage.run(clip, video=brighter)
    before, after = split(clip.data, "audio"), split(stage.collector.data, "audio")
    assert [each.data for each in after] == [each.data for each in before]
    assert [each.pts for each in after] == [each.pts for each in before]


def test_an_audio_hook_changes_the_sound_and_video_is_copied_to_the_byte(stage: Stage) -> None:
    def quieter(frame: AudioFrame) -> AudioFrame:
        return frame.replace(frame.to_ndarray() * 0.5)

    clip = make_clip()
    before, after = look(clip.data), stage.run(clip, audio_hook=quieter)
    middle = slice(20_000, 70_000)
    loudness = [np.sqrt(np.mean(seen.samples[:, middle] ** 2)) for seen in (before, after)]
    assert loudness[1] == pytest.approx(loudness[0] * 0.5, rel=0.05)
    video = [[each.data for each in split(data, "video")] for data in (clip.data, stage.collector.data)]
    assert video[0] == video[1]


def test_changed_audio_stays_where_it_was(stage: Stage) -> None:
    """A hook that silences one second of the two is heard from then on, give or take a frame of AAC."""

    def half(frame: AudioFrame) -> AudioFrame:
        return frame.replace(frame.to_ndarray() * (0.0 if frame.seconds < 11.0 else 1.0))

    after = stage.run(make_clip(video=False), audio_hook=half)
    loud = next(sound for sound in after.sounds if np.abs(sound.to_ndarray()).max() > 0.2)
    assert loud.pts * loud.time_base == pytest.approx(11.0, abs=0.05)


def test_both_hooks_together_keep_the_tracks_in_step(stage: Stage) -> None:
    after = stage.run(make_clip(), video=brighter, audio_hook=lambda frame: frame)
    assert len(after.pictures) == 60
    assert after.audio_pts[0] - after.video_pts[0] == pytest.approx(0, abs=4500)
    assert after.audio_pts[-1] - after.video_pts[-1] == pytest.approx(0, abs=9000)


def test_opus_can_take_the_place_of_aac(stage: Stage) -> None:
    after = stage.run(make_clip(), audio_hook=lambda frame: frame, audio_codec="opus")
    assert {each.track.codec for each in split(stage.collector.data, "audio")} == {"opus"}
    assert np.abs(after.samples[:, 20_000:70_000]).max() == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_a_hook_may_return_another_sample_rate_and_number_of_channels(stage: Stage, codec: str) -> None:
    def telephone(frame: AudioFrame) -> AudioFrame:
        changed = frame.replace(frame.to_ndarray()[:1, ::2])
        changed.frame.sample_rate = 24000
        return changed

    after = stage.run(make_clip(video=False), audio_hook=telephone, audio_codec=codec)
    samples = after.samples[:, after.samples.shape[1] // 4 : after.samples.shape[1] // 2]
    assert np.sqrt(np.mean(samples**2)) == pytest.approx(0.5 / np.sqrt(2), rel=0.2)
    assert after.audio_pts[-1] == pytest.approx(12 * 90000, abs=9000)


def test_none_drops_a_picture(stage: Stage) -> None:
    clip = make_clip()
    before = look(clip.data)
    after = stage.run(clip, video=lambda frame: None if frame.pts // 3000 % 2 else frame)
    assert after.video_pts == [pts for pts in before.video_pts if not pts // 3000 % 2]


def test_a_list_gives_several_pictures_with_rising_timestamps(stage: Stage) -> None:
    def doubled(frame: VideoFrame) -> list[VideoFrame]:
        return [frame, VideoFrame(brighter(frame).frame, pts=frame.pts + 1500)]

    after = stage.run(make_clip(), video=doubled)
    assert len(after.pictures) == 120
    assert np.diff(after.video_pts).tolist() == [1500] * 119


def test_timestamps_rise_even_if_a_hook_repeats_them(stage: Stage) -> None:
    after = stage.run(make_clip(), video=lambda frame: [frame, frame.replace(frame.to_ndarray())])
    assert len(after.pictures) == 120
    assert min(np.diff(after.video_pts)) > 0


def test_a_stream_without_output_is_only_looked_at(stage: Stage) -> None:
    levels: list[float] = []
    samples: list[int] = []
    stage.start(
        publishes=False,
        video=lambda frame: levels.append(frame.to_ndarray("gray").mean()),
        audio_hook=lambda frame: samples.append(frame.samples),
    )
    stage.play(make_clip())
    assert stage.wait_for_end().reason == "input_ended"
    assert levels == pytest.approx(look(make_clip().data).levels, abs=1)
    assert sum(samples) >= 2 * 48000
    assert stage.transform.stats.frames_out == 0


def test_a_picture_may_be_changed_in_place_once_it_is_writable(stage: Stage) -> None:
    """The corner is black, the rest is as it was, in the pictures that are predicted from this one too."""

    def corner(frame: VideoFrame) -> VideoFrame:
        plane = frame.writable().frame.planes[0]
        luma = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)
        luma[:16, :16] = 16
        return frame

    before, after = look(make_clip().data), stage.run(make_clip(), video=corner)
    pictures = [each.to_ndarray(format="gray") for each in after.pictures]
    assert max(each[:12, :12].mean() for each in pictures) < 20
    assert [each[40:, 40:].mean() for each in pictures] == pytest.approx(before.levels, abs=2)


def test_a_picture_that_is_replaced_in_rgb_keeps_its_colours(stage: Stage) -> None:
    clip = make_clip()
    before = look(clip.data)
    after = stage.run(clip, video=lambda frame: frame.replace(frame.to_ndarray()))
    assert after.levels == pytest.approx(before.levels, abs=2)
    assert {each.colorspace for each in after.pictures} == {1}


def test_an_array_may_be_used_again_by_the_next_call(stage: Stage) -> None:
    canvas = np.zeros((96, 160, 3), np.uint8)

    def paint(frame: VideoFrame) -> VideoFrame:
        canvas[:] = 20 + frame.pts // 3000 % 60 * 3
        return frame.replace(canvas)

    levels = stage.run(make_clip(), video=paint).levels
    assert levels == pytest.approx([20 + pts // 3000 % 60 * 3 for pts in look(make_clip().data).video_pts], abs=4)


@pytest.mark.parametrize(("width", "height"), [(101, 77), (64, 48), (1, 1)])
def test_a_hook_may_return_another_size_even_an_odd_one(stage: Stage, width: int, height: int) -> None:
    after = stage.run(make_clip(), video=lambda frame: frame.replace(np.full((height, width, 3), 200, np.uint8)))
    assert {(each.width, each.height) for each in after.pictures} == {(max(width & ~1, 2), max(height & ~1, 2))}
    assert after.levels == pytest.approx([200] * 60, abs=4)


def test_all_hooks_and_what_is_posted_run_on_one_thread(stage: Stage) -> None:
    names: set[str] = set()
    running = threading.Lock()

    def note(frame: object = None) -> None:
        assert running.acquire(blocking=False)
        names.add(threading.current_thread().name)
        running.release()

    transform = stage.start(video=note, audio_hook=note)
    transform.post(note)
    stage.play(make_clip())
    stage.wait_for_end()
    assert names | stage.threads == {"media-hook"}
    assert stage.transform.stats.hook_errors == 0


def test_pictures_made_anew_have_the_colours_of_the_input_and_no_segment_of_their_own(stage: Stage) -> None:
    def anew(frame: VideoFrame) -> VideoFrame:
        picture = av.VideoFrame.from_ndarray(frame.to_ndarray(), format="rgb24")
        return frame if frame.pts // 3000 % 2 else VideoFrame(picture, pts=frame.pts)

    clip = make_clip()
    after = stage.run(clip, video=anew)
    assert after.levels == pytest.approx(look(clip.data).levels, abs=2)
    assert {each.colorspace for each in after.pictures} == {1}
    assert len(stage.collector.segments) == 2
