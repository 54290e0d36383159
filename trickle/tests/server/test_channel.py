"""A channel's ring: which segments there are, which is next, and how much they hold."""

import gc

import pytest

from livepeer.trickle import ClosedError
from livepeer.trickle.server import Channel, TooLargeError
from livepeer.trickle.server._channels import Channels

MIB = 1024 * 1024


def new_channel(name: str = "ch", content_type: str = "", **limits: int) -> Channel:
    return Channel(name, content_type, **({"max_segment_bytes": MIB, "max_channel_bytes": 2 * MIB} | limits))


def contents(channel: Channel, seq: int) -> bytes | None:
    segment = channel.held(seq)
    if segment is None:
        return None
    reader, data = segment.reader(), b""
    while not reader.at_end:
        data += reader.read()
    return data


def test_published_segments_are_numbered_from_0_and_the_last_five_are_held():
    channel = new_channel()
    for at in range(7):
        channel.publish(b"%d" % at)

    assert channel.next_seq == 7
    assert [contents(channel, seq) for seq in range(8)] == [None, None, b"2", b"3", b"4", b"5", b"6", None]


def test_an_empty_segment_is_published_too():
    channel = new_channel()
    channel.publish(b"")

    segment = channel.held(0)
    assert segment is not None
    assert (segment.closed, segment.broken, segment.size, channel.next_seq) == (True, False, 0, 1)


def test_a_channel_that_was_set_back_publishes_over_no_segment_that_has_ended():
    channel = new_channel()
    for at in range(4):
        channel.publish(b"%d" % at)
    older = channel.held(1)
    assert older is not None
    channel.advance(older)

    channel.publish(b"new")

    assert channel.next_seq == 5
    assert [contents(channel, seq) for seq in range(5)] == [b"0", b"1", b"2", b"3", b"new"]


def test_a_closed_channel_takes_no_segment():
    channel = new_channel()
    channel.publish(b"data")
    channel.close()

    with pytest.raises(ClosedError, match="ch was deleted"):
        channel.publish(b"more")
    assert contents(channel, 0) is None


def test_only_the_next_segment_can_be_waited_for_and_number_1_of_a_fresh_channel():
    fresh, used = new_channel(), new_channel()
    used.publish(b"0")

    assert [seq for seq in range(4) if fresh.segment_to_read(seq)] == [0, 1]
    assert [seq for seq in range(4) if used.segment_to_read(seq)] == [0, 1]


def test_a_segment_that_takes_anothers_place_ends_it():
    channel = new_channel()
    waiting = channel.segment_to_write(2)
    woken: list[str] = []
    waiting.growing.add(lambda: woken.append("reader"))
    waiting.ending.add(lambda: woken.append("publisher"))

    channel.segment_to_write(7)

    assert (waiting.closed, waiting.broken) == (True, False)
    assert woken == ["reader", "publisher"]
    assert channel.held(2) is None


def test_bytes_that_come_after_the_end_are_kept_while_the_segment_is_held_and_no_longer():
    channel = new_channel()
    ended = channel.segment_to_write(0)
    channel.write(ended, b"one")
    ended.close()
    channel.write(ended, b" more")
    assert contents(channel, 0) == b"one more"

    channel.segment_to_write(5)
    channel.write(ended, b" too late")

    assert ended.size == len(b"one more")


def test_a_segment_of_too_many_bytes_is_broken_off():
    channel = new_channel()
    segment = channel.segment_to_write(0)
    channel.write(segment, bytes(MIB))

    with pytest.raises(TooLargeError):
        channel.write(segment, b"x")

    assert (segment.closed, segment.broken, segment.size) == (True, True, MIB)
    with pytest.raises(TooLargeError):
        channel.publish(bytes(MIB + 1))


def test_a_channel_of_too_many_bytes_loses_its_oldest_finished_segments():
    channel = new_channel()
    still_open = channel.segment_to_write(0)
    channel.advance(still_open)
    channel.write(still_open, bytes(MIB))
    channel.publish(bytes(MIB // 2))
    channel.publish(bytes(MIB // 2))
    oldest_finished = channel.held(1)

    channel.publish(b"x")

    assert [channel.held(seq) is not None for seq in range(4)] == [True, False, True, True]
    assert oldest_finished is not None
    assert (oldest_finished.broken, oldest_finished.size) == (True, 0)


def test_a_channel_full_of_open_segments_refuses_more():
    channel = new_channel()
    for seq in range(2):
        channel.write(channel.segment_to_write(seq), bytes(MIB))
    third = channel.segment_to_write(2)

    with pytest.raises(TooLargeError):
        channel.write(third, b"x")

    assert third.broken
    assert [contents(channel, seq) for seq in range(2)] == [bytes(MIB)] * 2


def test_segments_that_left_the_ring_count_while_they_are_read_and_are_dropped_first():
    channel = new_channel()
    slow_readers = [channel.segment_to_write(seq) for seq in range(2)]
    for segment in slow_readers:
        channel.write(segment, bytes(MIB))
    for seq in range(5, 7):
        channel.segment_to_write(seq)
    assert not any(segment.broken for segment in slow_readers)

    channel.publish(bytes(MIB))

    assert any(segment.broken for segment in slow_readers)
    assert sum(segment.size for segment in slow_readers) <= MIB


def test_segments_that_left_the_ring_and_are_not_read_do_not_count():
    channel = new_channel()
    for _ in range(20):
        channel.publish(bytes(MIB // 3))
    gc.collect()

    assert all(channel.held(seq) is not None for seq in range(15, 20))


@pytest.mark.parametrize("content_type", ["text/plain\r\nX: y", "text/é", "a\x00"])
def test_a_content_type_that_no_header_can_hold_is_refused(content_type: str):
    from livepeer.trickle.server import TrickleServer

    with pytest.raises(ValueError, match="a content type is printable ASCII"):
        TrickleServer().create("ch", content_type)


def test_a_channel_is_idle_from_its_last_byte_on():
    channels = Channels(new_channel, changefeed=False)
    for name in ("idle", "busy", "_kept"):
        channels.create(name, "").written_at -= 400
    busy = channels.create("busy", "")
    segment = busy.segment_to_write(0)
    busy.advance(segment)
    busy.written_at -= 400
    busy.write(segment, b"a later byte")

    assert channels.sweep(300) == ["idle"]
    assert channels.get("idle") is None
    assert channels.get("busy") is busy
    assert channels.get("_kept") is not None


def test_the_changefeed_goes_on_after_it_was_deleted_or_cleared_away():
    channels = Channels(new_channel, changefeed=True)
    channels.create("a", "")
    channels.delete("_changes")
    channels.clear()
    channels.create('b<&"\u2028\udcff', "")

    feed = channels.get("_changes")
    assert feed is not None
    assert feed.content_type == "application/json"
    assert feed.next_seq == 6
    assert contents(feed, 4) == b'{"added":["_changes"]}'
    assert contents(feed, 5) == rb'{"added":["b\u003c\u0026\"\u2028\ufffd"]}'
