"""Messages to lines, and lines to segments."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livepeer.trickle._jsonl.lines import Batch, LineQueue, encode_line

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda values: st.lists(values) | st.dictionaries(st.text(), values),
    max_leaves=10,
)


def deep() -> Any:
    value: Any = 0
    for _ in range(100_000):
        value = [value]
    return value


def queue(seconds: float = 10, size: int = 100) -> LineQueue:
    return LineQueue(rotate_seconds=seconds, rotate_bytes=size)


@given(JSON)
def test_a_message_is_one_line_of_the_same_json(message: Any):
    line = encode_line(message)
    assert line.index(b"\n") == len(line) - 1
    assert json.loads(line) == message


def test_a_line_is_compact_and_keeps_its_letters():
    assert encode_line({"größe": [1, 2]}) == '{"größe":[1,2]}\n'.encode()


def test_half_of_a_surrogate_pair_is_escaped():
    assert encode_line("ö\ud800") == b'"\\u00f6\\ud800"\n'


def test_bytes_are_a_line_already():
    assert encode_line(b'{ "a": 1 }') == b'{ "a": 1 }\n'


@pytest.mark.parametrize("data", [b"", b"  ", b'{"a":1}\n', b"1\n2"])
def test_bytes_that_are_not_one_line_are_refused(data: bytes):
    with pytest.raises(ValueError, match="one line"):
        encode_line(data)


@pytest.mark.parametrize(
    "message", [float("nan"), [float("inf")], {1, 2}, {"a": object()}, {("a", 1): 2}, deep(), bytearray(b"1")]
)
def test_a_message_without_a_json_form_is_refused(message: Any):
    with pytest.raises(ValueError, match="no JSON form"):
        encode_line(message)


def test_a_message_within_itself_is_refused():
    message: list[Any] = []
    message.append(message)
    with pytest.raises(ValueError, match="no JSON form"):
        encode_line(message)


def test_lines_leave_together_and_the_first_begin_a_segment():
    lines = queue()
    lines.add(b"1\n", 0)
    lines.add(b"2\n", 0)
    assert lines.bytes == 4
    assert lines.take() == [Batch(begins=True, data=b"1\n2\n")]
    lines.add(b"3\n", 1)
    assert lines.take() == [Batch(begins=False, data=b"3\n")]
    assert lines.take() == []


def test_lines_count_until_they_are_sent():
    lines = queue()
    lines.add(b"1\n", 0)
    (batch,) = lines.take()
    lines.add(b"23\n", 0)
    assert lines.bytes == 5
    lines.sent(batch)
    assert lines.bytes == 3


def test_a_line_after_the_segments_time_begins_another():
    lines = queue(seconds=10)
    lines.add(b"1\n", 5)
    lines.add(b"2\n", 14.9)
    lines.add(b"3\n", 15)
    lines.add(b"4\n", 24)
    assert [batch.data for batch in lines.take()] == [b"1\n2\n", b"3\n4\n"]


def test_a_line_that_would_make_a_segment_too_long_begins_another():
    lines = queue(size=4)
    for line in (b"1\n", b"2\n", b"3\n"):
        lines.add(line, 0)
    assert lines.take() == [Batch(begins=True, data=b"1\n2\n"), Batch(begins=True, data=b"3\n")]


def test_a_line_longer_than_a_segment_has_one_to_itself():
    lines = queue(size=4)
    for line in (b"1\n", b"234567\n", b"8\n"):
        lines.add(line, 0)
    assert [batch.data for batch in lines.take()] == [b"1\n", b"234567\n", b"8\n"]


@given(st.lists(st.tuples(st.binary(max_size=9), st.floats(0, 9), st.booleans()), max_size=40), st.integers(1, 20))
def test_every_line_leaves_once_in_order_and_no_segment_is_longer_than_it_may(
    steps: list[tuple[bytes, float, bool]], size: int
):
    lines, now, segments = queue(seconds=10, size=size), 0.0, list[bytes]()
    written = [data.replace(b"\n", b"") + b"\n" for data, _, _ in steps]
    for line, (_, seconds, taken) in zip(written, steps, strict=True):
        now += seconds
        lines.add(line, now)
        for batch in lines.take() if taken else []:
            segments.append(batch.data) if batch.begins else segments.append(segments.pop() + batch.data)
    for batch in lines.take():
        segments.append(batch.data) if batch.begins else segments.append(segments.pop() + batch.data)
    assert b"".join(segments) == b"".join(written)
    assert all(len(segment) <= size or segment.count(b"\n") == 1 for segment in segments)
    assert all(segment.endswith(b"\n") for segment in segments)


@pytest.mark.parametrize(("seconds", "size"), [(0, 1), (-1, 1), (1, 0)])
def test_a_rotation_that_cannot_be_is_refused(seconds: float, size: int):
    with pytest.raises(ValueError, match="more than 0"):
        queue(seconds, size)
