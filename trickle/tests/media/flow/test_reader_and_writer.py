"""The two ends of a stream: what one writes, the other reads."""

import threading
from fractions import Fraction

import av
import numpy as np
import pytest
from media_clips import LIMIT_SECONDS, make_clip, publish
from media_stages import split
from trickle_servers import RunningServer

from livepeer.trickle import ChannelNotFoundError, Publisher
from livepeer.trickle.media import AudioFrame, MediaReader, MediaSettings, MediaWriter, Unit, VideoFrame


def picture(index: int, *, format: str = "rgb24") -> VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 50 + index, np.uint8), format="rgb24")
    return VideoFrame(frame.reformat(format=format), pts=90000 + index * 3000)


def sound(index: int) -> AudioFrame:
    phase = (np.arange(960) + index * 960) * (2 * np.pi * 440 / 48000)
    frame = av.AudioFrame.from_ndarray(np.sin(phase)[None].astype(np.float32) * 0.5, format="fltp", layout="mono")
    frame.sample_rate = 48000
    return AudioFrame(frame, pts=90000 + index * 1800)


class Reading:
    """Reads a channel on a thread, until it ends."""

    def __init__(self, url: str, *, decodes: bool = True) -> None:
        self.items: list[VideoFrame | AudioFrame | Unit] = []
        self.reader = MediaReader(url, start="earliest", wait_seconds=LIMIT_SECONDS)
        self._decodes = decodes
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def pictures(self) -> list[VideoFrame]:
        return [each for each in self.items if isinstance(each, VideoFrame)]

    @property
    def sounds(self) -> list[AudioFrame]:
        return [each for each in self.items if isinstance(each, AudioFrame)]

    def wait_for(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.items) >= count, LIMIT_SECONDS), len(self.items)

    def join(self) -> None:
        self._thread.join(LIMIT_SECONDS)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        with self.reader:
            for item in self.reader.frames() if self._decodes else self.reader.packets():
                with self._changed:
                    self.items.append(item)
                    self._changed.notify_all()


def test_frames_that_are_written_are_read(server: RunningServer) -> None:
    url = f"{server.base_url}/frames"
    reading = Reading(url)
    with MediaWriter(url, audio=True, create=True, delete=True) as writer:
        for index in range(30):
            writer.write(picture(index))
        for index in range(50):
            writer.write(sound(index))
        writer.poll()
        assert writer.stats.frames_out == 30
        reading.wait_for(30 + 45)
    reading.join()
    assert [each.pts for each in reading.pictures] == [90000 + index * 3000 for index in range(30)]
    levels = [each.to_ndarray().mean() for each in reading.pictures]
    assert levels == pytest.approx([50 + index for index in range(30)], abs=3)
    assert reading.sounds[0].channels == 1
    samples = np.concatenate([each.to_ndarray() for each in reading.sounds], axis=1)
    assert np.abs(samples[:, 9600:38400]).max() == pytest.approx(0.5, abs=0.1)
    assert {each.track.kind for each in reading.items if isinstance(each, Unit)} == set()


def test_frames_of_pyav_are_written_with_their_own_timestamps(server: RunningServer) -> None:
    url = f"{server.base_url}/av"
    reading = Reading(url)
    with MediaWriter(url, create=True, delete=True) as writer:
        for index in range(10):
            frame = picture(index, format="yuv420p").frame
            frame.pts, frame.time_base = index, Fraction(1, 25)
            writer.write(frame)
        reading.wait_for(10)
    reading.join()
    assert [each.pts for each in reading.pictures] == [index * 3600 for index in range(10)]


@pytest.mark.parametrize("b_frames", [0, 2])
def test_units_that_are_written_are_read_as_they_are(server: RunningServer, b_frames: int) -> None:
    url = f"{server.base_url}/units{b_frames}"
    clip = make_clip(b_frames=b_frames)
    units = split(clip.data, "video") + split(clip.data, "audio")
    reading = Reading(url, decodes=False)
    with MediaWriter(url, audio=True, create=True, delete=True) as writer:
        for each in units:
            writer.write_unit(
                each.track.kind,
                each.data,
                pts=each.pts or 0,
                dts=each.dts or 0,
                is_keyframe=each.is_keyframe,
                codec=each.track.codec,
            )
        reading.wait_for(len(units))
    reading.join()
    for kind in ("video", "audio"):
        before, after = ([each for each in some if each.track.kind == kind] for some in (units, reading.items))
        assert [(each.data, each.pts, each.dts) for each in after] == [
            (each.data, each.pts, each.dts) for each in before
        ]


def test_the_first_written_picture_is_there_before_the_second_is_made(server: RunningServer) -> None:
    url = f"{server.base_url}/first"
    reading = Reading(url)
    with MediaWriter(url, create=True, delete=True) as writer:
        for index in range(3):
            writer.write(picture(index))
            reading.wait_for(index + 1)
    reading.join()


def test_a_reader_may_be_closed_by_another_thread(server: RunningServer) -> None:
    url = f"{server.base_url}/closed"
    with Publisher(url) as publisher:
        reading = Reading(url)
        publish(publisher, make_clip(seconds=1.0))
        reading.wait_for(30)
        reading.reader.close()
        reading.join()
        reading.reader.close()
        assert list(reading.reader.frames()) == []


def test_a_reader_says_that_there_is_no_channel(server: RunningServer) -> None:
    with MediaReader(f"{server.base_url}/nowhere") as reader, pytest.raises(ChannelNotFoundError):
        next(reader.packets())


def test_a_writer_says_that_there_is_no_channel(server: RunningServer) -> None:
    with pytest.raises(ChannelNotFoundError), MediaWriter(f"{server.base_url}/nowhere"):
        pass


def test_what_cannot_be_written_is_said(server: RunningServer) -> None:
    with pytest.raises(ValueError, match="video or audio"):
        MediaWriter(f"{server.base_url}/never", video=False)
    with MediaWriter(f"{server.base_url}/wrong", create=True, delete=True) as writer:
        with pytest.raises(ValueError, match="no audio"):
            writer.write(sound(0))
        with pytest.raises(TypeError, match="ndarray"):
            writer.write(np.zeros((4, 4, 3), np.uint8))  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="no timestamp"):
            writer.write(av.VideoFrame(64, 48))
        with pytest.raises(ValueError, match="vp9"):
            writer.write_unit("video", b"\0\0\1\x09\x10", pts=0, dts=0, is_keyframe=True, codec="vp9")


def test_a_writer_cuts_segments_as_it_is_told(server: RunningServer) -> None:
    url = f"{server.base_url}/cuts"
    reading = Reading(url, decodes=False)
    with MediaWriter(url, settings=MediaSettings(segment_seconds=0.5), create=True, delete=True) as writer:
        for index in range(60):
            writer.write(picture(index))
        reading.wait_for(60)
    reading.join()
    keyframes = [index for index, each in enumerate(reading.items) if isinstance(each, Unit) and each.is_keyframe]
    assert keyframes == [0, 15, 30, 45]
