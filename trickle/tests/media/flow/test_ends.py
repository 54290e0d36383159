"""How a stream starts and ends, and that nothing is left of it."""

import socket
import threading
from collections.abc import Callable

import pytest
from media_clips import LIMIT_SECONDS, look, make_clip, publish
from media_stages import Stage

from livepeer.trickle import ChannelNotFoundError, ClosedError, Publisher
from livepeer.trickle.media import MediaEnd, MediaHooks, MediaSettings, MediaTransform, VideoFrame


def same(frame: VideoFrame) -> VideoFrame:
    return frame


HOOKS = pytest.mark.parametrize("hooks", [{}, {"video": same}], ids=["relay", "hooked"])


def unused(argument: object) -> None:
    raise AssertionError(f"this is not called, but was with {argument}")


@pytest.mark.parametrize("missing", ["subscribe_url", "publish_url"])
def test_a_channel_that_is_not_there_is_told_of_at_the_start(stage: Stage, missing: str) -> None:
    urls = {"subscribe_url": stage.in_url, "publish_url": stage.out_url, missing: f"{stage.server.base_url}/nowhere"}
    transform = MediaTransform(MediaHooks(), **urls, on_notice=unused, on_end=unused)
    with pytest.raises(ChannelNotFoundError):
        transform.start()
    assert transform.stop()


@HOOKS
def test_the_end_of_the_input_ends_it_after_all_was_sent(stage: Stage, hooks: dict[str, Callable[..., object]]) -> None:
    stage.start(**hooks)
    stage.play(make_clip())
    assert stage.wait_for_end() == MediaEnd(reason="input_ended")
    assert len(stage.look().pictures) == 60


@HOOKS
def test_an_output_that_is_deleted_ends_it(stage: Stage, hooks: dict[str, Callable[..., object]]) -> None:
    stage.start(**hooks)
    publish(stage.input, make_clip(seconds=1.0))
    stage.wait_for_notice("output_started")
    stage.output.close()
    publish(stage.input, make_clip(seconds=2.0, start_seconds=11.0))
    end = stage.wait_for_end()
    assert end.reason == "channel_closed"
    assert end.error is not None


@HOOKS
def test_an_input_that_is_silent_for_too_long_ends_it(stage: Stage, hooks: dict[str, Callable[..., object]]) -> None:
    stage.start(idle_seconds=0.5, **hooks)
    publish(stage.input, make_clip(seconds=1.0))
    stage.wait_for_notice("output_started")
    assert stage.wait_for_end() == MediaEnd(reason="idle")


@HOOKS
@pytest.mark.parametrize("moment", ["before", "between", "after"])
def test_it_can_be_stopped_at_any_time(stage: Stage, hooks: dict[str, Callable[..., object]], moment: str) -> None:
    transform = stage.start(**hooks)
    if moment != "before":
        publish(stage.input, make_clip(seconds=1.0))
        stage.wait_for_notice("output_started")
    if moment == "after":
        stage.input.close()
        stage.wait_for_end()
    assert transform.stop()
    assert transform.stop()
    assert [each.reason for each in stage.ends] == ["input_ended" if moment == "after" else "stopped"]


def test_what_was_made_before_the_stop_is_sent(stage: Stage) -> None:
    made = threading.Semaphore(0)

    def count(frame: VideoFrame) -> VideoFrame:
        made.release()
        return frame

    transform = stage.start(video=count)
    publish(stage.input, make_clip(seconds=1.0))
    for _ in range(20):
        assert made.acquire(timeout=LIMIT_SECONDS)
    assert transform.stop()
    assert len(stage.look().pictures) >= 20


def test_a_stop_before_the_start_is_nothing(stage: Stage) -> None:
    transform = MediaTransform(MediaHooks(), subscribe_url=stage.in_url, on_notice=unused, on_end=unused)
    assert transform.stop()


