"""Reading channels, as others write them, in both flavours."""

import logging
from typing import Any

import pytest
from anyio import fail_after
from raw_posts import break_off, delete, post

from livepeer.trickle import (
    AsyncJSONLReader,
    ChannelNotFoundError,
    FellBehindError,
    Gap,
    JSONLReader,
    LineError,
    UnreachableError,
)

EVERYTHING = [None, True, -1.5, "ö\u2028", [1, [2]], {"a": {"b": None}}, {}, ""]
LINES = b'null\ntrue\n-1.5\n"\xc3\xb6\xe2\x80\xa8"\n[1,[2]]\n{"a":{"b":null}}\n{}\n""\n'


def read(url: str, count: int, **options: Any) -> list[Any]:
    with JSONLReader(url, **options) as reader:
        return [next(reader) for _ in range(count)]


def test_any_json_value_is_a_message(url: str):
    post(url, LINES)
    assert read(url, len(EVERYTHING)) == EVERYTHING


async def test_any_json_value_is_a_message_in_an_event_loop(url: str):
    post(url, LINES)
    with fail_after(10):
        async with AsyncJSONLReader(url) as reader:
            assert [await anext(reader) for _ in EVERYTHING] == EVERYTHING
            assert reader.stats.messages == len(EVERYTHING)


def test_the_iteration_ends_with_the_channel(url: str):
    post(url, b"1\n", b"2\n")
    with JSONLReader(url, start="earliest") as reader:
        assert next(reader) == 1
        assert next(reader) == 2
        delete(url)
        assert list(reader) == []
        assert list(reader) == []


async def test_the_iteration_ends_with_the_channel_in_an_event_loop(url: str):
    post(url, b"1\n", b"2\n")
    with fail_after(10):
        async with AsyncJSONLReader(url, start="earliest") as reader:
            async for message in reader:
                if message == 2:
                    break
            delete(url)
            assert [message async for message in reader] == []
            assert [message async for message in reader] == []


def test_an_iteration_goes_on_where_another_stopped(url: str):
    post(url, b"1\n2\n3\n")
    with JSONLReader(url) as reader:
        for message in reader:
            assert message == 1
            break
        assert next(iter(reader)) == 2
        assert next(reader) == 3


@pytest.mark.parametrize("content_type", ["application/jsonl", "application/json", ""])
def test_one_message_a_segment_needs_no_newline(url: str, content_type: str):
    post(url, b'{"event":1}', b'{"event":2}', b'{"event":3}', content_type=content_type)
    assert read(url, 3, start=0) == [{"event": 1}, {"event": 2}, {"event": 3}]


def test_a_json_segment_may_have_several_lines(url: str):
    post(url, b'{\n  "a": [\n    1\n  ]\n}\n', b"[\n1,\n2]", content_type="application/json")
    assert read(url, 2, start=0) == [{"a": [1]}, [1, 2]]


def test_an_empty_segment_is_no_matter(url: str):
    post(url, b"1\n", b"", b"\n\n", b"2\n")
    assert read(url, 2, start=0) == [1, 2]


def test_a_segment_has_no_largest_size_and_neither_have_its_messages_together(url: str):
    line = b'"' + b"x" * 1000 + b'"\n'
    post(url, line * 5000)
    assert read(url, 5000) == ["x" * 1000] * 5000


def test_a_bad_line_is_reported_where_it_is_and_left_out(url: str):
    errors: list[LineError] = []
    post(url, b"1\n{oops\n2\n", b'"\xff"\n' + b"9" * 200 + b"\n3")
    with JSONLReader(url, start=0, on_bad_line=errors.append, max_line_bytes=100) as reader:
        assert next(reader) == 1
        assert errors == []
        assert next(reader) == 2
        assert [(error.seq, error.line) for error in errors] == [(0, b"{oops")]
        assert next(reader) == 3
        assert [(error.seq, error.line[:5]) for error in errors[1:]] == [(1, b'"\xff"'), (1, b"99999")]
        assert (reader.stats.bad_lines, reader.stats.messages) == (3, 3)


