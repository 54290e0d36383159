"""Reading the channel on which an orchestrator talks to its runner (Live Runner, contract section 7)."""

import json
import logging
from collections.abc import AsyncGenerator
from typing import Any, cast

import anyio
import httpx2

logger = logging.getLogger("livepeer.server")

_SILENCE_SECONDS = 60.0
"""The orchestrator writes every ten."""

_PAUSE_SECONDS = 1.0
_AHEAD = 470


async def read_messages(client: httpx2.AsyncClient, url: str) -> AsyncGenerator[dict[str, Any]]:
    """The messages of a trickle channel, one a segment, from its first to its end.

    Messages may be missed: the channel keeps five segments only.

    Args:
        client: What asks.
        url: Of the channel.
    """
    number = 0
    while True:
        try:
            answer = await client.get(f"{url}/{number}", timeout=httpx2.Timeout(10.0, read=_SILENCE_SECONDS))
        except httpx2.HTTPError as error:
            logger.debug("reading %s: %r", url, error)
            await anyio.sleep(_PAUSE_SECONDS)
            continue
        if answer.status_code == 404 or "Lp-Trickle-Closed" in answer.headers:
            return
        if answer.status_code == _AHEAD:
            number = _latest(answer, number)
            continue
        if answer.is_error:
            await anyio.sleep(_PAUSE_SECONDS)
            continue
        number += 1
        message = _message(answer.content)
        if message is not None:
            yield message


def _latest(answer: httpx2.Response, number: int) -> int:
    try:
        return int(answer.headers["Lp-Trickle-Latest"])
    except (KeyError, ValueError):
        return number + 1


def _message(content: bytes) -> dict[str, Any] | None:
    try:
        message = json.loads(content)
    except ValueError:
        return None
    return cast("dict[str, Any]", message) if isinstance(message, dict) else None
