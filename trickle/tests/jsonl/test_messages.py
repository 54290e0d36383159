"""Parts of segments to messages."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepeer.trickle import LineError
from livepeer.trickle._jsonl.messages import MessageDecoder

LINES = "application/jsonl"


def read(*parts: bytes, content_type: str = LINES, max_line_bytes: int = 1000) -> list[Any]:
    decoder = MessageDecoder(max_line_bytes=max_line_bytes)
    decoder.begin(7, content_type)
    return [item for part in parts for item in decoder.feed(part)] + decoder.end()


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    ends = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    return [data[begin:end] for begin, end in pairwise(ends)]


@given(
    st.lists(st.dictionaries(st.text(), st.text() | st.integers()) | st.integers()),
    st.lists(st.integers(0, 10_000)),
    st.sampled_from([LINES, "", "application/json", "text/plain"]),
    st.booleans(),
)
def test_lines_are_messages_wherever_their_parts_are_cut(
    messages: list[Any], cuts: list[int], content_type: str, ended: bool
):
    data = "\n".join(json.dumps(message, ensure_ascii=False) for message in messages).encode() + b"\n" * ended
    assert read(*split(data, cuts), content_type=content_type, max_line_bytes=100_000) == messages


@pytest.mark.parametrize("content_type", [LINES, "application/json"])
def test_the_last_line_may_lack_its_newline(content_type: str):
    assert read(b'{"a":', b"1}", content_type=content_type) == [{"a": 1}]


def test_a_segment_begins_with_nothing_of_the_one_before():
    decoder = MessageDecoder(max_line_bytes=100)
    decoder.begin(0, LINES)
    assert decoder.feed(b"1\n2") == [1]
    assert decoder.end() == [2]
    decoder.begin(1, LINES)
    assert decoder.feed(b"3\n") == [3]
    assert decoder.end() == []


def test_blank_lines_and_other_line_ends_are_no_matter():
    assert read(b"\n1\r\n\r\n  \n2\r", b"\n\n") == [1, 2]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"{", "no JSON"),
        (b"hello", "no JSON"),
        (b"1 2", "no JSON"),
        (b"NaN", "no JSON"),
        (b"[-Infinity]", "no JSON"),
        (b"\xef\xbb\xbf1", "no JSON"),
        (b"9" * 5000, "no JSON"),
        (b'"\xff"', "no UTF-8"),
        ('{"a":1}'.encode("utf-16-le"), "no JSON"),
        (b"[" * 100_000, "nested too deep"),
        (b'"' + b"x" * 200_000 + b'"', "longer than 150000 bytes"),
    ],
)
def test_a_line_that_is_no_message_is_an_error_in_its_place(line: bytes, reason: str):
    first, error, last = read(b"1\n" + line + b"\n2\n", max_line_bytes=150_000)
    assert (first, last) == (1, 2)
    assert isinstance(error, LineError)
    assert reason in str(error)
    assert error.seq == 7
    assert error.line == line[: 1024 if "longer" in reason else None]


@pytest.mark.parametrize("size", [1, 7, 10, 11, 12, 50, 1000])
def test_a_line_that_is_too_long_is_the_only_one_left_out_however_it_comes(size: int):
    data = b'"12345678"\n"123456789"\n"1234567890123456789012345"\n3\n'
    first, *errors, last = read(*(data[at : at + size] for at in range(0, len(data), size)), max_line_bytes=10)
    assert (first, last) == ("12345678", 3)
    assert [error.line for error in errors] == [b'"123456789"', b'"1234567890123456789012345"']


def test_a_line_that_never_ends_takes_no_memory():
    decoder = MessageDecoder(max_line_bytes=1000)
    decoder.begin(0, LINES)
    for _ in range(1000):
        assert decoder.feed(b"x" * 1000) == []
        assert sum(map(len, decoder._kept)) <= 1024
    (error,) = decoder.end()
    assert error.line == b"x" * 1024


def test_a_segment_that_broke_off_has_its_whole_lines_and_an_error_for_the_rest():
    decoder = MessageDecoder(max_line_bytes=100)
    decoder.begin(3, LINES)
    assert decoder.feed(b"1\n2") == [1]
    (error,) = decoder.cut()
    assert (error.line, error.seq) == (b"2", 3)
    assert "broke off" in str(error)
    assert decoder.cut() == []


def test_lines_of_json_are_as_long_together_as_they_like():
    assert read(b"[1]\n" * 100, content_type="application/json", max_line_bytes=10) == [[1]] * 100
    assert read(b"[1", b"]\n" + b"[1]\n" * 99, content_type="application/json", max_line_bytes=10) == [[1]] * 100


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8"])
@pytest.mark.parametrize("indent", [1, 4, "\t"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_json_segment_over_several_lines_is_one_message(content_type: str, indent: int | str, size: int):
    message = {"added": ["a", {"b": [1, 2]}]}
    data = b"\n" + json.dumps(message, indent=indent).encode() + b"\n"
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    assert read(*parts, content_type=content_type) == [message]


def test_a_json_segment_whose_first_line_is_a_message_is_read_by_lines():
    decoder = MessageDecoder(max_line_bytes=100)
    decoder.begin(0, "application/json")
    assert decoder.feed(b'{"a":1}\n{"b"') == [{"a": 1}]
    assert decoder.feed(b":2}\n") == [{"b": 2}]


def test_a_json_segment_that_is_too_long_is_one_error():
    (error,) = read(b"[\n", b"1,\n" * 1000, b"2]", content_type="application/json", max_line_bytes=100)
    assert "longer than 100 bytes" in str(error)
    (error,) = read(b"[" * 90, b"[" * 90, b"1\n2\n", content_type="application/json", max_line_bytes=100)
    assert "longer than 100 bytes" in str(error)


def test_a_json_segment_that_is_no_json_is_one_error():
    (error,) = read(b"{\n1\n2\n", content_type="application/json")
    assert "no JSON" in str(error)


def test_a_limit_of_nothing_is_refused():
    with pytest.raises(ValueError, match="more than 0"):
        MessageDecoder(max_line_bytes=0)
