"""Streams with video and audio: which frames reach the hooks, and what goes out."""

import itertools
import math
import threading
from collections.abc import AsyncIterator, Iterator
from time import monotonic
from typing import Any, ClassVar

import anyio
import av
import numpy as np
import pytest

from livepeer.core import Manifest
from livepeer.runner import LiveCapability, LivePipeline
from livepeer.runner.frames import AudioFrame, MediaSettings, VideoFrame
from livepeer.trickle import AsyncPublisher
from livepeer.trickle.media import Demuxer

from .clips import RATE, look_into, make_clip, picture, tone
from .streams import Network, cut, refusal, running, transformed

EVERY_FRAME = MediaSettings(max_age_seconds=math.inf)


class Grey(LivePipeline):
    media = EVERY_FRAME

    def process_video(self, frame: VideoFrame) -> VideoFrame:
        grey = frame.to_ndarray().mean(axis=2, keepdims=True).astype(np.uint8)
        return frame.replace(np.repeat(grey, 3, axis=2))


async def test_each_frame_is_transformed_and_keeps_its_time(network: Network) -> None:
    clip = make_clip(2.0)
    output, session = await transformed(network, Grey, clip)
    before, after = look_into(clip), look_into(output)
    assert session.reports[-1].reason == "input_ended"
    assert len(after.pictures) == len(before.pictures) == 2 * RATE
    np.testing.assert_allclose(np.diff(after.times), 1 / RATE, atol=0.001)
    for number in (0, RATE, 2 * RATE - 1):
        red, green, blue = after.mean(number)
        assert max(red, green, blue) - min(red, green, blue) < 4
        assert abs(red - (200 + 60 + 40) / 3) < 6
    end = session.events.messages[-1]
    assert (end["frames_in"], end["frames_out"], end["frames_dropped"]) == (50, 50, 0)


async def test_the_other_track_is_copied_in_step(network: Network) -> None:
    clip = make_clip(2.0, audio=True)
    output, _ = await transformed(network, Grey, clip)
    before, after = look_into(clip), look_into(output)
    assert after.codecs == {"h264", "aac"}
    assert len(after.pictures) == 2 * RATE
    assert abs(len(after.sound) - len(before.sound)) <= 1024
    assert abs(after.level - before.level) < 0.1
    assert before.sound_begins is not None
    assert after.sound_begins is not None
    assert abs((after.sound_begins - after.times[0]) - (before.sound_begins - before.times[0])) < 0.03


async def test_audio_alone_is_transformed_and_video_copied(network: Network) -> None:
    class Quieter(LivePipeline):
        media = EVERY_FRAME

        def process_audio(self, frame: AudioFrame) -> AudioFrame:
            return frame.replace(frame.to_ndarray() * 0.1)

    clip = make_clip(2.0, audio=True)
    output, _ = await transformed(network, Quieter, clip)
    before, after = look_into(clip), look_into(output)
    assert abs((before.level - after.level) - 20) < 1
    assert len(after.pictures) == 2 * RATE
    assert all((one == other).all() for one, other in zip(before.pictures, after.pictures, strict=True))


async def test_without_hooks_the_stream_is_relayed_to_the_byte(network: Network) -> None:
    clip = make_clip(2.0, audio=True)
    output, session = await transformed(network, LivePipeline, clip)
    assert output == b"".join(cut(clip))
    assert session.reports[-1].reason == "input_ended"


@pytest.mark.parametrize("is_async", [False, True])
async def test_all_hooks_of_a_stream_run_in_order_one_at_a_time(network: Network, is_async: bool) -> None:
    calls: list[str] = []
    threads: set[int] = set()

    class Noting(LivePipeline):
        media = EVERY_FRAME

        def on_stream_start(self, params: Any) -> Any:
            return self.note("start")

        def process_video(self, frame: VideoFrame) -> Any:
            return self.note("video", frame)

        def process_audio(self, frame: AudioFrame) -> Any:
            return self.note("audio", frame)

        def on_stream_stop(self) -> Any:
            return self.note("stop")

        def note(self, name: str, result: Any = None) -> Any:
            calls.append(name)
            threads.add(threading.get_ident())
            return self.finish(name, result) if is_async else result

        async def finish(self, name: str, result: Any) -> Any:
            await anyio.lowlevel.checkpoint()
            assert calls[-1] == name
            return result

    output, _ = await transformed(network, Noting, make_clip(1.0, audio=True))
    assert len(threads) == 1
    assert calls[0] == "start"
    assert calls[-1] == "stop"
    assert calls.count("start") == calls.count("stop") == 1
    assert calls.count("video") == RATE
    assert calls.count("audio") > 40
    assert len(look_into(output).pictures) == RATE


