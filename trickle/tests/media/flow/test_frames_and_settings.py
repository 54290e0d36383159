"""Frames by themselves, settings, and the encoders that they choose."""

import subprocess
import sys
from dataclasses import fields, replace
from typing import Any

import av
import numpy as np
import pytest
from media_clips import make_clip
from media_stages import split

import livepeer.trickle.media as media
from livepeer.trickle.media import (
    AudioDecoder,
    AudioFrame,
    MediaSettings,
    Track,
    UnsupportedCodecError,
    VideoDecoder,
    VideoEncoder,
    VideoFrame,
)


def picture(width: int = 64, height: int = 48) -> VideoFrame:
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane, value in zip(frame.planes, (100, 120, 140), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    return VideoFrame(frame, pts=45_000, arrived=1.0)


def test_a_picture_says_when_it_is_shown_and_how_large_it_is() -> None:
    frame = picture()
    assert (frame.seconds, frame.width, frame.height, frame.arrived) == (0.5, 64, 48, 1.0)
    assert frame.to_ndarray().shape == (48, 64, 3)
    assert frame.to_ndarray().dtype == np.uint8
    assert frame.to_ndarray("gray").shape == (48, 64)
    assert frame.to_ndarray("yuv420p").shape == (72, 64)


@pytest.mark.parametrize("colorspace", [1, 2, 5, 9])
@pytest.mark.parametrize(("format", "expected"), [("yuv420p", (81 - 16) / 219 * 255), ("yuvj420p", 81)])
def test_gray_is_the_luma_in_full_range_however_strong_the_colours(
    format: str, expected: float, colorspace: int
) -> None:
    frame = av.VideoFrame(64, 48, format)
    for plane, value in zip(frame.planes, (81, 90, 240), strict=True):
        plane.update(bytes([value]) * plane.buffer_size)
    frame.colorspace = colorspace
    gray = VideoFrame(frame, pts=0).to_ndarray("gray")
    assert gray == pytest.approx(np.full((48, 64), expected), abs=1)


def test_the_gray_of_what_is_gray_already_is_the_same() -> None:
    array = np.arange(64 * 48, dtype=np.uint32).astype(np.uint8).reshape(48, 64)
    assert (picture().replace(array, format="gray").to_ndarray("gray") == array).all()


def test_a_replaced_picture_keeps_the_timestamps_and_uses_the_array_as_it_is() -> None:
    array = np.zeros((48, 64, 3), np.uint8)
    frame = picture().replace(array)
    assert (frame.pts, frame.arrived) == (45_000, 1.0)
    array[:] = 77
    assert frame.to_ndarray().mean() == 77


def test_a_picture_may_be_replaced_by_a_part_of_an_array() -> None:
    array = np.arange(96 * 128 * 3, dtype=np.uint32).astype(np.uint8).reshape(96, 128, 3)
    assert (picture().replace(array[::2, ::-2]).to_ndarray() == array[::2, ::-2]).all()


def test_a_writable_picture_has_a_buffer_of_its_own() -> None:
    frame = picture()
    other = VideoFrame(frame.frame.reformat(), pts=0)
    memoryview(frame.writable().frame.planes[0])[0] = 9
    assert frame.to_ndarray("gray")[0, 0] != other.to_ndarray("gray")[5, 5]


@pytest.mark.parametrize("format", ["fltp", "flt", "s16", "s16p", "s32", "u8", "dblp"])
def test_samples_are_float32_by_channel_whatever_the_format(format: str) -> None:
    wave = np.stack([np.linspace(-0.9, 0.9, 480), np.zeros(480)]).astype(np.float32)
    source = av.AudioFrame.from_ndarray(wave, format="fltp", layout="stereo")
    source.sample_rate = 48000
    resampled = av.AudioResampler(format, "stereo", 48000).resample(source)[0]
    samples = AudioFrame(resampled, pts=0).to_ndarray()
    assert samples.shape == (2, 480)
    assert samples.dtype == np.float32
    assert samples == pytest.approx(wave, abs=0.01)


def test_replaced_samples_keep_the_rate_and_the_timestamp() -> None:
    source = av.AudioFrame.from_ndarray(np.zeros((2, 480), np.float32), format="fltp", layout="stereo")
    source.sample_rate = 44100
    frame = AudioFrame(source, pts=90, arrived=2.0).replace(np.full((1, 441), 0.25))
    assert (frame.pts, frame.arrived, frame.sample_rate, frame.samples, frame.channels) == (90, 2.0, 44100, 441, 1)
    assert frame.to_ndarray() == pytest.approx(np.full((1, 441), 0.25))


def test_samples_that_are_no_numbers_are_refused() -> None:
    source = av.AudioFrame.from_ndarray(np.zeros((2, 480), np.float32), format="fltp", layout="stereo")
    with pytest.raises(ValueError, match="NaN"):
        AudioFrame(source, pts=0).replace(np.full((2, 480), np.nan))


WRONG: list[dict[str, Any]] = [
    {"segment_seconds": 0},
    {"bitrate": 0},
    {"encoder": "x265"},
    {"audio": "wait"},
    {"on_hook_error": "ignore"},
    {"max_age_seconds": -1},
    {"idle_seconds": 0},
    {"start": "-1"},
    {"hook_error_budget": -1},
    {"audio_codec": "mp3"},
    {"preset": "warp"},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_setting_that_cannot_be_used_is_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        MediaSettings(**wrong)


def test_every_setting_has_a_default() -> None:
    settings = MediaSettings()
    assert {field.name: getattr(settings, field.name) for field in fields(settings)}["segment_seconds"] == 1.0


def nvenc_opens() -> bool:
    try:
        VideoEncoder(picture(640, 480), MediaSettings(encoder="h264_nvenc"))
    except UnsupportedCodecError:
        return False
    return True


def test_an_encoder_that_is_not_there_says_so() -> None:
    if nvenc_opens():
        pytest.skip("this machine has NVENC")
    with pytest.raises(UnsupportedCodecError, match="h264_nvenc cannot be opened here"):
        VideoEncoder(picture(640, 480), MediaSettings(encoder="h264_nvenc"))


def test_auto_takes_what_is_there() -> None:
    encoder = VideoEncoder(picture(640, 480), MediaSettings(encoder="auto"))
    (encoded,) = encoder.encode(picture(640, 480), pts=0, is_keyframe=True)
    assert encoded.is_keyframe


@pytest.mark.parametrize("bitrate", [None, 200_000])
def test_each_picture_comes_out_of_the_encoder_at_once_as_annex_b(bitrate: int | None) -> None:
    encoder = VideoEncoder(picture(), MediaSettings(bitrate=bitrate))
    for index in range(10):
        (encoded,) = encoder.encode(picture(), pts=index * 3000, is_keyframe=index == 5)
        assert encoded.data.startswith((b"\0\0\0\1", b"\0\0\1"))
        assert (encoded.pts, encoded.dts, encoded.is_keyframe) == (index * 3000, index * 3000, index in (0, 5))
    assert encoder.finish() == []


def test_a_setting_that_the_encoder_refuses_is_told_of() -> None:
    with pytest.raises(UnsupportedCodecError, match="libx264 cannot be opened here for 64x48: value too large"):
        VideoEncoder(picture(), MediaSettings(frame_rate=1e12))


def test_a_unit_of_several_audio_frames_gives_them_all() -> None:
    units = split(make_clip(video=False).data, "audio")[10:14]
    whole = replace(units[0], data=b"".join(unit.data for unit in units))
    frames = AudioDecoder(whole.track).decode(whole)
    assert [each.samples for each in frames] == [1024] * 4
    assert [each.pts - (whole.pts or 0) for each in frames] == [0, 1920, 3840, 5760]


def test_a_codec_that_ffmpeg_does_not_know_is_named() -> None:
    with pytest.raises(UnsupportedCodecError, match="h267"):
        VideoDecoder(Track(pid=1, kind="video", codec="h267"))


def test_all_public_names_can_be_had() -> None:
    assert [name for name in media.__all__ if not hasattr(media, name)] == []
    assert media.__all__ == sorted(media.__all__, key=lambda name: (name[0].islower(), name))
    with pytest.raises(AttributeError, match="Nothing"):
        _ = media.Nothing


def test_what_handles_bytes_alone_needs_no_pyav() -> None:
    code = (
        "import sys; sys.modules['av'] = sys.modules['numpy'] = None;"
        "from livepeer.trickle.media import Demuxer, Muxer, Notice, Segmenter, Track, Unit"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_numpy_is_loaded_by_those_alone_who_ask_for_an_array() -> None:
    code = (
        "import sys; from livepeer.trickle.media import MediaTransform, MediaWriter, VideoFrame, FrameDecoder;"
        "import av; frame = VideoFrame(av.VideoFrame(64, 48, 'yuv420p'), pts=0);"
        "assert 'numpy' not in sys.modules; frame.to_ndarray(); assert 'numpy' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
