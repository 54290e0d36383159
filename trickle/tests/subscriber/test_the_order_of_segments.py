"""Which segments are asked for, and what is told of those that were missed."""

import threading

import pytest
from scripted_servers import Do, Script, empty, ended, missing, next_is, scripted, segment

from livepeer.trickle import FellBehindError, Gap, Subscriber

from .conftest import Collect


@pytest.mark.parametrize(
    ("start", "script", "asked"),
    [
        ("current", {"-2": [segment(4, b"a", latest=5)], "5": [ended(5)]}, ["-2", "5"]),
        ("next", {"next": [next_is(5)], "5": [ended(5)]}, ["next", "5"]),
        (7, {"7": [segment(7, b"a", latest=9)], "8": [ended(8)]}, ["7", "8"]),
        (0, {"0": [ended(0)]}, ["0"]),
        ("earliest", {"next": [next_is(2)], "0": [ended(0)]}, ["next", "0"]),
        (
            "earliest",
            {"next": [next_is(9)], "4": [missing(4, 9)], "5": [missing(5, 9)], "6": [ended(6)]},
            ["next", "4", "5", "6"],
        ),
    ],
)
def test_it_starts_where_it_should(collect: Collect, start: int | str, script: Script, asked: list[str]):
    with scripted(script) as server:
        reading = collect(server.url, start=start)
    assert server.asked == asked
    assert reading.failure is None
    assert all(seen.gap is None for seen in reading.segments)


def test_the_next_segment_is_asked_for_as_soon_as_one_has_begun(collect: Collect):
    head, rest = segment(0, b"abc")[:-5], b"0\r\n\r\n"
    with scripted({"-2": [(head, "1", rest)], "1": [ended(1)]}) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"abc"}, "the rest came only once the next one had been asked for"


def test_connections_are_used_again(collect: Collect):
    script = {"-2": [segment(0, b"a")], **{str(seq): [segment(seq, b"a")] for seq in range(1, 50)}, "50": [ended(50)]}
    with scripted(script) as server:
        reading = collect(server.url)
        assert server.most_connections <= 2
    assert len(reading.segments) == 50


def test_a_closed_connection_is_not_used_again(collect: Collect):
    closing = segment(0, b"a").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
    with scripted({"-2": [(closing, Do.DROP)], "1": [segment(1, b"b")], "2": [ended(2)]}) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"a", 1: b"b"}
    assert reading.stats is not None
    assert reading.stats.reconnections == 0


@pytest.mark.parametrize(
    ("lag", "asked", "seq", "gap"),
    [
        ("latest", ["-2", "1", "8"], 8, Gap(first=1, last=7)),
        ("earliest", ["-2", "1", "4", "5"], 5, Gap(first=1, last=4)),
    ],
)
def test_a_reader_that_fell_behind_is_told_what_it_missed(
    collect: Collect, lag: str, asked: list[str], seq: int, gap: Gap
):
    script = {
        "-2": [segment(0, b"a")],
        "1": [missing(1, 9)],
        "4": [missing(4, 9)],
        "5": [segment(5, b"e", latest=9)],
        "8": [segment(8, b"h", latest=9)],
    }
    with scripted(script) as server:
        reading = collect(server.url, lag=lag, count=2)
    assert server.asked[: len(asked)] == asked
    assert [(seen.seq, seen.gap) for seen in reading.segments] == [(0, None), (seq, gap)]
    assert reading.stats is not None
    assert (reading.stats.gaps, reading.stats.missed) == (1, gap.count)


def test_a_reader_that_wants_every_segment_fails_when_it_fell_behind(collect: Collect):
    with scripted({"-2": [segment(0, b"a")], "1": [missing(1, 9)]}) as server:
        reading = collect(server.url, lag="fail")
    assert isinstance(reading.failure, FellBehindError)
    assert reading.failure.gap == Gap(first=1, last=8)
    assert reading.latest == 8
    assert reading.stats is not None
    assert reading.stats.missed == 8


def test_a_reader_that_falls_behind_while_it_catches_up_is_told_all_of_it_once(collect: Collect):
    script = {
        "-2": [segment(0, b"a")],
        "1": [missing(1, 9)],
        "8": [missing(8, 20)],
        "19": [missing(19, 20)],
        "20": [segment(20, b"b")],
        "21": [ended(21)],
    }
    with scripted(script) as server:
        reading = collect(server.url)
    assert server.asked == ["-2", "1", "8", "19", "20", "21"]
    assert reading.segments[1].gap == Gap(first=1, last=19)
    assert reading.stats is not None
    assert reading.stats.gaps == 1


def test_a_segment_without_bytes_is_skipped_and_is_no_gap(collect: Collect):
    script = {
        "-2": [segment(0, b"a")],
        "1": [empty(1, 2)],
        "2": [segment(2)],
        "3": [segment(3, b"d")],
        "4": [ended(4)],
    }
    with scripted(script) as server:
        reading = collect(server.url)
    assert reading.data == {0: b"a", 3: b"d"}
    assert all(seen.gap is None for seen in reading.segments)
    assert reading.stats is not None
    assert (reading.stats.segments, reading.stats.empty) == (2, 2)


def test_a_segment_that_was_ended_before_it_began_is_not_asked_for_again(collect: Collect):
    script = {"-2": [segment(0, b"a")], "1": [empty(1, 1)], "2": [missing(2, 1), segment(2, b"c")], "3": [ended(3)]}
    with scripted(script) as server:
        reading = collect(server.url)
    assert server.asked == ["-2", "1", "2", "2", "3"]
    assert reading.data == {0: b"a", 2: b"c"}
    assert reading.stats is not None
    assert reading.stats.restarts == 0


