"""Media to a worker that sends it back, checked by what the pictures show."""

import logging
from collections.abc import AsyncIterator, Iterator
from fractions import Fraction
from io import BytesIO
from itertools import count, repeat
from pathlib import Path
from typing import Any

import anyio
import anyio.lowlevel
import av
import numpy as np
import pytest

from livepeer.client import Gateway, InputError, LiveStream, SettingsError, StreamOverError
from livepeer.trickle import AsyncSubscriber
from livepeer.trickle.media import AudioFrame, Demuxer, FileSource, MediaSettings, VideoFrame

from .clips import clip, shade
from .networks import Network, Session, running

pytestmark = pytest.mark.timeout(60)

LIMIT_SECONDS = 20
TICKS = 90_000


async def through(stream: LiveStream, source: Any, kind: Any = "frames", **options: Any) -> list[Any]:
    """Publish a source, and return all that comes back."""
    came: list[Any] = []

    async def collect() -> None:
        async for item in stream.subscribe(kind):
            came.append(item)

    with anyio.fail_after(LIMIT_SECONDS):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(collect)
            await stream.publish(source, **options)
    return came


def pictures(frames: list[Any]) -> list[VideoFrame]:
    return [frame for frame in frames if isinstance(frame, VideoFrame)]


def shades(frames: list[Any]) -> list[float]:
    return [float(frame.to_ndarray().mean()) for frame in pictures(frames)]


def warnings_in(log: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in log.records if record.levelno >= logging.WARNING]


def picture(number: int, fps: int = 25) -> av.VideoFrame:
    frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), shade(number), np.uint8), format="rgb24")
    frame.pts, frame.time_base = number, Fraction(1, fps)
    return frame