def test_a_bad_line_is_a_warning_in_the_log_otherwise(url: str, caplog: pytest.LogCaptureFixture):
    post(url, b"{oops\n1\n")
    with caplog.at_level(logging.WARNING, "livepeer.trickle"):
        assert read(url, 1) == [1]
    assert [record.getMessage() for record in caplog.records if "no JSON" in record.getMessage()] != []


def test_a_callback_that_raises_costs_no_message(url: str):
    def refuse(error: LineError) -> None:
        raise error

    post(url, b"1\n{oops\n2\n")
    with JSONLReader(url, on_bad_line=refuse) as reader:
        assert next(reader) == 1
        with pytest.raises(LineError, match="no JSON"):
            next(reader)
        assert next(reader) == 2


def test_keepalives_are_counted_and_left_out(url: str):
    post(url, b'{"keep":"alive"}\n1\n', b'{"keep": "alive"}', b'{"keep":"alive","a":1}\n')
    with JSONLReader(url, start=0) as reader:
        assert [next(reader), next(reader)] == [1, {"keep": "alive", "a": 1}]
        assert (reader.stats.keepalives, reader.stats.messages) == (2, 2)


def test_keepalives_are_handed_out_if_wanted(url: str):
    post(url, b'{"keep":"alive"}\n1\n')
    assert read(url, 2, keepalives=True) == [{"keep": "alive"}, 1]


def test_of_a_segment_that_broke_off_the_whole_lines_count(url: str):
    errors: list[LineError] = []
    break_off(url, 0, b"1\n2\n3")
    post(url, b"4\n", first=1)
    with JSONLReader(url, start=0, on_bad_line=errors.append, abandon_seconds=0.5) as reader:
        assert [next(reader) for _ in range(3)] == [1, 2, 4]
        assert [(error.seq, error.line) for error in errors] == [(0, b"3")]
        assert (reader.stats.interrupted, reader.stats.bad_lines) == (1, 1)


async def test_of_a_segment_that_broke_off_the_whole_lines_count_in_an_event_loop(url: str):
    errors: list[LineError] = []
    break_off(url, 0, b"1\n2\n3")
    post(url, b"4\n", first=1)
    with fail_after(10):
        async with AsyncJSONLReader(url, start=0, on_bad_line=errors.append, abandon_seconds=0.5) as reader:
            assert [await anext(reader) for _ in range(3)] == [1, 2, 4]
    assert [error.line for error in errors] == [b"3"]


def test_segments_that_had_left_the_server_are_a_gap(url: str):
    gaps: list[Gap] = []
    post(url, *(b"%d\n" % number for number in range(8)))
    with JSONLReader(url, start=0, on_gap=gaps.append) as reader:
        assert [next(reader) for _ in range(5)] == [3, 4, 5, 6, 7]
        assert gaps == [Gap(first=0, last=2)]
        assert (reader.stats.gaps, reader.stats.missed) == (1, 3)


def test_a_gap_raises_if_that_is_wanted(url: str):
    post(url, *(b"%d\n" % number for number in range(8)))
    with pytest.raises(FellBehindError):
        read(url, 1, start=0, lag="fail")


def test_a_channel_that_is_not_there_raises(url: str):
    with pytest.raises(ChannelNotFoundError):
        read(url, 1)


async def test_a_server_that_is_not_there_raises():
    with fail_after(10), pytest.raises(UnreachableError):
        async with AsyncJSONLReader("http://127.0.0.1:1/channel", retry_seconds=0) as reader:
            await anext(reader)


@pytest.mark.parametrize(
    "options", [{"start": "yesterday"}, {"lag": "behind"}, {"max_line_bytes": 0}, {"refresh_seconds": 0}]
)
def test_an_argument_that_cannot_be_is_refused(url: str, options: dict[str, Any]):
    for kind in (JSONLReader, AsyncJSONLReader):
        with pytest.raises(ValueError, match=r"."):
            kind(url, **options)
