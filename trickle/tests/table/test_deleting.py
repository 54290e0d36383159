"""Rows 30 to 34: segments and channels are deleted, or swept."""

import pytest

from .table_answers import (
    CHANNEL_NOT_FOUND,
    CLOSE,
    CLOSED,
    DONE,
    INVALID_CHANNEL,
    NONEXISTENT_SEGMENT,
    empty,
    latest,
    seq,
)
from .table_channels import Channel
from .table_servers import IDLE_SECONDS


def test_row_30_delete_of_a_segment_ends_the_gets_that_wait(channel: Channel) -> None:
    channel.create()
    channel.publish_all(0)
    reader = channel.waiting(1)
    assert channel.ask("DELETE", 1) == DONE
    assert reader.read() == empty(seq(1) | latest(1))
    assert channel.next_seq() == 1


def test_row_30_delete_of_a_segment_answers_its_silent_post_and_closes(channel: Channel) -> None:
    channel.create()
    publisher = channel.preconnected(0)
    assert channel.ask("DELETE", 0) == DONE
    assert publisher.read() == empty(seq(0) | CLOSE)
    assert publisher.is_closed()
    assert channel.next_seq() == 1


def test_row_30_delete_of_a_segment_in_its_body_ends_its_readers(channel: Channel) -> None:
    channel.create()
    publisher = channel.writing(0, b"AAAA")
    reader = channel.reading(0, b"AAAA")
    channel.ask("DELETE", 0)
    reader.read_end()
    publisher.send_chunk(b"")
    assert publisher.read() == empty(seq(0))


def test_row_30_a_finished_segment_that_was_deleted_is_still_read(channel: Channel) -> None:
    channel.publish(0, b"a")
    assert channel.ask("DELETE", 0) == DONE
    assert channel.ask("GET", 0).body == b"a"


@pytest.mark.parametrize("asked", [0, 7])
def test_row_31_delete_of_a_segment_that_is_not_there_is_refused(channel: Channel, asked: int) -> None:
    channel.create()
    assert channel.ask("DELETE", asked) == NONEXISTENT_SEGMENT


def test_row_31_delete_of_an_evicted_segment_is_refused(channel: Channel) -> None:
    channel.publish_all(0, 5)
    assert channel.ask("DELETE", 0) == NONEXISTENT_SEGMENT
    assert channel.ask("GET", 5).status == 200


def test_row_31_delete_of_a_segment_of_an_absent_channel_is_not_found(channel: Channel) -> None:
    assert channel.ask("DELETE", 0) == CHANNEL_NOT_FOUND


def test_row_32_delete_of_a_channel_ends_the_gets_that_wait(channel: Channel) -> None:
    channel.create()
    channel.publish_all(0)
    reader = channel.waiting(1)
    assert channel.ask("DELETE") == DONE
    assert reader.read() == empty(seq(1) | latest(1) | CLOSED)


def test_row_32_delete_of_a_channel_answers_a_silent_post_and_closes(channel: Channel) -> None:
    channel.create()
    publisher = channel.preconnected(0)
    channel.ask("DELETE")
    assert publisher.read() == empty(seq(0) | CLOSED | CLOSE)
    assert publisher.is_closed()


def test_row_32_delete_of_a_channel_is_not_seen_by_a_post_in_its_body(channel: Channel) -> None:
    channel.create()
    publisher = channel.writing(0, b"AAAA")
    reader = channel.reading(0, b"AAAA")
    channel.ask("DELETE")
    reader.read_end()
    publisher.send_chunk(b"BBBB")
    publisher.send_chunk(b"")
    assert publisher.read() == empty(seq(0))


@pytest.mark.parametrize("asked", ["next", "0", "1", "-1"])
def test_row_32_a_deleted_channel_is_not_found(channel: Channel, asked: str) -> None:
    channel.publish_all(0)
    channel.ask("DELETE")
    assert channel.ask("GET", asked) == CHANNEL_NOT_FOUND


def test_row_32_a_deleted_channel_can_be_created_anew(channel: Channel) -> None:
    channel.publish_all(0, 1)
    channel.ask("DELETE")
    channel.create("audio/x")
    assert channel.next_seq() == 0
    channel.publish(0, b"new")
    assert channel.ask("GET", 0).headers["content-type"] == "audio/x"


def test_row_33_delete_of_an_absent_channel_is_refused(channel: Channel) -> None:
    assert channel.ask("DELETE") == INVALID_CHANNEL


def test_row_33_the_second_delete_of_a_channel_is_refused(channel: Channel) -> None:
    channel.create()
    channel.ask("DELETE")
    assert channel.ask("DELETE") == INVALID_CHANNEL


def test_row_34_an_idle_channel_is_deleted(swept_channel: Channel) -> None:
    swept_channel.create()
    reader = swept_channel.waiting(0)
    assert reader.read() == empty(seq(0) | latest(0) | CLOSED)
    assert swept_channel.ask("GET", "next") == CHANNEL_NOT_FOUND


def test_row_34_a_silent_post_does_not_keep_a_channel_alive(swept_channel: Channel) -> None:
    swept_channel.create()
    publisher = swept_channel.preconnected(0)
    assert publisher.read() == empty(seq(0) | CLOSED | CLOSE)
    assert publisher.is_closed()


def test_row_34_segments_keep_a_channel_alive(swept_channel: Channel) -> None:
    swept_channel.create()
    reader = swept_channel.waiting(1)
    for number in (0, 2, 3, 4):
        swept_channel.publish_all(number)
        assert reader.stays_silent(IDLE_SECONDS / 2)
    assert swept_channel.next_seq() == 5


def test_row_34_gets_do_not_keep_a_channel_alive(swept_channel: Channel) -> None:
    swept_channel.publish_all(0)
    reader = swept_channel.waiting(1)
    while reader.stays_silent(IDLE_SECONDS / 4):
        swept_channel.ask("GET", 0)
    assert reader.read().headers["lp-trickle-closed"] == "terminated"


def test_row_34_a_channel_whose_name_begins_with_an_underscore_is_never_swept(swept_channel: Channel) -> None:
    spared = swept_channel.sibling(f"_{swept_channel.name}")
    spared.create()
    swept_channel.create()
    assert swept_channel.waiting(0).read().headers["lp-trickle-closed"] == "terminated"
    assert spared.next_seq() == 0


@pytest.mark.reference("only a segment's first byte counts")
def test_row_34_a_long_segment_is_swept_while_it_is_written(swept_channel: Channel) -> None:
    swept_channel.create()
    publisher = swept_channel.writing(0, b"a")
    reader = swept_channel.reading(0, b"a")
    while reader.stays_silent(IDLE_SECONDS / 4):
        publisher.send_chunk(b"b")
        chunk = reader.read_chunk()
        if not chunk:
            break
    publisher.send_chunk(b"")
    assert publisher.read() == empty(seq(0))
    assert swept_channel.ask("GET", 0) == CHANNEL_NOT_FOUND


@pytest.mark.improved("the reference counts a segment's first byte alone")
def test_row_34_every_byte_keeps_a_channel_alive(swept_channel: Channel) -> None:
    swept_channel.create()
    publisher = swept_channel.writing(0, b"a")
    reader = swept_channel.reading(0, b"a")
    for _ in range(6):
        assert reader.stays_silent(IDLE_SECONDS / 3)
        publisher.send_chunk(b"b")
        assert reader.read_chunk() == b"b"
    publisher.send_chunk(b"")
    assert publisher.read() == empty(seq(0))
    assert swept_channel.next_seq() == 1
