"""A prediction as server-sent events."""

import asyncio

from ._answers import Send
from ._events import LAST, Event, Subscription

_HEADERS = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-cache")]
_KEEP_ALIVE = b": keep-alive\n\n"
_KEEP_ALIVE_SECONDS = 15.0


async def send_events(subscription: Subscription, send: Send) -> None:
    """Send what happens, until the prediction has ended."""
    await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
    if subscription.missed:
        lost = {"error": "SSE stream replay truncated; events were dropped", "skipped": subscription.missed}
        await _send(send, Event("error", lost).encode(), is_last=True)
        return
    is_last = False
    while not is_last:
        events = subscription.log.take(subscription)
        is_last = bool(events) and events[-1].name == LAST
        if events:
            await _send(send, b"".join(event.encode() for event in events), is_last=is_last)
        elif not await _wakes(subscription):
            await _send(send, _KEEP_ALIVE, is_last=False)


async def _wakes(subscription: Subscription) -> bool:
    try:
        async with asyncio.timeout(_KEEP_ALIVE_SECONDS):
            await subscription.wake.wait()
    except TimeoutError:
        return False
    return True


async def _send(send: Send, body: bytes, *, is_last: bool) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": not is_last})
