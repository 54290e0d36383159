"""Takes a publisher's segment (trickle, table 1, rows 7, 8 and 15 to 30)."""

from dataclasses import dataclass

import anyio

from ._asgi import Headers, Message, Receive
from ._channel import Channel
from ._errors import TooLargeError
from ._replies import CLOSED, HANG_UP, SEQ, Reply
from ._segment import Segment
from ._waiting import receive_unless


class _LeftError(Exception):
    """Raised when a publisher has gone before the end of its segment."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long to wait for publishers, in seconds."""

    keepalive_seconds: float
    """A silent one is told so often that it is still awaited."""
    abort_grace_seconds: float
    """One that broke off has so long to go on."""


async def take_segment(
    channel: Channel, segment: Segment, receive: Receive, reply: Reply, *, patience: Patience
) -> None:
    """Write a posted body into a segment, and answer."""
    headers: Headers = [(SEQ, b"%d" % segment.seq)]
    try:
        empty = await _copy(channel, segment, receive, reply, patience.keepalive_seconds)
    except _LeftError:
        await _await_another(segment, patience.abort_grace_seconds)
        return
    except TooLargeError as error:
        await reply.error(413, str(error), HANG_UP)
        return
    segment.close()
    if empty:
        headers += [HANG_UP, CLOSED] if channel.closed else [HANG_UP]
    await reply.whole(200, headers)


async def _copy(channel: Channel, segment: Segment, receive: Receive, reply: Reply, keepalive_seconds: float) -> bool:
    """Write what comes until its end; return whether nothing did, or nothing in time."""
    segment.posts += 1
    segment.publishers += 1
    try:
        message = await _first(segment, receive, reply, keepalive_seconds)
        channel.advance(segment)
        if message is None:
            return True
        channel.write(segment, message["body"])
        while message.get("more_body"):
            message = _body(await receive())
            if data := message.get("body"):
                channel.write(segment, data)
    finally:
        segment.publishers -= 1
    return False


async def _first(segment: Segment, receive: Receive, reply: Reply, keepalive_seconds: float) -> Message | None:
    """Return the first message with bytes; None if there are none, or if the segment ends first."""
    while not segment.closed:
        message = await receive_unless(receive, segment.ending, keepalive_seconds)
        if segment.closed:
            break
        if message is None:
            reply.keep_waiting()
        elif _body(message).get("body"):
            return message
        elif not message.get("more_body"):
            break
    return None


def _body(message: Message) -> Message:
    if message["type"] == "http.disconnect":
        raise _LeftError
    return message


async def _await_another(segment: Segment, grace_seconds: float) -> None:
    """Break a segment off whose only publisher has gone, unless another goes on with it in time."""
    posts = segment.posts
    if not segment.size or segment.publishers or segment.closed:
        return
    with anyio.move_on_after(grace_seconds) as scope:
        segment.ending.add(scope.cancel)
        try:
            await anyio.sleep_forever()
        finally:
            segment.ending.discard(scope.cancel)
    if segment.posts == posts:
        segment.break_off()