async def test_a_hook_may_drop_frames_and_return_several(network: Network) -> None:
    class Halving(LivePipeline):
        media = EVERY_FRAME

        def on_stream_start(self, params: Any) -> None:
            self.held: list[VideoFrame] = []

        def process_video(self, frame: VideoFrame) -> list[VideoFrame] | None:
            self.held.append(frame)
            if len(self.held) < 5:
                return None
            held, self.held = self.held, []
            return [held[0], held[4]]

    output, _ = await transformed(network, Halving, make_clip(2.0))
    assert len(look_into(output).pictures) == 2 * RATE * 2 // 5
    np.testing.assert_allclose(np.diff(look_into(output).times), [0.16, 0.04] * 9 + [0.16], atol=0.001)


async def test_a_failing_hook_is_an_event_and_loses_its_frame_alone(network: Network) -> None:
    class Tripping(LivePipeline):
        media = EVERY_FRAME

        def on_stream_start(self, params: Any) -> None:
            self.count = 0

        def process_video(self, frame: VideoFrame) -> VideoFrame:
            self.count += 1
            if self.count == 10:
                raise ValueError("sesame")
            return frame

    output, session = await transformed(network, Tripping, make_clip(2.0))
    assert len(look_into(output).pictures) == 2 * RATE - 1
    assert (await session.events.wait_for(type="error"))["message"] == "process_video: ValueError: sesame"
    assert session.events.messages[-1]["last_error"] == "process_video: ValueError: sesame"


@pytest.mark.parametrize("result", [ValueError("sesame"), 3])
async def test_a_hook_that_always_fails_ends_the_stream_if_it_is_to(network: Network, result: Any) -> None:
    class Failing(LivePipeline):
        media = MediaSettings(on_hook_error="stop")

        def process_video(self, frame: VideoFrame) -> Any:
            if isinstance(result, Exception):
                raise result
            return result

    _, session = await transformed(network, Failing, make_clip(1.0), ends=False)
    report = session.reports[-1]
    assert report.reason == "hook_failed"
    assert ("sesame" if isinstance(result, Exception) else "VideoFrame") in (report.detail or "")


async def test_a_stream_without_output_is_only_looked_at(network: Network) -> None:
    class Watching(LivePipeline):
        media = EVERY_FRAME

        def on_stream_start(self, params: Any) -> None:
            self.count = 0

        def process_video(self, frame: VideoFrame) -> None:
            self.count += 1
            self.emit_data({"n": self.count, "pts": frame.pts})

    _, session = await transformed(network, Watching, make_clip(1.0))
    await session.data.wait_until(lambda line: line["n"] == RATE)
    lines = session.data.messages
    assert len(lines) == RATE
    assert {line["pts"] - lines[0]["pts"] for line in lines} == {number * 3600 for number in range(RATE)}


async def test_a_pipeline_may_make_video_and_audio_without_an_input(network: Network) -> None:
    class Making(LivePipeline):
        def generate_video(self) -> Iterator[VideoFrame]:
            for number in range(RATE):
                picture_of = av.VideoFrame.from_ndarray(picture(number, (200, 60, 40)), format="rgb24")
                yield VideoFrame(picture_of, pts=number * 3600)
            calls.append("video is over")

        async def generate_audio(self) -> AsyncIterator[AudioFrame]:
            for number in range(RATE):
                yield AudioFrame(tone(number), pts=number * 3600)

        def on_stream_start(self, params: Any) -> None:
            calls.append("start")

        def on_stream_stop(self) -> None:
            calls.append("stop")

    calls: list[str] = []
    start = network.open("publish", "events")
    async with running(Making, start) as session:
        began = monotonic()
        assert (await session.end()).reason == "input_ended"
        assert monotonic() - began > 0.9
    content = look_into(network.content(start.publish_url))
    assert calls == ["start", "video is over", "stop"]
    assert len(content.pictures) == RATE
    np.testing.assert_allclose(np.diff(content.times), 1 / RATE, atol=0.001)
    assert abs(content.level + 12) < 1


class Endless(LivePipeline):
    """Makes video for ever, and writes down how it ends."""

    ends: ClassVar[list[str]]

    def generate_video(self) -> Iterator[VideoFrame]:
        try:
            for number in itertools.count():
                yield VideoFrame(av.VideoFrame.from_ndarray(picture(0, (9, 9, 9))), pts=number * 3600)
        finally:
            self.ends.append(f"closed on {threading.current_thread().name}")

    def on_stream_stop(self) -> None:
        self.ends.append(f"stopped on {threading.current_thread().name}")


