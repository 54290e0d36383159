"""Input that is damaged, or partly missing."""

import random
import threading
from collections.abc import Callable

import numpy as np
import pytest
from media_clips import LIMIT_SECONDS, Clip, look, make_clip, publish
from media_stages import Stage, split
from posting_server import Exchange, posting_server

from livepeer.trickle.media import BudgetSpentError, Muxer, VideoFrame

NONSENSE = b"\0\0\0\1\x41" + random.Random(1).randbytes(500)


def same(frame: VideoFrame) -> VideoFrame:
    return frame


def spoiled(clip: Clip, which: Callable[[int], bool]) -> Clip:
    """Return a clip of which some pictures, by their numbers, are nonsense."""
    segments: list[bytes] = []
    index = 0
    for segment in clip.segments:
        muxer = Muxer(video="h264", audio=None)
        segments.append(b"")
        for unit in split(segment, "video"):
            data = NONSENSE if which(index) else unit.data
            index += 1
            segments[-1] += muxer.write(
                "video", data, pts=unit.pts or 0, dts=unit.dts or 0, is_keyframe=unit.is_keyframe
            )
    return Clip(segments=segments)


def beheaded(segment: bytes, kind: str, number: int) -> bytes:
    """Return a segment in which one unit does not begin as its codec wants."""
    at = segment.index(split(segment, kind)[number].data[:40])
    return segment[:at] + b"\x55" * 8 + segment[at + 8 :]


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_copied_packet_that_cannot_be_carried_is_left_out(stage: Stage, kind: str) -> None:
    first, second = make_clip(noise=True).segments
    stage.start(**({"audio_hook": same} if kind == "video" else {"video": same}))
    stage.play(Clip(segments=[beheaded(first, kind, 7), second]))
    assert stage.wait_for_end().reason == "input_ended"
    data = stage.finish()
    assert len(split(data, kind)) == len(split(first + second, kind)) - 1
    assert stage.transform.stats.corrupt_packets == stage.count("packets_corrupt") == 1


def test_too_many_damaged_packets_of_a_copied_track_end_the_stream(stage: Stage) -> None:
    segment = make_clip(noise=True).segments[0]
    for number in (7, 9, 11):
        segment = beheaded(segment, "video", number)
    stage.start(audio_hook=same, packet_error_budget=0)
    stage.play(Clip(segments=[segment]))
    assert isinstance(stage.wait_for_end().error, BudgetSpentError)


def test_nonsense_is_counted_and_the_stream_goes_on(stage: Stage) -> None:
    after = stage.run(spoiled(make_clip(), lambda index: index % 10 == 5), video=same)
    assert len(after.pictures) == 54
    assert stage.transform.stats.corrupt_packets == stage.count("packets_corrupt") == 6


def test_too_much_nonsense_ends_the_stream(stage: Stage) -> None:
    stage.start(video=same, packet_error_budget=2)
    stage.play(spoiled(make_clip(), lambda index: index % 30 > 1))
    end = stage.wait_for_end()
    assert end.reason == "failed"
    assert isinstance(end.error, BudgetSpentError)
    assert stage.transform.stats.corrupt_packets == 3


def test_good_packets_pay_for_bad_ones(stage: Stage) -> None:
    after = stage.run(spoiled(make_clip(), lambda index: index % 5 == 3), video=same, packet_error_budget=1)
    assert len(after.pictures) == 48


def test_a_decoder_that_takes_nothing_is_opened_anew(stage: Stage) -> None:
    stage.start(video=same)
    publish(stage.input, spoiled(make_clip(), lambda index: 3 < index < 10))
    stage.wait_for_notice("codec_restarted")
    for number in range(1, 100):
        publish(stage.input, make_clip(seconds=1.0, start_seconds=10.0 + 2 * number, first_level=150))
        stage.wait_until_read(60 + 77 * number)
        if stage.transform.stats.frames_out > 60:
            break
    stage.input.close()
    stage.wait_for_end()
    assert max(stage.look().levels) > 150


def test_lost_packets_are_told_of(stage: Stage) -> None:
    segments: list[bytes] = []
    for segment in make_clip(noise=True, width=320, height=240).segments:
        packets = [segment[at : at + 188] for at in range(0, len(segment), 188)]
        segments.append(b"".join(packet for index, packet in enumerate(packets) if index % 500 != 200))
    after = stage.run(Clip(segments=segments), video=same)
    assert len(after.pictures) >= 55
    assert 5 < stage.transform.stats.corrupt_packets <= 20


def test_bytes_that_are_no_media_give_nothing_and_end_nothing(stage: Stage) -> None:
    garbage = Clip(segments=[random.Random(2).randbytes(50_000)])
    stage.start(video=same)
    stage.send(garbage.data)
    stage.play(make_clip())
    assert stage.wait_for_end().reason == "input_ended"
    assert len(stage.look().pictures) == 60


@pytest.mark.parametrize("hooks", [{"video": same}, {"audio_hook": same}], ids=["hooked", "copied"])
def test_it_begins_with_a_keyframe(stage: Stage, hooks: dict[str, object]) -> None:
    """Of two seconds the first keyframe is missing: what depends on it is left out."""
    first, second = make_clip().segments
    units = len(split(first, "video"))
    headless = first[: 188 * 2] + first[188 * 12 :]
    after = stage.run(Clip(segments=[headless, second]), **hooks)
    assert len(after.pictures) == 30 < units + 30
    assert split(stage.collector.data, "video")[0].is_keyframe


def test_missed_segments_are_told_of_and_it_goes_on_with_a_keyframe(stage: Stage) -> None:
    """The hook holds the reading up until the server has dropped what it had not read yet."""
    entered, release = threading.Event(), threading.Event()

    def hold(frame: VideoFrame) -> VideoFrame:
        entered.set()
        assert release.wait(LIMIT_SECONDS)
        return frame

    stage.start(video=hold)
    clips = [
        make_clip(seconds=2.0, rate=30, noise=True, width=320, height=240, start_seconds=10.0 + 2 * i) for i in range(8)
    ]
    stage.send(clips[0].data)
    assert entered.wait(LIMIT_SECONDS)
    for clip in clips[1:]:
        stage.send(clip.data)
    release.set()
    stage.wait_for_notice("segments_lost")
    stage.wait_for(lambda: stage.transform.stats.lost_segments > 0)
    stage.input.close()
    stage.wait_for_end()
    seen = look(stage.finish())
    assert not any(each.is_corrupt for each in seen.pictures)
    assert min(np.diff(seen.video_pts)) > 0
    assert stage.transform.stats.lost_segments >= 1


def test_a_segment_of_the_output_that_is_refused_after_its_end_is_told_of(stage: Stage) -> None:
    def refuse(exchange: Exchange) -> None:
        exchange.read_body()
        exchange.answer(500, "no more room")

    with posting_server({"POST 0": [refuse]}) as output:
        stage.out_url = output.url
        stage.start(video=same, segment_seconds=1.0)
        stage.send(b"".join(make_clip(seconds=3.0).segments))
        notice = stage.wait_for_notice("segments_lost")
        assert "no more room" in notice.detail
        assert notice.data == {"count": 1, "side": "output"}
        assert stage.transform.stop()
