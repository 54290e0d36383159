"""Clips made on the fly, and what is in them: each picture has a grey level of its own, the audio is a tone."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from time import monotonic
from typing import Any

import av
import numpy as np
from av.video.reformatter import Colorspace

from livepeer.trickle import Publisher, Subscriber
from livepeer.trickle.media import Segmenter

LIMIT_SECONDS = 20.0


@dataclass(kw_only=True)
class Clip:
    """MPEG-TS, cut into segments at keyframes."""

    segments: list[bytes]

    @property
    def data(self) -> bytes:
        return b"".join(self.segments)


@cache
def make_clip(
    *,
    seconds: float = 2.0,
    width: int = 160,
    height: int = 96,
    rate: int = 30,
    video: bool = True,
    audio: bool = True,
    tone: float = 440.0,
    amplitude: Callable[[float], float] = lambda seconds: 0.5,
    start_seconds: float = 10.0,
    first_level: int = 40,
    chroma: tuple[int, int] = (128, 128),
    b_frames: int = 0,
    colorspace: int = 1,
    noise: bool = False,
) -> Clip:
    """Return a clip whose picture number i is all of one colour, of the luma `first_level + i % 100`."""
    out = io.BytesIO()
    with av.open(out, "w", format="mpegts", options={"mpegts_flags": "pat_pmt_at_frames"}) as container:
        if video:
            picture_stream = container.add_stream("libx264", rate=rate)
            picture_stream.width, picture_stream.height, picture_stream.pix_fmt = width, height, "yuv420p"
            picture_stream.options = {
                "preset": "ultrafast",
                "tune": "zerolatency",
                "forced-idr": "1",
                "x264-params": "scenecut=0",
            }
            if b_frames:
                picture_stream.options = {"preset": "ultrafast", "bf": str(b_frames), "b-adapt": "0", "forced-idr": "1"}
            picture_stream.codec_context.gop_size = rate * 10
            picture_stream.codec_context.colorspace = colorspace
        if audio:
            sound_stream = container.add_stream("aac", rate=48000, layout="stereo")
        sounds = 0
        for index in range(int(seconds * rate) if video else int(seconds * 10)):
            if video:
                frame = av.VideoFrame(width, height, "yuv420p")
                for plane, value in zip(frame.planes, (first_level + index % 100, *chroma), strict=True):
                    grain = np.random.default_rng(index).integers(-20, 20, plane.buffer_size) if noise else 0
                    plane.update((np.full(plane.buffer_size, value) + grain).astype(np.uint8).tobytes())
                frame.pts = index + int(start_seconds * rate)
                frame.time_base = Fraction(1, rate)
                frame.colorspace = colorspace
                frame.pict_type = 1 if index % rate == 0 else 0
                for packet in picture_stream.encode(frame):
                    container.mux(packet)
            until = (index + 1) / (rate if video else 10)
            while audio and sounds * 1024 / 48000 < until:
                phase = (np.arange(1024) + sounds * 1024) * (2 * np.pi * tone / 48000)
                wave = np.tile(np.sin(phase) * amplitude(sounds * 1024 / 48000), (2, 1)).astype(np.float32)
                sound = av.AudioFrame.from_ndarray(wave, format="fltp", layout="stereo")
                sound.sample_rate, sound.pts, sound.time_base = (
                    48000,
                    sounds * 1024 + int(start_seconds * 48000),
                    Fraction(1, 48000),
                )
                container.mux(sound_stream.encode(sound))
                sounds += 1
        if video:
            container.mux(picture_stream.encode(None))
        if audio:
            container.mux(sound_stream.encode(None))
    segmenter = Segmenter()
    segments: list[bytes] = []
    for cut in [*segmenter.feed(out.getvalue()), *segmenter.finish()]:
        if cut.starts_segment:
            segments.append(b"")
        segments[-1] += cut.data
    return Clip(segments=segments)


@dataclass(kw_only=True)
class Seen:
    """What a stream holds, as FFmpeg reads it."""

    pictures: list[Any]
    sounds: list[Any]

    @property
    def levels(self) -> list[float]:
        """The mean luma of each picture, from 0 to 255; between two different matrices, the colours would change it."""
        matrix = {"src_colorspace": Colorspace.ITU601, "dst_colorspace": Colorspace.ITU601}
        return [float(each.to_ndarray(format="gray", **matrix).mean()) for each in self.pictures]

    @property
    def video_pts(self) -> list[int]:
        return [int(each.pts * each.time_base * 90000) for each in self.pictures]

    @property
    def audio_pts(self) -> list[int]:
        return [int(each.pts * each.time_base * 90000) for each in self.sounds]

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate([each.to_ndarray() for each in self.sounds], axis=1)


def look(data: bytes) -> Seen:
    pictures: list[Any] = []
    sounds: list[Any] = []
    with av.open(io.BytesIO(data), format="mpegts") as container:
        for frame in container.decode():
            (pictures if isinstance(frame, av.VideoFrame) else sounds).append(frame)
    return Seen(pictures=pictures, sounds=sounds)


class Collector:
    """Reads a channel on a thread of its own, until it ends."""

    def __init__(self, url: str) -> None:
        self.segments: list[bytes] = []
        self.times: list[tuple[float, int]] = []
        self._changed = threading.Condition()
        self._subscriber = Subscriber(url, start="next", wait_seconds=LIMIT_SECONDS, retry_seconds=1)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    @property
    def data(self) -> bytes:
        with self._changed:
            return b"".join(self.segments)

    def wait_for(self, ready: Callable[[bytes], bool]) -> None:
        deadline = monotonic() + LIMIT_SECONDS
        with self._changed:
            while not ready(b"".join(self.segments)):
                assert self._changed.wait(deadline - monotonic()), "it did not come in time"

    def finish(self) -> bytes:
        """Return all, once the channel was deleted."""
        self._thread.join(LIMIT_SECONDS)
        assert not self._thread.is_alive(), "the channel did not end"
        return self.data

    def _run(self) -> None:
        with self._subscriber:
            for segment in self._subscriber:
                with self._changed:
                    self.segments.append(b"")
                for part in segment:
                    with self._changed:
                        self.segments[-1] += part
                        self.times.append((monotonic(), len(part)))
                        self._changed.notify_all()


def paced(clip: Clip, seconds: float, *, piece_seconds: float = 1 / 30) -> Iterator[tuple[bytes, bool]]:
    """Yield the pieces of a clip that lasts so long, each when it is due, with whether a segment begins."""
    count = max(1, round(seconds / piece_seconds / len(clip.segments)))
    began, due = monotonic(), 0.0
    clock = threading.Event()
    for segment in clip.segments:
        size = max(188, -(-len(segment) // count))
        for at in range(0, len(segment), size):
            clock.wait(max(0.0, began + due - monotonic()))
            due += piece_seconds
            yield segment[at : at + size], at == 0


def publish(publisher: Publisher, clip: Clip, *, seconds: float = 0.0) -> None:
    """Publish a clip: at once, or in real time."""
    if not seconds:
        for segment in clip.segments:
            publisher.publish(segment)
        publisher.flush()  # Or what waits for an acknowledgement stays here.
        return
    for piece, begins in paced(clip, seconds):
        if begins:
            writer = publisher.segment()
        writer.write(piece)
