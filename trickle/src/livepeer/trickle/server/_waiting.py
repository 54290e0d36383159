"""Waiting for a client and for a segment at once."""

import math

import anyio

from ._asgi import Message, Receive
from ._segment import Watchers


async def receive_unless(receive: Receive, watchers: Watchers, seconds: float = math.inf) -> Message | None:
    """Return the client's next message; None if the watchers are woken, or the time is up, before it comes.

    A cancelled scope does it without a task of its own: a server's `receive` loses nothing when it is cancelled.
    """
    with anyio.move_on_after(seconds) as scope:
        watchers.add(scope.cancel)
        try:
            return await receive()
        finally:
            watchers.discard(scope.cancel)
    return None
