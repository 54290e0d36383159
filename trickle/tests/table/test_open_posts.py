"""Rows 17 to 23: POSTs that are silent, repeated, broken off or doubled."""

import pytest

from .table_answers import CLOSE, empty, seq
from .table_channels import Channel
from .table_servers import GRACE_SECONDS, KEEPALIVE_SECONDS
from .table_silence import LongSilence
from .table_wire import BrokenOffError, Wire

CONTINUE = "HTTP/1.1 100 Continue"


def test_row_17_a_silent_preconnect_is_told_to_continue_every_ten_seconds(long_silence: LongSilence) -> None:
    assert long_silence.provisional == (CONTINUE, CONTINUE)
    assert long_silence.seconds == pytest.approx((10.0, 20.0), abs=1.0)
    assert long_silence.answer == empty(seq(0))


@pytest.mark.improved("the interval of the reference cannot be set")
def test_row_17_a_silent_preconnect_is_told_to_continue_without_an_end(hasty_channel: Channel) -> None:
    publisher = hasty_channel.preconnected(0)
    assert [publisher.read_provisional() for _ in range(5)] == [CONTINUE] * 5
    publisher.send_chunk(b"a")
    publisher.send_chunk(b"")
    assert publisher.read().status == 200
    assert hasty_channel.ask("GET", 0).body == b"a"


@pytest.mark.improved("the interval of the reference cannot be set")
def test_row_17_a_post_that_has_begun_is_told_nothing_more(hasty_channel: Channel) -> None:
    publisher = hasty_channel.writing(0, b"a")
    assert publisher.stays_silent(3 * KEEPALIVE_SECONDS)


def test_row_18_a_post_that_expects_to_be_told_is_told_to_continue(channel: Channel) -> None:
    with channel.dial() as wire:
        wire.send_head("POST", channel.path(0), ["Expect: 100-continue", "Content-Length: 5"])
        assert wire.read_provisional() == CONTINUE
        wire.send_bytes(b"hello")
        assert wire.read() == empty(seq(0))
    assert channel.ask("GET", 0).body == b"hello"


def test_row_19_a_repeated_post_is_acknowledged_and_closed(channel: Channel) -> None:
    channel.publish(0, b"AAAA")
    with channel.dial() as wire:
        wire.send("POST", channel.path(0), b"BBBB")
        assert wire.read() == empty(seq(0) | CLOSE)
        assert wire.is_closed()


@pytest.mark.improved("the reference appends the body in 4 of 200 tries, which is a race")
def test_row_19_the_body_of_a_repeated_post_is_dropped(channel: Channel) -> None:
    channel.publish(0, b"AAAA")
    for _ in range(50):
        assert channel.ask("POST", 0, b"BBBB") == empty(seq(0) | CLOSE)
    assert channel.ask("GET", 0).body == b"AAAA"


def test_row_19_a_repeated_preconnect_is_answered_before_its_body(channel: Channel) -> None:
    channel.publish(0, b"AAAA")
    with channel.dial() as wire:
        wire.preconnect(channel.path(0))
        assert wire.read() == empty(seq(0) | CLOSE)


@pytest.mark.improved("the reference may wait for the body before it closes, which is a race")
def test_row_19_a_repeated_preconnect_is_closed_before_its_body(channel: Channel) -> None:
    channel.publish(0, b"AAAA")
    with channel.dial() as wire:
        wire.preconnect(channel.path(0))
        assert wire.read().headers["connection"] == "close"
        assert wire.is_closed()


def test_row_19_a_repeated_post_rewinds_next_as_every_post_does(channel: Channel) -> None:
    channel.publish_all(0, 1, 2)
    channel.ask("POST", 0)
    assert channel.next_seq() == 1


def broken_off(channel: Channel, data: bytes = b"AAAA") -> Wire:
    """A segment 0 whose publisher left in the middle of it; gives a GET that has read what there is."""
    channel.create()
    publisher = channel.writing(0, data)
    reader = channel.reading(0, data)
    publisher.close()
    return reader


def test_row_20_a_segment_whose_publisher_vanished_stays_open(channel: Channel) -> None:
    reader = broken_off(channel)
    assert reader.stays_silent()
    assert channel.reading(0, b"AAAA").stays_silent()
    assert channel.next_seq() == 1


