"""The last word of a session whose process has died: nobody else is left to say it."""

import json
import logging

import anyio

from livepeer.core import SessionStart

logger = logging.getLogger("livepeer.server")

_LIMIT_SECONDS = 5.0


async def report_end(start: SessionStart, detail: str) -> None:
    """Tell on the session's events channel that it has ended, as the session itself would have (contract, section 5).

    Args:
        start: What the session began with.
        detail: Why, in words.
    """
    if start.events_url is None:
        return
    from livepeer.trickle import AsyncPublisher, TrickleError  # lazily: a session seldom ends so

    status = {"type": "status", "state": "ended", "stream_id": start.stream_id, "reason": "failed", "detail": detail}
    try:
        with anyio.move_on_after(_LIMIT_SECONDS):
            async with AsyncPublisher(
                start.events_url,
                content_type="application/json",
                create=False,
                delete=False,
                verify=start.verify_tls,
            ) as publisher:
                await publisher.publish(json.dumps(status).encode())
    except TrickleError as error:
        logger.warning("[%s] the end of the session could not be told: %s", start.stream_id, error)
