"""The end of a stream is one thing, a failure another."""

import math
import socket
import threading
import time
from typing import Any

import pytest
from scripted_servers import NOT_FOUND, Do, answer, begun, ended, missing, scripted, segment

from livepeer.trickle import ChannelNotFoundError, ProtocolError, RefusedError, Subscriber, UnreachableError

from .conftest import Collect


def test_the_stream_ends_where_the_channel_was_deleted(collect: Collect):
    with scripted({"-2": [segment(0, b"a", b"b")], "1": [segment(1, b"c")], "2": [ended(2)]}) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"ab", 1: b"c"}
    assert reading.failure is None
    assert reading.latest == 1
    assert server.asked == ["-2", "1", "2"]


def test_the_stream_ends_where_the_channel_is_not_found_after_it_was(collect: Collect):
    with scripted({"-2": [segment(0, b"a")], "1": [NOT_FOUND]}) as server:
        reading = collect(server.url, wait_seconds=60)
    assert reading.data == {0: b"a"}
    assert reading.failure is None


def test_a_channel_that_is_not_there_is_a_failure(collect: Collect):
    with scripted({"-2": [NOT_FOUND]}) as server:
        reading = collect(server.url)
    assert isinstance(reading.failure, ChannelNotFoundError)
    assert reading.failure.url == server.url


def test_a_channel_that_appears_in_time_is_read(collect: Collect):
    with scripted({"-2": [NOT_FOUND, NOT_FOUND, NOT_FOUND, segment(0, b"a")], "1": [ended(1)]}) as server:
        reading = collect(server.url, wait_seconds=5)
    assert reading.data == {0: b"a"}
    assert reading.failure is None


def test_a_channel_that_does_not_appear_in_time_is_a_failure(collect: Collect):
    with scripted({"-2": [NOT_FOUND]}) as server:
        reading = collect(server.url, wait_seconds=0.05)
    assert isinstance(reading.failure, ChannelNotFoundError)
    assert len(server.asked) > 1


def test_a_channel_that_was_lost_with_its_server_is_no_end(collect: Collect):
    with scripted({"-2": [segment(0, b"a")], "1": [Do.DROP, NOT_FOUND]}) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"a"}
    assert isinstance(reading.failure, ChannelNotFoundError)
    assert reading.stats is not None
    assert reading.stats.reconnections == 1


def test_a_channel_that_was_lost_with_its_server_may_come_back(collect: Collect):
    script = {"-2": [segment(0, b"a")], "1": [Do.DROP, NOT_FOUND, NOT_FOUND, segment(1, b"b")], "2": [NOT_FOUND]}
    with scripted(script) as server:
        reading = collect(server.url, wait_seconds=5)
    assert reading.data == {0: b"a", 1: b"b"}
    assert reading.failure is None, "it came back, so that its going is an end again"


def test_a_server_that_was_never_reached_is_a_failure_at_once(collect: Collect):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    reading = collect(f"http://127.0.0.1:{port}/c", retry_seconds=math.inf)
    assert isinstance(reading.failure, UnreachableError)
    assert str(port) in str(reading.failure)


def test_a_server_that_was_never_reached_is_waited_for_in_vain_for_so_long_by_who_waits_for_the_channel(
    collect: Collect,
):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    begun = time.monotonic()
    reading = collect(f"http://127.0.0.1:{port}/c", retry_seconds=0.2, wait_seconds=1)
    assert isinstance(reading.failure, UnreachableError)
    assert time.monotonic() - begun >= 0.2


def test_a_server_that_breaks_every_connection_is_a_failure_in_time(collect: Collect):
    with scripted({"-2": [Do.DROP]}) as server:
        reading = collect(server.url, retry_seconds=0.1)
    assert isinstance(reading.failure, UnreachableError)
    assert len(server.asked) > 1


def test_a_connection_that_breaks_is_made_again(collect: Collect):
    script = {
        "-2": [Do.DROP, (b"HTTP/1.1 200 OK\r\nLp-", Do.DROP), segment(0, b"a")],
        "1": [Do.DROP, segment(1, b"b")],
        "2": [ended(2)],
    }
    with scripted(script) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"a", 1: b"b"}
    assert reading.failure is None
    assert reading.stats is not None
    assert reading.stats.reconnections == 3


@pytest.mark.parametrize("status", [400, 401, 403, 500, 503, 302])
def test_an_answer_that_refuses_is_a_failure(collect: Collect, status: int):
    with scripted({"-2": [answer(status, "not for you\n")]}) as server:
        reading = collect(server.url)
    assert isinstance(reading.failure, RefusedError)
    assert reading.failure.status == status
    assert "not for you" in str(reading.failure)


GARBAGE: dict[str, bytes] = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "no number of the segment": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\na",
    "another segment": segment(7, b"a"),
    "a negative number": answer(200, "a", seq=-4),
    "no number of the next one": b"HTTP/1.1 470 no\r\nContent-Length: 0\r\n\r\n",
    "a head without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
