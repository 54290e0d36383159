"""The live examples, each with a clip, and what comes back of it."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from livepeer.core import InvalidInputError, Target
from livepeer.runner import LiveCapability, PipelineAdapter
from livepeer.runner._live.capability import Sessions
from livepeer.runner.frames import MediaSettings
from livepeer.trickle import AsyncPublisher

from .clips import RATE, TONE_HZ, look_into, make_clip
from .streams import Media, Network, cut, refusal, running, transformed

EXAMPLES = Path(__file__).parents[4] / "examples"


def load(name: str) -> Sessions:
    """An example's sessions; no frame is dropped, however busy the machine is."""
    capability = PipelineAdapter().load(Target.parse(str(EXAMPLES / name)))
    assert isinstance(capability, LiveCapability)
    assert capability.info.name == name.replace("_", "-")
    assert capability.info.version == "1.0.0"
    capability._pipeline.media = MediaSettings(max_age_seconds=math.inf)  # type: ignore[misc]
    return capability.live


async def test_grayscale_takes_the_colour_and_keeps_the_brightness_and_the_sound(network: Network) -> None:
    clip = make_clip(2.0, audio=True)
    output, _ = await transformed(network, load("live_grayscale"), clip)
    before, after = look_into(clip), look_into(output)
    assert len(after.pictures) == 2 * RATE
    np.testing.assert_allclose(np.diff(after.times), 1 / RATE, atol=0.001)
    luma = 0.299 * 200 + 0.587 * 60 + 0.114 * 40
    for number in (0, 30, 49):
        np.testing.assert_allclose(after.mean(number), [luma] * 3, atol=4)
        assert after.pictures[number][84:92, : number - 4].mean() > 225 or number < 10
    assert abs(after.level - before.level) < 0.1
    assert abs((after.sound_begins or 0) - after.times[0] - ((before.sound_begins or 0) - before.times[0])) < 0.03


async def test_passthrough_sends_back_every_byte(network: Network) -> None:
    clip = make_clip(2.0, audio=True)
    output, session = await transformed(network, load("live_passthrough"), clip)
    assert output == b"".join(cut(clip))
    assert session.reports[-1].reason == "input_ended"


async def test_loudness_measures_levels_and_peaks(network: Network) -> None:
    output, session = await transformed(network, load("live_loudness"), make_clip(2.0, audio=True))
    await session.data.wait_until(lambda line: line["seconds"] > 1.4)
    levels = session.data.messages[:4]
    for line in levels[1:]:
        assert line["rms_dbfs"] == pytest.approx(-12.04, abs=0.3)
        assert line["peak_dbfs"] == pytest.approx(-9.03, abs=0.5)
    begins = [line["seconds"] for line in levels]
    np.testing.assert_allclose(np.diff(begins), 0.5, atol=0.025)
    assert {line["type"] for line in session.data.messages} == {"level"}
    heard = look_into(output)
    assert heard.level == pytest.approx(-12.04, abs=0.3)
    spectrum = np.abs(np.fft.rfft(heard.sound))
    assert abs(np.argmax(spectrum) * 48_000 / len(heard.sound) - TONE_HZ) < 5


async def test_loudness_tells_where_a_silence_begins_and_ends(network: Network) -> None:
    clip = make_clip(3.0, audio=True, silent=(1.0, 2.0))
    begin = look_into(clip).sound_begins or 0.0
    _, session = await transformed(
        network, load("live_loudness"), clip, params={"silence_seconds": 0.3, "interval_seconds": 10}
    )
    await session.data.wait_for(type="level")
    assert [line["type"] for line in session.data.messages] == ["silence_began", "silence_ended", "level"]
    began, ended, _ = session.data.messages
    assert began["seconds"] - begin == pytest.approx(1.0, abs=0.06)
    assert ended["seconds"] - begin == pytest.approx(2.0, abs=0.06)


async def test_loudness_needs_neither_output_nor_video(network: Network) -> None:
    start = network.open("subscribe", "data")
    async with running(load("live_loudness"), start) as session:
        async with AsyncPublisher(start.subscribe_url or "", create=False) as publisher:
            await network.feed(publisher, start.subscribe_url, cut(make_clip(1.0, video=False, audio=True)))
        assert (await session.end()).reason == "input_ended"
        level = await session.data.wait_for(type="level")
    assert level["rms_dbfs"] == pytest.approx(-12.04, abs=1)


async def test_overlay_lies_where_the_params_say(network: Network) -> None:
    params = {"x": 0.5, "y": 0.25, "width": 0.25, "height": 0.25, "colour": "#0000ff", "opacity": 0.5}
    output, _ = await transformed(network, load("live_overlay"), make_clip(1.0), params=params)
    content = look_into(output)
    assert len(content.pictures) == RATE
    picture = content.pictures[RATE // 2]
    inside = picture[28:44, 84:116].mean(axis=(0, 1))
    np.testing.assert_allclose(inside, [100, 30, 148], atol=8)
    for beside in (picture[28:44, 40:76], picture[2:20, 84:116], picture[52:72, 84:116]):
        np.testing.assert_allclose(beside.mean(axis=(0, 1)), [200, 60, 40], atol=6)


async def test_overlay_moves_while_the_stream_runs(network: Network) -> None:
    whole = {"x": 0, "y": 0, "width": 1, "height": 1, "colour": "#00ff00"}
    start = network.open("subscribe", "publish", "events", params=whole | {"opacity": 0})
    output = Media(start.publish_url or "")
    segments = cut(make_clip(2.0))
    async with running(load("live_overlay"), start) as session:
        await session.tasks.start(output.read)
        async with AsyncPublisher(start.subscribe_url or "", create=False) as publisher:
            await publisher.publish(segments[0])
            await session.events.wait_for(type="notice", kind="output_started")
            await output.wait_for_pictures(RATE)
            await session.live.update("cam", whole | {"opacity": 1})
            await network.feed(publisher, start.subscribe_url, segments[1:])
        await session.end()
    content = look_into(network.content(start.publish_url))
    np.testing.assert_allclose(content.mean(RATE - 1), [200, 60, 40], atol=6)
    np.testing.assert_allclose(content.mean(RATE), [0, 255, 0], atol=12)


@pytest.mark.parametrize(
    ("params", "field"),
    [({"x": 2}, "x"), ({"colour": "red"}, "colour"), ({"opacity": "much"}, "opacity"), ({"z": 1}, "z")],
)
async def test_overlay_refuses_params_that_make_no_sense(network: Network, params: Any, field: str) -> None:
    error = await refusal(load("live_overlay"), network.open("events", params=params))
    assert isinstance(error, InvalidInputError)
    assert [each.field for each in error.errors] == [field]
