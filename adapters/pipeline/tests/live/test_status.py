"""What a stream's status says, and when."""

import threading
from time import monotonic
from typing import Any

import anyio
import pytest

from livepeer.runner import LivePipeline
from livepeer.runner._live.status import Judge, status_fields
from livepeer.runner.frames import MediaSettings, VideoFrame
from livepeer.trickle import AsyncPublisher
from livepeer.trickle.media import MediaStats

from .clips import make_clip
from .streams import Channel, Network, cut, refusal, running


def stats(*, last_input: float | None = None, last_output: float | None = None) -> MediaStats:
    return MediaStats(
        frames_in=30,
        frames_out=20,
        frames_dropped=10,
        audio_frames_in=0,
        audio_frames_out=0,
        hook_errors=0,
        corrupt_packets=0,
        lost_segments=0,
        fps_in=30.04,
        fps_out=20.0,
        latency_seconds=0.01234,
        last_input=last_input,
        last_output=last_output,
    )


def test_a_stream_stands_as_what_came_and_went_last_says() -> None:
    judge = Judge(has_output=True, watchdog_seconds=30)
    assert judge.judge(stats(), 100.0) == "running"
    assert judge.judge(stats(), 101.9) == "running"
    assert judge.judge(stats(), 102.1) == "degraded_input"
    assert judge.judge(stats(last_input=110.0), 110.1) == "running"
    assert judge.judge(stats(last_input=112.2), 112.2) == "degraded_inference"
    assert judge.judge(stats(last_input=113.0, last_output=112.9), 113.0) == "running"
    assert judge.judge(stats(last_input=113.0, last_output=112.9), 115.1) == "degraded_input"
    assert judge.judge(None, 200.0) == "running"


def test_the_watchdog_counts_only_while_input_flows() -> None:
    judge = Judge(has_output=True, watchdog_seconds=30)
    judge.judge(stats(last_input=100.0, last_output=100.0), 100.0)
    silent = stats(last_input=100.0, last_output=100.0)
    assert judge.judge(silent, 150.0) == "degraded_input"
    assert not judge.is_stuck(silent, 150.0)
    for now in range(150, 181):
        flowing = stats(last_input=float(now), last_output=100.0)
        judge.judge(flowing, float(now))
        assert not judge.is_stuck(flowing, float(now))
    assert judge.is_stuck(flowing, 181.0)
    assert not judge.is_stuck(None, 181.0)


def test_without_output_or_without_a_limit_the_watchdog_sleeps() -> None:
    for judge in (Judge(has_output=False, watchdog_seconds=1), Judge(has_output=True, watchdog_seconds=None)):
        judge.judge(stats(last_input=1.0), 1.0)
        assert not judge.is_stuck(stats(last_input=100.0), 100.0)


def test_a_status_has_what_the_gateway_keeps() -> None:
    fields = status_fields(stats(), stream_id="cam", state="running", params={"a": 1}, last_error="no")
    assert (fields["fps_in"], fields["fps_out"], fields["frames_dropped"], fields["latency_ms"]) == (
        30.0,
        20.0,
        10,
        12.3,
    )
    assert fields["inference_status"] == {
        "last_params": {"a": 1},
        "fps": 20.0,
        "last_error": "no",
        "last_restart_logs": None,
    }


async def test_the_status_is_sent_before_the_stream_runs_and_then_again_and_again(network: Network) -> None:
    class Slow(LivePipeline):
        heartbeat_seconds = 0.05

        def on_stream_start(self, params: Any) -> None:
            assert gate.wait(10)

    gate = threading.Event()
    start = network.open("events")
    watcher = Channel(start.events_url or "")

    async def open_the_gate() -> None:
        for _ in range(5):
            assert (await watcher.next())["state"] == "starting"
        gate.set()

    async with anyio.create_task_group() as tasks:
        await tasks.start(watcher.read)
        tasks.start_soon(open_the_gate)
        async with running(Slow, start) as session:
            await watcher.wait_for(type="status", state="running")
            began = monotonic()
            for _ in range(5):
                await watcher.next()
            assert monotonic() - began < 2
            await session.stop()
            await watcher.wait_for_end()
        tasks.cancel_scope.cancel()
    states = [message["state"] for message in watcher.messages]
    assert states == sorted(states, key=["starting", "running", "ended"].index)


async def test_the_status_is_soon_sent_again_for_a_gateway_that_came_late_to_the_first(network: Network) -> None:
    class Quiet(LivePipeline):
        heartbeat_seconds = 3600

    async with running(Quiet, network.open("events")) as session:
        await session.events.wait_for(type="status", state="running")
        seen = len(session.events.messages)
        began = monotonic()
        assert (await session.events.next())["state"] == "running"
        assert monotonic() - began < 2
        assert len(session.events.messages) == seen + 1


async def test_a_status_tells_the_pace_and_the_drops_of_a_hook_that_is_too_slow(network: Network) -> None:
    class Slow(LivePipeline):
        media = MediaSettings(max_age_seconds=0.01)
        heartbeat_seconds = 0.05

        def process_video(self, frame: VideoFrame) -> VideoFrame:
            threading.Event().wait(0.05)
            return frame

    start = network.open("subscribe", "publish", "events")
    async with running(Slow, start) as session:
        async with AsyncPublisher(start.subscribe_url or "", create=False) as publisher:
            await network.feed(publisher, start.subscribe_url, cut(make_clip(2.0)))
            status = await session.events.wait_until(lambda event: event.get("frames_dropped", 0) > 20)
        await session.events.wait_for(type="notice", kind="frames_dropped")
        end = await session.events.wait_for_end()
    assert status["frames_in"] > 20
    assert end["frames_in"] == 50
    assert end["frames_out"] + end["frames_dropped"] == 50
    assert end["latency_ms"] > 40


async def test_the_media_says_when_it_begins(network: Network) -> None:
    start = network.open("subscribe", "publish", "events")
    input = AsyncPublisher(start.subscribe_url or "", create=False)
    async with running(LivePipeline, start) as session, input as publisher:
        for segment in cut(make_clip(1.0)):
            await publisher.publish(segment)
        await session.events.wait_for(type="notice", kind="input_started")
        await session.events.wait_for(type="notice", kind="output_started")


@pytest.mark.parametrize("kind", ["subscribe", "publish"])
async def test_a_media_url_that_is_none_starts_nothing(network: Network, kind: str) -> None:
    start = network.open("subscribe", "publish").model_copy(update={f"{kind}_url": "no url"})
    assert (await refusal(LivePipeline, start)).status == 502
