"""Frames become units and units frames, without any reading or sending."""

from fractions import Fraction

import av
import numpy as np
import pytest

from livepeer.trickle.media import AudioFrame, FrameDecoder, FrameEncoder, MediaSettings, Unit, VideoFrame

TICKS = 90_000


def picture(number: int, *, size: tuple[int, int] = (64, 48), pts: int | None = None) -> VideoFrame:
    grey = np.full((size[1], size[0], 3), 40 + 5 * number, np.uint8)
    frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
    return VideoFrame(frame, pts=number * 3000 if pts is None else pts)


def sound(number: int) -> AudioFrame:
    wave = np.sin(2 * np.pi * 440 * (number * 960 + np.arange(960)) / 48000).astype(np.float32) / 2
    frame = av.AudioFrame.from_ndarray(np.tile(wave, (2, 1)), format="fltp", layout="stereo")
    frame.sample_rate, frame.time_base = 48000, Fraction(1, 48000)
    return AudioFrame(frame, pts=number * 1800)


def encoded(encoder: FrameEncoder, frames: list[VideoFrame | AudioFrame]) -> list[Unit]:
    return [unit for frame in frames for unit in encoder.encode(frame)] + encoder.finish()


def test_each_picture_gives_its_unit_at_once() -> None:
    encoder = FrameEncoder()
    for number in range(5):
        (unit,) = encoder.encode(picture(number))
        assert (unit.pts, unit.is_keyframe) == (number * 3000, number == 0)
    assert encoder.finish() == []


def test_a_keyframe_comes_each_segment() -> None:
    units = encoded(FrameEncoder(MediaSettings(segment_seconds=0.5)), [picture(number) for number in range(40)])
    assert [unit.pts for unit in units if unit.is_keyframe] == [0, 45_000, 90_000]


def test_pictures_come_back_as_they_were() -> None:
    decoder = FrameDecoder()
    units = encoded(FrameEncoder(), [picture(number) for number in range(10)])
    frames = [frame for unit in units for frame in decoder.decode(unit)]
    assert [frame.pts for frame in frames] == [number * 3000 for number in range(10)]
    means = [float(frame.to_ndarray().mean()) for frame in frames]
    assert means == pytest.approx([40 + 5 * number for number in range(10)], abs=4)


def test_a_new_size_begins_with_a_keyframe() -> None:
    frames = [picture(0), picture(1), picture(2, size=(32, 32)), picture(3, size=(32, 32))]
    units = encoded(FrameEncoder(), list(frames))
    assert [unit.is_keyframe for unit in units] == [True, False, True, False]
    decoder = FrameDecoder()
    sizes = [(frame.width, frame.height) for unit in units for frame in decoder.decode(unit)]
    assert sizes == [(64, 48), (64, 48), (32, 32), (32, 32)]


def test_a_picture_that_is_not_later_is_left_out() -> None:
    units = encoded(FrameEncoder(), [picture(0), picture(1), picture(2, pts=3000), picture(3, pts=100), picture(4)])
    assert [unit.pts for unit in units] == [0, 3000, 12_000]


@pytest.mark.parametrize("codec", ["aac", "opus"])
def test_sound_comes_back_as_it_was(codec: str) -> None:
    encoder = FrameEncoder(MediaSettings(audio_codec=codec))
    units = encoded(encoder, [sound(number) for number in range(50)])
    assert {unit.track.codec for unit in units} == {codec}
    decoder = FrameDecoder()
    frames = [frame for unit in units for frame in decoder.decode(unit)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    assert len(samples) == pytest.approx(48000, abs=4096)
    middle = samples[20000:30000]
    assert np.sqrt(np.mean(middle**2)) == pytest.approx(0.5 / np.sqrt(2), abs=0.05)
    crossings = np.count_nonzero(np.diff(np.signbit(middle)))
    assert crossings == pytest.approx(2 * 440 * len(middle) / 48000, abs=4)


def test_decoding_begins_with_a_keyframe() -> None:
    units = encoded(FrameEncoder(MediaSettings(segment_seconds=0.2)), [picture(number) for number in range(12)])
    decoder = FrameDecoder()
    frames = [frame for unit in units[2:] for frame in decoder.decode(unit)]
    assert [frame.pts for frame in frames] == [number * 3000 for number in range(6, 12)]


def test_after_a_gap_decoding_begins_anew_with_a_keyframe() -> None:
    units = encoded(FrameEncoder(MediaSettings(segment_seconds=0.2)), [picture(number) for number in range(12)])
    decoder = FrameDecoder()
    before = [frame for unit in units[:3] for frame in decoder.decode(unit)]
    decoder.restart()
    after = [frame for unit in units[4:] for frame in decoder.decode(unit)]
    assert [frame.pts // 3000 for frame in before + after] == [0, 1, 2, 6, 7, 8, 9, 10, 11]


def test_a_unit_that_is_no_video_is_left_out() -> None:
    units = encoded(FrameEncoder(MediaSettings(segment_seconds=0.2)), [picture(number) for number in range(12)])
    units[1].data = b"\x00\x00\x00\x01garbage"
    decoder = FrameDecoder()
    shown = [frame.pts // 3000 for unit in units for frame in decoder.decode(unit)]
    assert {0, 6, 7, 8, 9, 10, 11} <= set(shown)