@pytest.mark.parametrize("latest", [99, 98, 96])
def test_segments_that_overtook_each_other_are_no_new_beginning(collect: Collect, latest: int):
    script = {"-2": [segment(98, b"a")], "99": [missing(99, latest), segment(99, b"b")], "100": [ended(100)]}
    with scripted(script) as server:
        reading = collect(server.url)
    assert [(seen.seq, seen.restarted) for seen in reading.segments] == [(98, False), (99, False)]
    assert server.asked == ["-2", "99", "99", "100"]


@pytest.mark.parametrize("answer", [missing(101, 1), empty(101, 1)], ids=["missing", "empty"])
def test_a_publisher_that_begins_anew_is_found_in_one_round_trip(collect: Collect, answer: bytes):
    script = {"-2": [segment(100, b"a")], "101": [answer], "0": [segment(0, b"b")], "1": [ended(1)]}
    with scripted(script) as server:
        reading = collect(server.url)
    assert server.asked == ["-2", "101", "0", "1"]
    assert [(seen.seq, seen.restarted, seen.gap) for seen in reading.segments] == [(100, False, None), (0, True, None)]
    assert reading.latest == 0
    assert reading.stats is not None
    assert reading.stats.restarts == 1


@pytest.mark.parametrize(
    ("lag", "seq", "gap"), [("latest", 6, Gap(first=0, last=5)), ("earliest", 3, Gap(first=0, last=2))]
)
def test_what_was_missed_of_a_new_beginning_is_told(collect: Collect, lag: str, seq: int, gap: Gap):
    script = {
        "-2": [segment(100, b"a")],
        "101": [missing(101, 7)],
        "2": [missing(2, 7)],
        str(seq): [segment(seq, b"b", latest=7)],
        str(seq + 1): [ended(seq + 1)],
    }
    with scripted(script) as server:
        reading = collect(server.url, lag=lag)
    assert [(seen.seq, seen.restarted, seen.gap) for seen in reading.segments[1:]] == [(seq, True, gap)]


def test_a_reader_that_wants_every_segment_takes_a_new_beginning_from_its_first(collect: Collect):
    script = {"-2": [segment(100, b"a")], "101": [missing(101, 3)], "0": [segment(0, b"b")], "1": [missing(1, 3)]}
    with scripted(script) as server:
        reading = collect(server.url, lag="fail")
    assert [seen.seq for seen in reading.segments] == [100, 0]
    assert isinstance(reading.failure, FellBehindError)


def test_a_server_that_comes_back_empty_begins_anew_however_low_the_numbers_are(collect: Collect):
    script = {"-2": [segment(2, b"a")], "3": [Do.DROP, missing(3, 1)], "0": [segment(0, b"b")], "1": [ended(1)]}
    with scripted(script) as server:
        reading = collect(server.url)
    assert [(seen.seq, seen.restarted) for seen in reading.segments] == [(2, False), (0, True)]


def test_a_number_that_the_channel_has_yet_to_reach_is_waited_for(collect: Collect):
    script = {"7": [missing(7, 3), missing(7, 5), segment(7, b"a")], "8": [ended(8)]}
    with scripted(script) as server:
        reading = collect(server.url, start=7)
    assert [(seen.seq, seen.restarted, seen.gap) for seen in reading.segments] == [(7, False, None)]


def test_a_silent_channel_is_asked_again_and_again(collect: Collect):
    with scripted({"-2": [Do.SILENT], "0": [Do.SILENT, Do.SILENT, segment(0, b"a")], "1": [ended(1)]}) as server:
        reading = collect(server.url, refresh_seconds=0.05)
    assert server.asked == ["-2", "0", "0", "0", "1"]
    assert reading.data == {0: b"a"}
    assert reading.failure is None
    assert reading.stats is not None
    assert reading.stats.refreshes == 3
    assert reading.stats.reconnections == 0


def test_a_segment_of_any_length_is_read_while_the_next_one_is_silent(collect: Collect):
    chunks = tuple(step for _ in range(10) for step in (b"1\r\nx\r\n", lambda: pause(0.02)))
    script = {"-2": [(segment(0, b"a")[:-5], *chunks, b"0\r\n\r\n")], "1": [Do.SILENT] * 9 + [ended(1)]}
    with scripted(script) as server:
        reading = collect(server.url, refresh_seconds=0.05, abandon_seconds=0.04)
        assert server.most_connections <= 3
    assert reading.data[0] == b"a" + b"x" * 10
    assert reading.stats is not None
    assert reading.stats.refreshes >= 1


def pause(seconds: float) -> None:
    threading.Event().wait(seconds)


@pytest.mark.parametrize(
    "options",
    [
        {"start": -1},
        {"start": "now"},
        {"start": True},
        {"start": 1.5},
        {"lag": "skip"},
        {"max_buffered_bytes": 0},
        {"refresh_seconds": 0},
        {"retry_seconds": -1},
        {"headers": {"Host": "x"}},
        {"headers": {"X": "a\r\nb"}},
    ],
)
def test_what_cannot_be_used_is_said_at_once(options: dict[str, object]):
    with pytest.raises(ValueError, match=r"\w"):
        Subscriber("http://127.0.0.1:1/c", **options)  # type: ignore[arg-type]


def test_headers_go_with_every_request(collect: Collect):
    with scripted({"next": [next_is(0)], "0": [segment(0, b"a")], "1": [ended(1)]}) as server:
        collect(server.url + "?token=1", start="next", headers={"Authorization": "Bearer x"})
    assert len(server.heads) == 3
    for head in server.heads:
        assert b"Authorization: Bearer x\r\n" in head
        assert b"?token=1 HTTP/1.1\r\n" in head
