"""Rows 24 to 29: five segments a channel, and what becomes of those that must go."""

import pytest

from .table_answers import CLOSE, absent, empty, latest, seq
from .table_channels import Channel


@pytest.fixture(autouse=True)
def channel_of_video(channel: Channel) -> None:
    channel.create()


@pytest.mark.parametrize("later", [5, 10, 500])
def test_row_24_a_post_to_a_busy_slot_ends_the_answers_of_the_segment_before(channel: Channel, later: int) -> None:
    channel.writing(0, b"AAAA")
    reader = channel.reading(0, b"AAAA")
    channel.preconnected(later)
    reader.read_end()


def test_row_24_a_silent_post_that_is_evicted_is_answered_and_closed(channel: Channel) -> None:
    publisher = channel.preconnected(0)
    channel.preconnected(5)
    assert publisher.read() == empty(seq(0) | CLOSE)
    assert publisher.is_closed()
    assert channel.next_seq() == 1


def test_row_24_a_post_that_is_evicted_in_its_body_is_answered_as_if_it_were_whole(channel: Channel) -> None:
    publisher = channel.writing(0, b"AAAA")
    channel.publish_all(5)
    publisher.send_chunk(b"BBBB")
    publisher.send_chunk(b"")
    assert publisher.read() == empty(seq(0))
    assert channel.ask("GET", 0) == absent(0, 6)


def test_row_25_a_preconnect_evicts_before_its_first_byte(channel: Channel) -> None:
    channel.publish_all(2, 3, 4, 5, 6)
    before = channel.ask("GET", 2)
    channel.preconnected(7)
    assert before.status == 200
    assert channel.ask("GET", 2) == absent(2, 7)
    assert [channel.ask("GET", number).status for number in (3, 4, 5, 6)] == [200] * 4


def test_row_26_a_get_that_waits_is_ended_by_the_post_that_takes_its_slot(channel: Channel) -> None:
    reader = channel.waiting(0)
    channel.preconnected(5)
    assert reader.read() == empty(seq(0) | latest(0))


def test_row_27_a_post_far_ahead_moves_next(channel: Channel) -> None:
    channel.publish_all(0)
    assert channel.ask("POST", 100, b"a") == empty(seq(100))
    assert channel.next_seq() == 101
    assert channel.ask("GET", 100).body == b"a"
    assert channel.ask("GET", 99) == absent(99, 101)


def test_row_28_a_post_that_is_too_old_rewinds_next(channel: Channel) -> None:
    channel.publish_all(100)
    assert channel.ask("POST", 3, b"old") == empty(seq(3))
    assert channel.next_seq() == 4
    assert channel.ask("GET", 3).body == b"old"
    assert channel.ask("GET", 100).body == b"x"


def test_row_29_a_reset_ends_every_segment_before_it(channel: Channel) -> None:
    channel.writing(0, b"AAAA")
    reader = channel.reading(0, b"AAAA")
    silent = channel.preconnected(1)
    waiting = channel.waiting(1)
    channel.preconnected(2, ["Lp-Trickle-Reset: 1"])
    reader.read_end()
    assert silent.read().headers == seq(1) | CLOSE | {"content-length": "0"}
    assert waiting.read().body == b""


def test_row_29_a_get_that_waits_is_ended_by_a_reset_after_it(channel: Channel) -> None:
    reader = channel.waiting(0)
    channel.preconnected(1, ["Lp-Trickle-Reset: 1"])
    assert reader.read() == empty(seq(0) | latest(0))


def test_row_29_a_reset_spares_its_own_segment_and_newer_ones(channel: Channel) -> None:
    own = channel.waiting(0)
    publisher = channel.writing(3, b"N")
    newer = channel.reading(3, b"N")
    channel.preconnected(0, ["Lp-Trickle-Reset: 1"])
    assert own.stays_silent()
    assert newer.stays_silent()
    publisher.send_chunk(b"M")
    assert newer.read_chunk() == b"M"
    publisher.send_chunk(b"")
    newer.read_end()
    assert publisher.read() == empty(seq(3))


def test_row_29_a_reset_spares_what_is_finished(channel: Channel) -> None:
    channel.publish(0, b"a")
    channel.preconnected(1, ["Lp-Trickle-Reset: 1"])
    assert channel.ask("GET", 0).body == b"a"


def test_row_29_an_old_post_still_appends_to_its_closed_segment(channel: Channel) -> None:
    publisher = channel.writing(0, b"AAAA")
    channel.preconnected(1, ["Lp-Trickle-Reset: 1"])
    publisher.send_chunk(b"BBBB")
    publisher.send_chunk(b"")
    assert publisher.read() == empty(seq(0))
    assert channel.ask("GET", 0).body == b"AAAABBBB"