def test_row_20_its_eviction_ends_it(channel: Channel) -> None:
    reader = broken_off(channel)
    channel.publish_all(5)
    reader.read_end()


def test_row_20_its_deletion_ends_it(channel: Channel) -> None:
    reader = broken_off(channel)
    channel.ask("DELETE", 0)
    reader.read_end()


def test_row_20_a_reset_ends_it(channel: Channel) -> None:
    reader = broken_off(channel)
    channel.preconnected(1, ["Lp-Trickle-Reset: 1"])
    reader.read_end()


def test_row_20_the_deletion_of_its_channel_ends_it(channel: Channel) -> None:
    reader = broken_off(channel)
    channel.ask("DELETE")
    reader.read_end()


@pytest.mark.improved("the reference leaves the segment open for ever")
def test_row_20_after_a_grace_its_readers_are_broken_off(hasty_channel: Channel) -> None:
    reader = broken_off(hasty_channel)
    assert reader.stays_silent(GRACE_SECONDS / 3)
    with pytest.raises(BrokenOffError):
        reader.read_chunk()


@pytest.mark.improved("the reference leaves the segment open for ever")
def test_row_20_after_the_grace_a_get_has_what_there_is_and_is_broken_off(hasty_channel: Channel) -> None:
    reader = broken_off(hasty_channel)
    with pytest.raises(BrokenOffError):
        reader.read_chunk()
    with pytest.raises(BrokenOffError):
        hasty_channel.reading(0, b"AAAA").read_chunk()


@pytest.mark.improved("the reference leaves the segment open for ever")
def test_row_20_the_grace_spares_the_next_segments(hasty_channel: Channel) -> None:
    reader = broken_off(hasty_channel)
    following = hasty_channel.writing(1, b"B")
    with pytest.raises(BrokenOffError):
        reader.read_chunk()
    following.send_chunk(b"")
    assert following.read() == empty(seq(1))
    assert hasty_channel.ask("GET", 1).body == b"B"


def test_row_21_a_repeated_post_goes_on_with_a_segment_whose_publisher_vanished(channel: Channel) -> None:
    reader = broken_off(channel)
    assert channel.ask("POST", 0, b"CCCC") == empty(seq(0))
    assert reader.read_chunk() == b"CCCC"
    reader.read_end()
    assert channel.ask("GET", 0).body == b"AAAACCCC"


@pytest.mark.improved("the reference has no grace")
def test_row_21_a_segment_that_another_post_goes_on_with_outlives_the_grace(hasty_channel: Channel) -> None:
    reader = broken_off(hasty_channel)
    publisher = hasty_channel.preconnected(0)
    publisher.send_chunk(b"CCCC")
    assert reader.read_chunk() == b"CCCC"
    assert reader.stays_silent(2 * GRACE_SECONDS)
    publisher.send_chunk(b"")
    reader.read_end()
    assert publisher.read_head().status == 200


def test_row_22_two_posts_of_one_segment_interleave_until_the_first_ends(channel: Channel) -> None:
    channel.create()
    first = channel.writing(0, b"1111")
    reader = channel.reading(0, b"1111")
    second = channel.preconnected(0)
    second.send_chunk(b"2222")
    assert reader.read_chunk() == b"2222"
    first.send_chunk(b"")
    assert first.read() == empty(seq(0))
    reader.read_end()
    second.send_chunk(b"3333")
    second.send_chunk(b"")
    assert second.read() == empty(seq(0))
    assert channel.ask("GET", 0).body == b"111122223333"


def test_row_23_a_preconnect_that_leaves_without_a_byte_changes_nothing(channel: Channel) -> None:
    channel.create()
    reader = channel.waiting(0)
    channel.preconnected(0).close()
    assert reader.stays_silent()
    assert channel.next_seq() == 0
    channel.publish(0, b"a")
    assert reader.read().body == b"a"


@pytest.mark.improved("the reference has no grace")
def test_row_23_a_preconnect_that_leaves_without_a_byte_starts_no_grace(hasty_channel: Channel) -> None:
    hasty_channel.create()
    reader = hasty_channel.waiting(0)
    hasty_channel.preconnected(0).close()
    assert reader.stays_silent(2 * GRACE_SECONDS)
    hasty_channel.publish(0, b"a")
    assert reader.read().body == b"a"