def test_a_stop_during_the_start_leaves_the_output_alone() -> None:
    def start() -> None:
        with pytest.raises(ClosedError, match="stopped before it began"):
            transform.start()
        refused.set()

    refused = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as slow, socket.create_server(("127.0.0.1", 0)) as output:
        urls = [f"http://127.0.0.1:{each.getsockname()[1]}/cam" for each in (slow, output)]
        transform = MediaTransform(
            MediaHooks(), subscribe_url=urls[0], publish_url=urls[1], on_notice=unused, on_end=unused
        )
        starting = threading.Thread(target=start)
        starting.start()
        slow.settimeout(LIMIT_SECONDS)
        connection, _ = slow.accept()
        with connection:
            assert transform.stop()
            connection.sendall(b"HTTP/1.1 200 OK\r\nLp-Trickle-Latest: 0\r\nContent-Length: 0\r\n\r\n")
            starting.join(LIMIT_SECONDS)
        assert refused.is_set()
        output.setblocking(False)
        with pytest.raises(BlockingIOError):
            output.accept()


def test_a_stop_on_the_hook_thread_does_not_wait_for_itself(stage: Stage) -> None:
    answers: list[bool] = []
    transform = stage.start(video=same)
    transform.post(lambda: answers.append(transform.stop()))
    assert stage.wait_for_end().reason == "stopped"
    assert transform.stop()
    assert answers == [False]


def test_a_stop_does_not_wait_for_a_hook_that_hangs(stage: Stage) -> None:
    entered, release = threading.Event(), threading.Event()

    def hang(frame: VideoFrame) -> VideoFrame:
        entered.set()
        assert release.wait(LIMIT_SECONDS)
        return frame

    transform = stage.start(video=hang)
    publish(stage.input, make_clip(seconds=1.0))
    assert entered.wait(LIMIT_SECONDS)
    assert not transform.stop(timeout_seconds=0.2)
    assert not stage.ends
    release.set()
    assert transform.stop()
    assert [each.reason for each in stage.ends] == ["stopped"]


def test_what_is_posted_runs_from_before_the_start_until_after_the_end(stage: Stage) -> None:
    ran: list[str] = []
    done = threading.Event()

    def note(frame: VideoFrame) -> None:
        ran.append("frame")

    transform = MediaTransform(
        MediaHooks(video=note),
        subscribe_url=stage.in_url,
        settings=MediaSettings(start="earliest"),
        on_notice=lambda notice: None,
        on_end=lambda end: (ran.append(end.reason), transform.post(lambda: (ran.append("last"), done.set()))),
    )
    transform.post(lambda: ran.append("first"))
    publish(stage.input, make_clip(seconds=1.0))
    transform.start()
    stage.transform = transform
    stage.wait_until_read(70)
    stage.input.close()
    assert done.wait(LIMIT_SECONDS)
    assert transform.stop()
    assert ran[0] == "first"
    assert ran[-2:] == ["input_ended", "last"]
    assert set(ran[1:-2]) == {"frame"}


def test_what_is_posted_may_fail_and_the_stream_goes_on(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    transform = stage.start(video=same)
    transform.post(lambda: unused(1))
    stage.play(make_clip())
    assert stage.wait_for_end().reason == "input_ended"
    assert "what was posted to the hook thread raised" in caplog.text


def test_without_any_channel_the_hook_thread_lives_until_the_stop() -> None:
    ran = threading.Event()
    ends: list[MediaEnd] = []
    transform = MediaTransform(MediaHooks(), on_notice=unused, on_end=ends.append)
    transform.start()
    transform.post(ran.set)
    assert ran.wait(LIMIT_SECONDS)
    assert not ends
    assert transform.stop()
    assert ends == [MediaEnd(reason="stopped")]


def test_a_publisher_that_starts_anew_goes_on(stage: Stage) -> None:
    stage.start(video=same)
    publish(stage.input, make_clip(seconds=1.0))
    stage.wait_until_read(70)
    again = Publisher(stage.in_url, create=False, delete=False)
    again.start()
    publish(again, make_clip(seconds=1.0, first_level=150))
    stage.wait_until_read(140)
    again.close()
    stage.input.close()
    stage.wait_for_end()
    seen = look(stage.finish())
    assert len(seen.pictures) == 60
    assert seen.levels[-1] > 150
    assert min(b - a for a, b in zip(seen.video_pts, seen.video_pts[1:], strict=False)) > 0
