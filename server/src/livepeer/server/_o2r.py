"""Reading the channel on which an orchestrator talks to its runner (Live Runner, contract section 7)."""

import logging
import math
from collections.abc import AsyncGenerator
from typing import Any, cast

import anyio

from livepeer.trickle import AsyncJSONLReader, ChannelNotFoundError, TrickleError

logger = logging.getLogger("livepeer.server")

_PAUSE_SECONDS = 1.0


async def read_messages(url: str, *, verify: bool) -> AsyncGenerator[dict[str, Any]]:
    """The messages of a channel, from its first to its end, however long the orchestrator is away meanwhile.

    Messages may be missed: the channel keeps five segments only, one a message.

    Args:
        url: Of the channel.
        verify: Whether the orchestrator's certificate is checked.
    """
    while True:
        try:
            async with AsyncJSONLReader(url, start=0, verify=verify, retry_seconds=math.inf) as reader:
                async for message in reader:
                    if isinstance(message, dict):
                        yield cast("dict[str, Any]", message)
            return
        except ChannelNotFoundError:
            return
        except TrickleError as error:
            logger.debug("reading %s: %r", url, error)
        await anyio.sleep(_PAUSE_SECONDS)