class EndlessAsync(Endless):
    async def generate_video(self) -> AsyncIterator[VideoFrame]:  # type: ignore[override]
        try:
            for number in itertools.count():
                yield VideoFrame(av.VideoFrame.from_ndarray(picture(0, (9, 9, 9))), pts=number * 3600)
        finally:
            await anyio.lowlevel.checkpoint()
            self.ends.append("closed on the loop")


@pytest.mark.parametrize(("pipeline", "closed_on"), [(Endless, "media-hook"), (EndlessAsync, "the loop")])
async def test_a_generator_is_closed_before_the_stream_is_stopped(
    network: Network, pipeline: type[Endless], closed_on: str
) -> None:
    pipeline.ends = []
    async with running(pipeline, network.open("publish", "events")) as session:
        await session.events.wait_for(type="notice", kind="output_started")
        assert (await session.stop()).reason == "stopped"
    assert pipeline.ends == [f"closed on {closed_on}", "stopped on media-hook"]


async def test_a_generator_that_is_none_ends_the_stream_and_says_why(network: Network) -> None:
    class Returning(LivePipeline):
        def generate_video(self) -> Any:
            return 3

    async with running(Returning, network.open("publish", "events")) as session:
        report = await session.end()
    assert report.reason == "hook_failed"
    assert "generate_video has to yield frames" in (report.detail or "")


@pytest.mark.parametrize("channel", ["subscribe", "publish"])
async def test_media_channels_that_are_not_there_start_nothing(network: Network, channel: str) -> None:
    start = network.open("subscribe", "publish", "events")
    network.end(getattr(start, f"{channel}_url"))
    error = await refusal(Grey, start)
    assert error.status == 502
    assert "media" in error.detail


async def test_a_stream_whose_output_stops_while_input_flows_is_ended_by_the_watchdog(network: Network) -> None:
    class Silent(LivePipeline):
        media = EVERY_FRAME
        watchdog_seconds = 0.5
        heartbeat_seconds = 0.1

        def process_video(self, frame: VideoFrame) -> None:
            pass

    start = network.open("subscribe", "publish", "events")
    clip = cut(make_clip(1.0))
    async with running(Silent, start) as session, anyio.create_task_group() as tasks:

        async def feed() -> None:
            async with AsyncPublisher(start.subscribe_url or "", create=False) as publisher:
                while True:
                    await publisher.publish(clip[0])
                    await session.events.next()

        tasks.start_soon(feed)
        report = await session.end()
        tasks.cancel_scope.cancel()
    assert report.reason == "watchdog"


async def test_a_stream_without_input_for_too_long_ends(network: Network) -> None:
    class Waiting(Grey):
        media = MediaSettings(idle_seconds=0.3)

    async with running(Waiting, network.open("subscribe", "publish", "events")) as session:
        assert (await session.end()).reason == "idle"


async def test_four_streams_at_once_are_each_transformed_by_their_own(network: Network) -> None:
    class Painting(LivePipeline):
        capacity = 4
        media = EVERY_FRAME

        def process_video(self, frame: VideoFrame) -> VideoFrame:
            return frame.replace(np.full((frame.height, frame.width, 3), self.current_params, np.uint8))

    live = LiveCapability(Painting).live
    clip = make_clip(1.0)
    means: dict[int, list[float]] = {}

    async def run(grey: int) -> None:
        output, _ = await transformed(network, live, clip, id=f"cam-{grey}", params=grey)
        content = look_into(output)
        means[grey] = [content.mean(number)[0] for number in range(len(content.pictures))]

    async with anyio.create_task_group() as tasks:
        for grey in (30, 90, 150, 210):
            tasks.start_soon(run, grey)
    assert sorted(means) == [30, 90, 150, 210]
    for grey, levels in means.items():
        np.testing.assert_allclose(levels, [grey] * RATE, atol=4)


@pytest.mark.parametrize(("capacity", "threads"), [(None, 2), (3, 1)])
async def test_streams_that_may_run_beside_others_encode_with_one_thread(
    network: Network, capacity: int | None, threads: int
) -> None:
    class Large(LivePipeline):
        media = EVERY_FRAME

        def process_video(self, frame: VideoFrame) -> VideoFrame:
            return frame.replace(np.zeros((360, 640, 3), np.uint8))  # Of a small picture there is nothing to share.

    live = LiveCapability(Large, Manifest(target="main.py", capacity=capacity)).live
    output, _ = await transformed(network, live, make_clip(0.5))
    first = Demuxer().feed(output, 0.0)[0]
    assert b" threads=%d " % threads in first.data  # x264 writes its settings beside the first picture.
