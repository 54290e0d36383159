"""Answers a subscriber: a segment is sent as it is written (trickle, table 1, rows 9 to 16)."""

from ._asgi import Headers, Receive
from ._buffer import BufferReader
from ._channel import Channel
from ._replies import CLOSED, LATEST, SEQ, TEXT, Reply
from ._segment import Segment
from ._waiting import receive_unless

NOT_HELD = 470
"""The status that says: there is such a channel, and no such segment in it."""


async def send_next(channel: Channel, reply: Reply) -> None:
    """Answer with the number of the next segment."""
    number = b"%d" % channel.next_seq
    await reply.whole(200, [(LATEST, number), TEXT], number)


async def send_segment(channel: Channel, seq: int, receive: Receive, reply: Reply, *, only_head: bool) -> None:
    """Answer with a segment, as soon as it has a byte or has ended, until it ends or the subscriber leaves."""
    latest = channel.next_seq
    segment = channel.segment_to_read(seq)
    if segment is None:
        headers = [(LATEST, b"%d" % latest), (SEQ, b"%d" % seq), TEXT]
        await reply.whole(NOT_HELD, headers, b"Entry not found")
        return
    reader = segment.reader()
    while reader.at_end and not segment.closed:
        if await _left(receive, segment):
            return
    if not reader.at_end:
        await reply.begin(_head(channel, segment, latest))
        await _send_parts(segment, reader, receive, reply, only_head=only_head)
    elif segment.broken:
        reply.break_off()
    else:
        await _send_nothing(channel, segment, reply, only_head=only_head)


async def _send_parts(
    segment: Segment, reader: BufferReader, receive: Receive, reply: Reply, *, only_head: bool
) -> None:
    if only_head:
        await reply.part(b"", last=True)
        return
    while True:
        data = reader.read()
        whole = segment.closed and not segment.broken and reader.at_end
        if data or whole:
            await reply.part(data, last=whole)
        if whole:
            return
        if not reader.at_end:
            continue
        if segment.broken:
            reply.break_off()
            return
        if not segment.closed and await _left(receive, segment):
            return


async def _left(receive: Receive, segment: Segment) -> bool:
    """Wait until the segment changes; return whether the subscriber left instead."""
    while message := await receive_unless(receive, segment.growing):
        if message["type"] == "http.disconnect":
            return True
    return False


async def _send_nothing(channel: Channel, segment: Segment, reply: Reply, *, only_head: bool) -> None:
    headers: Headers = [(SEQ, b"%d" % segment.seq), (LATEST, b"%d" % channel.next_seq)]
    if channel.closed:
        headers.append(CLOSED)
    if only_head:
        await reply.begin(headers)
        await reply.part(b"", last=True)
    else:
        await reply.whole(200, headers)


def _head(channel: Channel, segment: Segment, latest: int) -> Headers:
    headers: Headers = [
        (b"content-type", channel.content_type.encode("latin-1")),
        (SEQ, b"%d" % segment.seq),
    ]
    return headers if segment.seq == latest else [(LATEST, b"%d" % latest), *headers]
