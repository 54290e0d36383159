"""Rows 9 to 16: what a GET of a segment answers, and when."""

import pytest

from .table_answers import CLOSE, absent, chunked, content, empty, latest, seq
from .table_channels import Channel


@pytest.fixture(autouse=True)
def channel_of_video(channel: Channel) -> None:
    channel.create()


def test_row_09_get_of_a_finished_segment_comes_in_chunks_with_its_headers(channel: Channel) -> None:
    channel.publish(0, b"hello")
    assert channel.ask("GET", 0) == chunked(content() | seq(0) | latest(1), b"hello")


def test_row_09_get_of_a_finished_segment_can_be_repeated_on_its_connection(channel: Channel) -> None:
    channel.publish(0, b"hello")
    with channel.dial() as wire:
        for _ in range(3):
            wire.send("GET", channel.path(0))
            assert wire.read().body == b"hello"


def test_row_09_get_says_latest_only_of_a_seq_that_is_not_the_next(channel: Channel) -> None:
    channel.publish_all(0, 1, 2)
    assert channel.ask("GET", 1).headers == content() | seq(1) | latest(3) | {"transfer-encoding": "chunked"}
    channel.publish_all(0)
    assert channel.ask("GET", 1).headers == content() | seq(1) | {"transfer-encoding": "chunked"}


def test_row_09_get_of_a_channel_without_a_type_has_an_empty_content_type(channel: Channel) -> None:
    channel.ask("DELETE")
    channel.publish(0, b"a")
    assert channel.ask("GET", 0) == chunked(content("") | seq(0) | latest(1), b"a")


def test_row_09_get_of_a_large_segment_is_whole(channel: Channel) -> None:
    body = bytes(range(256)) * 8192
    channel.publish(0, body)
    assert channel.ask("GET", 0).body == body


def test_row_10_get_of_minus_two_is_the_segment_before_the_next(channel: Channel) -> None:
    channel.publish(0, b"a")
    channel.publish(1, b"b")
    assert channel.ask("GET", -2) == chunked(content() | seq(1) | latest(2), b"b")


def test_row_10_get_of_minus_two_in_a_fresh_channel_waits_for_the_first_segment(channel: Channel) -> None:
    reader = channel.waiting(-2)
    channel.publish(0, b"a")
    assert reader.read() == chunked(content() | seq(0), b"a")


def test_row_10_get_of_minus_two_is_absent_when_the_segment_before_the_next_is_evicted(channel: Channel) -> None:
    channel.publish_all(3)
    channel.preconnected(8)
    assert channel.ask("GET", -2) == absent(-2, 4)


def test_row_11_get_of_minus_one_waits_for_the_next_segment_without_a_head(channel: Channel) -> None:
    channel.publish_all(0, 1)
    reader = channel.waiting(-1)
    channel.publish(2, b"a")
    assert reader.read() == chunked(content() | seq(2), b"a")


def test_row_11_get_of_minus_one_joins_a_preconnected_segment(channel: Channel) -> None:
    publisher = channel.preconnected(0)
    reader = channel.waiting(-1)
    publisher.send_chunk(b"a")
    assert reader.read_head().headers == content() | seq(0) | {"transfer-encoding": "chunked"}
    assert reader.read_chunk() == b"a"


def test_row_12_get_of_the_next_seq_waits_without_a_head(channel: Channel) -> None:
    channel.publish_all(0, 1)
    reader = channel.waiting(2)
    channel.publish(2, b"a")
    assert reader.read() == chunked(content() | seq(2), b"a")


def test_row_12_get_of_seq_one_of_a_fresh_channel_waits(channel: Channel) -> None:
    reader = channel.waiting(1)
    channel.publish(0, b"a")
    assert reader.stays_silent()
    channel.publish(1, b"b")
    assert reader.read() == chunked(content() | seq(1) | latest(0), b"b")


def test_row_12_every_get_that_waits_has_the_segment(channel: Channel) -> None:
    readers = [channel.waiting(0) for _ in range(5)]
    channel.publish(0, b"a")
    assert [reader.read().body for reader in readers] == [b"a"] * 5


def test_row_12_a_get_that_left_while_it_waited_disturbs_nobody(channel: Channel) -> None:
    channel.waiting(0).close()
    reader = channel.waiting(0)
    channel.publish(0, b"a")
    assert reader.read().body == b"a"


def test_row_13_get_after_the_next_seq_is_absent(channel: Channel) -> None:
    channel.publish_all(0)
    assert channel.ask("GET", 2) == absent(2, 1)


def test_row_13_get_of_seq_two_of_a_fresh_channel_is_absent(channel: Channel) -> None:
    assert channel.ask("GET", 2) == absent(2, 0)


def test_row_13_get_of_an_evicted_seq_is_absent(channel: Channel) -> None:
    channel.publish_all(0, 1, 2, 3, 4, 5)
    assert channel.ask("GET", 0) == absent(0, 6)
    assert channel.ask("GET", 1).status == 200


def test_row_13_get_of_the_greatest_seq_is_absent(channel: Channel) -> None:
    assert channel.ask("GET", 2**63 - 2) == absent(2**63 - 2, 0)


def test_row_13_an_absent_segment_keeps_the_connection(channel: Channel) -> None:
    with channel.dial() as wire:
        for _ in range(2):
            wire.send("GET", channel.path(7))
            assert wire.read() == absent(7, 0)


def test_row_14_get_in_mid_segment_has_all_so_far_at_once_and_then_each_write(channel: Channel) -> None:
    publisher = channel.writing(0, b"one")
    publisher.send_chunk(b"two")
    channel.reading(0, b"onetwo")
    with channel.dial() as reader:
        reader.send("GET", channel.path(0))
        assert reader.read_head().headers == content() | seq(0) | latest(1) | {"transfer-encoding": "chunked"}
        assert reader.read_chunk() == b"onetwo"
        for data in (b"three", b"four"):
            publisher.send_chunk(data)
            assert reader.read_chunk() == data
        assert reader.stays_silent()
        publisher.send_chunk(b"")
        reader.read_end()


def test_row_14_a_get_that_left_in_mid_segment_disturbs_nobody(channel: Channel) -> None:
    publisher = channel.writing(0, b"one")
    channel.reading(0, b"one").close()
    reader = channel.reading(0, b"one")
    publisher.send_chunk(b"two")
    assert reader.read_chunk() == b"two"


def test_row_15_post_of_no_bytes_closes_and_moves_next(channel: Channel) -> None:
    with channel.dial() as wire:
        wire.send("POST", channel.path(3))
        assert wire.read() == empty(seq(3) | CLOSE)
        assert wire.is_closed()
    assert channel.next_seq() == 4


def test_row_15_post_of_no_chunks_closes_and_moves_next(channel: Channel) -> None:
    with channel.preconnected(0) as wire:
        wire.send_chunk(b"")
        assert wire.read() == empty(seq(0) | CLOSE)
        assert wire.is_closed()
    assert channel.next_seq() == 1


def test_row_16_get_of_a_segment_of_no_bytes_is_empty(channel: Channel) -> None:
    channel.ask("POST", 0)
    assert channel.ask("GET", 0) == empty(seq(0) | latest(1))


def test_row_16_a_get_that_waits_for_a_segment_of_no_bytes_is_empty(channel: Channel) -> None:
    reader = channel.waiting(0)
    channel.ask("POST", 0)
    assert reader.read() == empty(seq(0) | latest(1))