def test_garbage_is_a_failure(collect: Collect, garbage: bytes):
    with scripted({"3": [(garbage, Do.SILENT)]}) as server:
        reading = collect(server.url, start=3)
    assert isinstance(reading.failure, ProtocolError)


def test_a_server_that_is_no_trickle_server_is_a_failure(collect: Collect):
    with scripted({"next": [answer(200, "<html>")]}) as server:
        reading = collect(server.url, start="next")
    assert isinstance(reading.failure, ProtocolError)


def test_interim_answers_mean_nothing(collect: Collect):
    interim = b"HTTP/1.1 100 Continue\r\n\r\n" * 3 + b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
    with scripted({"-2": [interim + segment(0, b"a")], "1": [(interim, ended(1))]}) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"a"}
    assert reading.failure is None


def test_an_answer_that_comes_byte_by_byte_is_read(collect: Collect):
    steps = tuple(bytes([byte]) for byte in segment(0, b"abc", b"de"))
    with scripted({"-2": [steps], "1": [ended(1)]}) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"abcde"}


def test_a_body_that_ends_with_the_connection_is_whole(collect: Collect):
    unsized = b"HTTP/1.1 200 OK\r\nLp-Trickle-Seq: 0\r\n\r\nabc"
    with scripted({"-2": [(unsized, Do.DROP)], "1": [ended(1)]}) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"abc"}
    assert reading.failure is None


def test_nothing_is_asked_after_a_failure():
    with scripted({"-2": [answer(403, "no")]}) as server, Subscriber(server.url) as subscriber:
        for _ in range(3):
            with pytest.raises(RefusedError):
                next(subscriber)
        assert server.asked == ["-2"]


CUT: dict[str, tuple[bytes, tuple[Any, ...]]] = {
    "between chunks": (b"abc", (Do.DROP,)),
    "in a chunk": (b"abcde", (b"5\r\nde", Do.DROP)),
    "in a chunk's size": (b"abc", (b"5", Do.DROP)),
    "before its last line": (b"abc", (b"0\r\n", Do.DROP)),
    "by a broken chunk": (b"abc", (b"x!\r\n", Do.SILENT)),
}


@pytest.mark.parametrize(("came", "steps"), CUT.values(), ids=CUT)
def test_a_segment_that_is_cut_is_told_and_the_next_one_read(collect: Collect, came: bytes, steps: tuple[Any, ...]):
    with scripted({"-2": [(begun(0, b"abc"), "1", *steps)], "1": [segment(1, b"f")], "2": [ended(2)]}) as server:
        reading = collect(server.url)
    first, second = reading.segments
    assert first.data == came
    assert first.interrupted is not None
    assert first.interrupted.seq == 0
    assert first.interrupted.bytes_read == len(came)
    assert second.data == b"f"
    assert reading.failure is None
    assert reading.stats is not None
    assert reading.stats.interrupted == 1


def test_a_segment_whose_publisher_has_gone_is_given_up_when_the_next_one_has_begun(collect: Collect):
    begin = threading.Event()
    script = {"-2": [(begun(0, b"abc"), Do.SILENT)], "1": [(begin, segment(1, b"d"))], "2": [ended(2)]}
    with scripted(script) as server:
        timer = threading.Timer(0.3, begin.set)
        timer.start()
        reading = collect(server.url, abandon_seconds=0.05)
        timer.join()
    first, second = reading.segments
    assert first.data == b"abc"
    assert first.interrupted is not None
    assert second.data == b"d"


def test_a_segment_is_given_up_when_the_next_one_has_come_and_gone(collect: Collect):
    script = {"-2": [(begun(0, b"abc"), Do.SILENT)], "1": [missing(1, 3)], "2": [segment(2, b"d")], "3": [ended(3)]}
    with scripted(script) as server:
        reading = collect(server.url, abandon_seconds=0.05)
    assert reading.segments[0].interrupted is not None
    assert reading.segments[1].data == b"d"
    assert reading.segments[1].gap is not None
    assert reading.segments[1].gap.count == 1


def test_a_silent_segment_is_waited_for_while_the_channel_stands_still(collect: Collect):
    asked_often, sent = threading.Event(), threading.Event()
    script = {
        "-2": [(begun(0, b"abc"), asked_often, b"1\r\nd\r\n0\r\n\r\n", sent.set)],
        "1": [missing(1, 1), missing(1, 1), Do.SILENT, Do.SILENT, (asked_often.set, sent, ended(1))],
    }
    with scripted(script) as server:
        reading = collect(server.url, abandon_seconds=0.05, refresh_seconds=0.1)
    assert reading.data == {0: b"abcd"}
    assert reading.segments[0].interrupted is None
    assert reading.failure is None


def test_a_silent_segment_breaks_off_when_its_server_cannot_be_reached_any_more(collect: Collect):
    hold = threading.Event()
    with scripted({"-2": [(begun(0, b"abc"), hold)], "1": [Do.DROP]}) as server:
        reading = collect(server.url, abandon_seconds=0.05, retry_seconds=0.2)
        hold.set()
    assert reading.segments[0].interrupted is not None
    assert isinstance(reading.failure, UnreachableError)
