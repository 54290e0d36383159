"""Rows 1 to 8: channels are created, segments posted, and `next` says where the publisher is."""

import pytest

from .table_answers import (
    CHANNEL_NOT_FOUND,
    CLOSE,
    DONE,
    INVALID_SEQ,
    TEXT,
    content,
    counted,
    empty,
    latest,
    refusal,
    seq,
)
from .table_channels import Channel


def test_row_01_post_of_a_channel_creates_it_with_the_type_that_it_expects(channel: Channel) -> None:
    answer = channel.ask("POST", headers=["Expect-Content: audio/x", "Content-Type: text/wrong"])
    channel.publish(0, b"a")
    assert answer == DONE
    assert channel.ask("GET", 0).headers["content-type"] == "audio/x"


def test_row_02_post_of_an_existing_channel_leaves_its_type(channel: Channel) -> None:
    channel.create("audio/x")
    answer = channel.ask("POST", headers=["Expect-Content: audio/y"])
    channel.publish(0, b"a")
    assert answer == DONE
    assert channel.ask("GET", 0).headers["content-type"] == "audio/x"


def test_row_02_post_of_an_existing_channel_leaves_its_segments(channel: Channel) -> None:
    channel.create()
    channel.publish(0, b"a")
    channel.create()
    assert channel.next_seq() == 1
    assert channel.ask("GET", 0).body == b"a"


def test_row_03_post_of_an_absent_channel_is_not_found_without_autocreate(strict_channel: Channel) -> None:
    with strict_channel.dial() as wire:
        for _ in range(2):
            wire.send("POST", strict_channel.path(), headers=["Expect-Content: video/mp2t"])
            assert wire.read() == CHANNEL_NOT_FOUND


def test_row_03_post_of_an_absent_segment_is_not_found_and_closes_without_autocreate(strict_channel: Channel) -> None:
    with strict_channel.dial() as wire:
        wire.send("POST", strict_channel.path(0), b"a")
        assert wire.read() == refusal("404 Not Found", b"Stream not found\n", CLOSE)
        assert wire.is_closed()


def test_row_03_a_preconnect_to_an_absent_channel_is_told_at_once_without_autocreate(strict_channel: Channel) -> None:
    with strict_channel.dial() as wire:
        wire.preconnect(strict_channel.path(0))
        assert wire.read() == refusal("404 Not Found", b"Stream not found\n", CLOSE)


def test_row_04_next_of_a_fresh_channel_is_zero(channel: Channel) -> None:
    channel.create()
    assert channel.ask("GET", "next") == counted("200 OK", TEXT | latest(0), b"0")


def test_row_04_next_follows_the_last_segment(channel: Channel) -> None:
    channel.publish_all(9)
    assert channel.ask("GET", "next") == counted("200 OK", TEXT | latest(10), b"10")


def test_row_04_next_moves_at_a_segments_first_byte(channel: Channel) -> None:
    channel.create()
    with channel.preconnected(0) as publisher:
        before = channel.next_seq()
        publisher.send_chunk(b"a")
        channel.reading(0, b"a")
        assert (before, channel.next_seq()) == (0, 1)


@pytest.mark.parametrize("asked", ["next", "0", "-1", "abc"])
def test_row_05_get_in_an_absent_channel_is_not_found(channel: Channel, asked: str) -> None:
    assert channel.ask("GET", asked) == CHANNEL_NOT_FOUND


def test_row_05_get_does_not_create_a_channel(channel: Channel) -> None:
    channel.ask("GET", 0)
    assert channel.ask("GET", "next") == CHANNEL_NOT_FOUND


@pytest.mark.parametrize(
    "asked", ["abc", "1.0", "1_0", "0x1", "%201", "%D9%A3", "9223372036854775808", "-", "9" * 5000]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_row_06_what_is_no_number_is_an_invalid_seq(channel: Channel, method: str, asked: str) -> None:
    channel.create()
    assert channel.ask(method, asked) == INVALID_SEQ


def test_row_06_post_of_an_invalid_seq_creates_the_channel_all_the_same(channel: Channel) -> None:
    assert channel.ask("POST", "abc") == INVALID_SEQ
    assert channel.next_seq() == 0


def test_row_07_post_of_a_whole_segment_is_acknowledged_and_keeps_the_connection(channel: Channel) -> None:
    with channel.dial() as wire:
        for number in range(3):
            wire.send("POST", channel.path(number), b"hello", ["Content-Type: audio/x"])
            assert wire.read() == empty(seq(number))


def test_row_07_post_of_a_segment_creates_the_channel_with_its_content_type(channel: Channel) -> None:
    channel.ask("POST", 0, b"a", ["Content-Type: audio/x", "Expect-Content: text/wrong"])
    assert channel.ask("GET", 0).headers["content-type"] == "audio/x"


def test_row_07_post_in_chunks_is_acknowledged_when_it_ends(channel: Channel) -> None:
    with channel.writing(0, b"a") as publisher:
        assert publisher.stays_silent()
        publisher.send_chunk(b"")
        assert publisher.read() == empty(seq(0))


def test_row_08_post_of_seq_minus_one_is_written_at_the_next_seq(channel: Channel) -> None:
    channel.publish_all(0, 1)
    assert channel.ask("POST", -1, b"third") == empty(seq(2))
    assert channel.ask("GET", 2).body == b"third"
    assert channel.next_seq() == 3


def test_row_08_post_of_seq_minus_one_to_a_fresh_channel_is_its_first(channel: Channel) -> None:
    assert channel.ask("POST", -1, b"first", ["Content-Type: video/mp2t"]) == empty(seq(0))
    assert channel.ask("GET", 0).headers["content-type"] == content()["content-type"]