def sound(number: int) -> av.AudioFrame:
    wave = np.sin(np.arange(number * 960, (number + 1) * 960) / 17).astype(np.float32) / 2
    frame = av.AudioFrame.from_ndarray(np.tile(wave, (2, 1)), format="fltp", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48000, number * 960, Fraction(1, 48000)
    return frame


@pytest.mark.parametrize("format", ["mp4", "mpegts", "matroska"])
async def test_a_file_comes_back_picture_by_picture(gateway: Gateway, tmp_path: Path, format: str) -> None:
    path = tmp_path / "clip"
    path.write_bytes(clip(format=format))
    async with gateway.live("model") as stream:
        frames = await through(stream, path, realtime=False)
        assert shades(frames) == pytest.approx([shade(number) for number in range(50)], abs=6)
        steps = np.diff([frame.pts for frame in pictures(frames)])
        assert steps.tolist() == [TICKS // 25] * 49
        samples = sum(frame.samples for frame in frames if isinstance(frame, AudioFrame))
        assert samples == pytest.approx(96_000, abs=4096)
        await stream.wait_over()
        assert stream.end_reason == "input_ended"
        stats = stream.stats
        assert (stats.frames_sent, stats.frames_received, stats.frames_dropped) == (50, 50, 7)
        assert stats.latency_seconds is not None
        assert 0 < stats.latency_seconds < 1
        assert stats.bytes_received == pytest.approx(stats.bytes_sent, rel=0.1)


async def test_a_file_in_real_time_takes_as_long_as_it_plays(gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        began = anyio.current_time()
        await through(stream, clip(seconds=1.0))
        assert 0.8 < anyio.current_time() - began < 4
        assert stream.stats.fps_received == pytest.approx(25, abs=12)


@pytest.mark.parametrize("kind", ["path", "bytes", "file", "source"])
async def test_a_file_may_be_given_in_any_way(gateway: Gateway, tmp_path: Path, kind: str) -> None:
    data = clip(seconds=0.4)
    path = tmp_path / "clip.ts"
    path.write_bytes(data)
    sources = {"path": str(path), "bytes": data, "file": BytesIO(data), "source": FileSource(path)}
    async with gateway.live("model") as stream:
        assert len(pictures(await through(stream, sources[kind], realtime=False))) == 10


@pytest.mark.parametrize("piece_bytes", [188, 1000, 100_000])
async def test_a_transport_stream_passes_unchanged_but_for_its_tables(gateway: Gateway, piece_bytes: int) -> None:
    data = clip()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), piece_bytes):
            yield data[start : start + piece_bytes]
            await anyio.lowlevel.checkpoint()

    async with gateway.live("model") as stream:
        came = b"".join(await through(stream, pieces(), "bytes"))
        sent = [(unit.track.pid, unit.pts, unit.data) for unit in units_of(data)]
        assert [(unit.track.pid, unit.pts, unit.data) for unit in units_of(came)] == sent
        assert stream.stats.frames_received == 50


def units_of(data: bytes) -> list[Any]:
    demuxer = Demuxer()
    units = [*demuxer.feed(data, 0.0), *demuxer.end_segment()]
    return sorted(units, key=lambda unit: (unit.track.pid, unit.dts))


async def test_packets_come_whole_and_undecoded(gateway: Gateway) -> None:
    data = clip()
    async with gateway.live("model") as stream:
        units = await through(stream, [data], "packets")
    sent, came = ([u for u in units_ if u.track.kind == "video"] for units_ in (units_of(data), units))
    assert [unit.data for unit in came] == [unit.data for unit in sent]
    assert [unit.is_keyframe for unit in came] == [unit.is_keyframe for unit in sent]


async def test_a_stream_is_cut_into_segments_that_begin_with_a_keyframe(network: Network, gateway: Gateway) -> None:
    starts: list[bool] = []
    looked = anyio.Event()

    async def look(session: Session) -> None:
        async with AsyncSubscriber(session.url(""), start="earliest") as source:
            async for segment in source:
                units = units_of(await segment.read())
                starts.append(next(unit for unit in units if unit.track.kind == "video").is_keyframe)
        looked.set()

    network.behaviour = look
    async with gateway.live("model") as stream:
        async with stream.publishing() as writer:
            await writer.write(clip(seconds=3.0))
        with anyio.fail_after(10):
            await looked.wait()
    assert starts == [True] * 3


async def test_frames_are_encoded_and_come_back(gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        frames = await through(stream, (picture(number) for number in range(40)))
        assert shades(frames) == pytest.approx([shade(number) for number in range(40)], abs=6)
        assert [frame.pts for frame in pictures(frames)] == [number * 3600 for number in range(40)]
        assert stream.stats.frames_sent == 40


async def test_pictures_and_sound_can_be_written_by_two_tasks(gateway: Gateway) -> None:
    frames: list[Any] = []

    async def collect(stream: LiveStream) -> None:
        async for frame in stream.subscribe():
            frames.append(frame)

    async def write(writer: Any, pieces: Any) -> None:
        for piece in pieces:
            await writer.write(piece)

    async with gateway.live("model") as stream:
        with anyio.fail_after(LIMIT_SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(collect, stream)
                async with (
                    stream.publishing(audio=True, settings=MediaSettings(segment_seconds=0.4)) as writer,
                    anyio.create_task_group() as writers,
                ):
                    writers.start_soon(write, writer, [picture(number) for number in range(25)])
                    writers.start_soon(write, writer, [sound(number) for number in range(50)])
    assert len(pictures(frames)) == 25
    heard = np.concatenate([frame.to_ndarray()[0] for frame in frames if isinstance(frame, AudioFrame)])
    assert len(heard) == pytest.approx(48_000, abs=4096)
    assert np.sqrt(np.mean(heard[10_000:20_000] ** 2)) == pytest.approx(0.5 / np.sqrt(2), abs=0.05)


async def test_publishing_goes_on_where_nobody_reads_the_output(gateway: Gateway) -> None:
    async with gateway.live("model") as stream:
        output = stream.subscribe("bytes")
        with anyio.fail_after(LIMIT_SECONDS):
            await stream.publish(clip(seconds=8.0), realtime=False)
            await stream.wait_over()
            late = [part async for part in output]
        assert stream.stats.bytes_received == sum(map(len, late)) < stream.stats.bytes_sent


async def test_a_reader_that_leaves_early_leaves_the_stream_running(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    async with gateway.live("model") as stream:
        with anyio.fail_after(LIMIT_SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: stream.publish(clip(), loop=True))
                for _ in range(2):
                    frames = stream.subscribe("frames")
                    assert isinstance(await anext(frames), VideoFrame | AudioFrame)
                    await frames.aclose()
                tasks.cancel_scope.cancel()
        assert not stream.is_over
    assert warnings_in(caplog) == []  # that the publishing was left early is no news


async def test_two_files_can_follow_each_other(gateway: Gateway) -> None:
    frames: list[Any] = []

    async def collect(stream: LiveStream) -> None:
        async for frame in stream.subscribe():
            frames.append(frame)

    async with gateway.live("model") as stream:
        with anyio.fail_after(LIMIT_SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(collect, stream)
                await stream.publish(clip(seconds=0.4, audio=False), realtime=False, ends_input=False)
                assert not stream.is_over
                await stream.publish(clip(seconds=0.4, audio=False), realtime=False)
    assert shades(frames) == pytest.approx([shade(number) for number in range(10)] * 2, abs=6)


@pytest.mark.parametrize(
    ("piece", "says"),
    [
        ("text", "not str"),
        (av.VideoFrame(64, 48, "yuv420p"), "no time"),
        (sound(0), "audio=True"),
        (None, "not NoneType"),
    ],
)
async def test_what_is_no_media_is_refused_and_the_stream_stopped(
    network: Network, gateway: Gateway, piece: Any, says: str
) -> None:
    with pytest.raises(InputError, match=says):
        async with gateway.live("model") as stream:
            await stream.publish([piece])
    assert network.session.stopped.is_set()


async def test_a_file_that_cannot_be_read_is_refused(gateway: Gateway, tmp_path: Path) -> None:
    async with gateway.live("model") as stream:
        with pytest.raises(InputError, match="missing"):
            await stream.publish(tmp_path / "missing.mp4")
        with pytest.raises(InputError, match="cannot be read"):
            await stream.publish(b"no media")
        with pytest.raises(SettingsError, match="frames, packets or bytes"):
            stream.subscribe("pictures")  # type: ignore[call-overload]


@pytest.mark.parametrize("pieces", [[bytes(range(256)) * 50], repeat(b"no media" * 1000), [clip(format="matroska")]])
async def test_bytes_that_are_no_transport_stream_are_refused(gateway: Gateway, pieces: Any) -> None:
    async with gateway.live("model") as stream:
        with anyio.fail_after(LIMIT_SECONDS), pytest.raises(InputError, match="no MPEG-TS"):
            await stream.publish(pieces)


@pytest.mark.parametrize("source", [None, 5, picture(0)], ids=["nothing", "number", "picture"])
async def test_what_media_cannot_come_from_is_refused(gateway: Gateway, source: Any) -> None:
    async with gateway.live("model") as stream:
        with pytest.raises(InputError, match=type(source).__name__):
            await stream.publish(source)
        assert not stream.is_over


async def test_publishing_that_waits_for_its_source_ends_with_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    async def silence() -> AsyncIterator[bytes]:
        yield clip(seconds=0.4)
        await anyio.sleep_forever()

    async def end(session: Session) -> None:
        await session.report({"type": "status", "state": "ended", "reason": "idle"})

    async with (
        running(behaviour=end) as network,
        Gateway(orch_url=network.url) as gateway,
        gateway.live("model") as stream,
    ):
        with anyio.fail_after(LIMIT_SECONDS), pytest.raises(StreamOverError):
            await stream.publish(silence())
        assert stream.end_reason == "idle"
    assert warnings_in(caplog) == []


@pytest.mark.parametrize("kind", ["pieces", "async pieces"])
async def test_publishing_ends_early_when_it_is_told_to(gateway: Gateway, kind: str) -> None:
    until = anyio.Event()

    def pictures_for_ever() -> Iterator[av.VideoFrame]:
        for number in count():
            yield picture(number)
            if number == 25:
                until.set()

    async def one_picture_and_silence() -> AsyncIterator[av.VideoFrame]:
        yield picture(0)
        until.set()
        await anyio.sleep_forever()

    async with gateway.live("model") as stream:
        source = pictures_for_ever() if kind == "pieces" else one_picture_and_silence()
        frames = await through(stream, source, until=until)
        assert stream.stats.frames_sent == len(pictures(frames)) == (26 if kind == "pieces" else 1)
        assert stream.end_reason == "input_ended"


async def test_a_file_that_loops_ends_when_it_is_told_to(gateway: Gateway) -> None:
    until, shown = anyio.Event(), 0
    async with gateway.live("model") as stream:
        with anyio.fail_after(LIMIT_SECONDS):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(lambda: stream.publish(clip(seconds=0.4), loop=True, until=until))
                async for frame in stream.subscribe():
                    shown += isinstance(frame, VideoFrame)
                    if shown == 25:
                        until.set()
        assert 25 <= shown == stream.stats.frames_sent < 50
        assert stream.end_reason == "input_ended"
