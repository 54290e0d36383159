"""The live examples on every network: a clip goes in at the caller's end, and what comes back is looked at."""

import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import anyio.lowlevel
import pytest
from media_clips import Clip, Seen, look, make_clip

from livepeer.client import Gateway, LiveStream, RefusedError
from livepeer.devnet import BlockingDevNet

from .network import ROOT, Edge, Transport, calling, serving

pytestmark = pytest.mark.anyio

EXAMPLES = ROOT / "examples"


@pytest.fixture(params=["gateway", "orchestrator", "live-runner"])
def way(request: pytest.FixtureRequest) -> Transport:
    """Where the caller is: at a gateway, straight at an orchestrator, or at one that speaks Live Runner."""
    return request.param


@asynccontextmanager
async def serving_live(net: BlockingDevNet, example: str, way: Transport) -> AsyncIterator[tuple[Edge, Gateway]]:
    network = "live-runner" if way == "live-runner" else "byoc"
    async with (
        serving(net, EXAMPLES / example / "main.py", LIVEPEER_NETWORK=network) as edge,
        calling(net, way) as gateway,
    ):
        yield edge, gateway


@asynccontextmanager
async def streaming(
    net: BlockingDevNet, example: str, way: Transport, params: object = None
) -> AsyncIterator[tuple[Edge, LiveStream]]:
    async with (
        serving_live(net, example, way) as (edge, gateway),
        gateway.live(edge.name, params) as stream,
    ):
        yield edge, stream


async def through(
    stream: LiveStream, clip: Clip, *, meanwhile: Callable[[], Awaitable[None]] = anyio.lowlevel.checkpoint
) -> Seen:
    """Send a clip, do something once the first of it is back, and take what comes until the stream is over."""
    parts: list[bytes] = []

    async def receive() -> None:
        async for part in stream.subscribe("bytes", start="earliest"):
            if not parts:
                tasks.start_soon(meanwhile)
            parts.append(part)

    with anyio.fail_after(40):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(receive)
            await stream.publish(clip.data)
    return look(b"".join(parts))


def expect_in_step(seen: Seen, given: Seen, stream: LiveStream) -> list[int]:
    """What came back came at its time, audio no further from video than it was, and what is missing was dropped.

    Returns:
        The numbers of the pictures that came back.
    """
    # A file's own times are moved to where the caller's stream stands: audio and video by the same.
    moved = seen.audio_pts[0] - given.audio_pts[0]
    assert seen.audio_pts == [pts + moved for pts in given.audio_pts]
    numbers = {pts + moved: number for number, pts in enumerate(given.video_pts)}
    came = [numbers[pts] for pts in seen.video_pts]
    assert came == sorted(set(came))
    # On a busy machine the first pictures may grow too old while a model warms up.
    assert len(given.pictures) - len(came) == (stream.stats.frames_dropped or 0) <= 20
    return came


async def test_passthrough_gives_every_frame_back_as_it_was(net: BlockingDevNet, way: Transport) -> None:
    clip = make_clip(seconds=3)
    async with streaming(net, "live_passthrough", way) as (_, stream):
        seen, given = await through(stream, clip), look(clip.data)
    assert len(expect_in_step(seen, given, stream)) == len(given.pictures)
    assert seen.levels == given.levels
    assert (seen.samples == given.samples).all()


async def test_grayscale_takes_the_colour_and_nothing_else(net: BlockingDevNet, way: Transport) -> None:
    clip = make_clip(seconds=3, chroma=(90, 180))
    async with streaming(net, "live_grayscale", way) as (_, stream):
        seen, given = await through(stream, clip), look(clip.data)
    came = expect_in_step(seen, given, stream)
    assert max(abs(a - given.levels[number]) for a, number in zip(seen.levels, came, strict=True)) < 5
    assert max(abs(value - 128) for picture in seen.pictures for value in chroma(picture)) < 3
    assert (seen.samples == given.samples).all()


async def test_loudness_measures_a_tone_and_finds_the_silence(net: BlockingDevNet, way: Transport) -> None:
    clip = make_clip(seconds=4, video=False, amplitude=lambda seconds: 0.5 if seconds < 2 else 0.0)
    lines: list[Any] = []

    async def listen() -> None:
        async for line in stream.data():
            lines.append(line)

    async with (
        streaming(net, "live_loudness", way, {"interval_seconds": 0.25}) as (_, stream),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listen)
        await through(stream, clip)
    levels = [line["rms_dbfs"] for line in lines if line["type"] == "level"]
    tone = 20 * math.log10(0.5 / math.sqrt(2))
    assert [round(level - tone) for level in levels[1:6]] == [0] * 5
    assert max(levels[-4:]) < -50
    (begun,) = [line["seconds"] for line in lines if line["type"] == "silence_began"]
    assert abs(begun - lines[0]["seconds"] - 2) < 0.1


async def test_overlay_follows_its_params(net: BlockingDevNet, way: Transport) -> None:
    box = {"x": 0, "y": 0, "width": 0.5, "height": 1, "colour": "#ffffff", "opacity": 1}
    clip = make_clip(seconds=4)
    async with streaming(net, "live_overlay", way, box) as (_, stream):
        with pytest.raises(RefusedError) as caught:
            await stream.update({"opacity": 2})
        assert [error.field for error in caught.value.fields] == ["opacity"]

        async def change() -> None:
            assert (await stream.update({**box, "x": 0.5}))["x"] == 0.5

        seen = await through(stream, clip, meanwhile=change)
    expect_in_step(seen, look(clip.data), stream)
    halves = [(left > right) for left, right in map(halves_of, seen.pictures)]
    assert halves[0]
    assert not halves[-1]
    assert halves == sorted(halves, reverse=True)


async def test_params_that_do_not_fit_start_nothing(net: BlockingDevNet, way: Transport) -> None:
    if way == "gateway":
        pytest.skip("a gateway answers before the worker does (contract, section 5)")
    async with serving_live(net, "live_overlay", way) as (edge, gateway):
        with pytest.raises(RefusedError) as caught:
            async with gateway.live(edge.name, {"x": 2}):
                pytest.fail("it started")
        assert [error.field for error in caught.value.fields] == ["x"]
        assert (await edge.health())["status"] == "IDLE"


async def test_a_caller_that_leaves_ends_the_session(net: BlockingDevNet, way: Transport) -> None:
    async with streaming(net, "live_passthrough", way) as (edge, stream):
        await edge.until("OK")
        await stream.stop()
        await edge.until("IDLE")


async def test_a_process_that_dies_takes_its_session_along_and_the_next_one_runs(
    net: BlockingDevNet, way: Transport
) -> None:
    async with serving_live(net, "live_grayscale", way) as (edge, gateway):
        async with gateway.live(edge.name) as stream:
            await edge.until("OK")
            edge.kill_model()
            if way != "gateway":  # which keeps the last status to itself
                with anyio.fail_after(5):
                    await stream.wait_over()
                assert stream.end_reason == "failed"
            await edge.until("IDLE")
        async with gateway.live(edge.name) as stream:
            clip = make_clip(seconds=1)
            expect_in_step(await through(stream, clip), look(clip.data), stream)


def chroma(picture: Any) -> list[float]:
    """The means of its two colour planes."""
    planes = picture.to_ndarray(format="yuv420p")[picture.height :].reshape(2, -1)
    return [float(plane.mean()) for plane in planes]


def halves_of(picture: Any) -> tuple[float, float]:
    """How bright the left half is, and the right one."""
    gray = picture.to_ndarray(format="gray")
    middle = gray.shape[1] // 2
    return float(gray[:, :middle].mean()), float(gray[:, middle:].mean())
