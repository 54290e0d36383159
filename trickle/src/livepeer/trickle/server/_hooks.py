"""What the program that embeds a server may refuse (trickle, table 1, row 39)."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from inspect import isawaitable

from ._asgi import Scope
from ._errors import RefusedError

_LOGGER = logging.getLogger("livepeer.trickle")


@dataclass(frozen=True, kw_only=True)
class HookRequest:
    """A request that a hook may refuse."""

    name: str
    """The channel's name."""
    headers: Mapping[str, str]
    """The request's headers, names in lower case; of one that came several times, the last value."""
    client: tuple[str, int] | None
    """The client's address and port, if the server knows them."""


Hook = Callable[[HookRequest], Awaitable[None] | None]
"""Refuses a request by raising `RefusedError`."""


async def refusal(hook: Hook | None, name: str, scope: Scope) -> tuple[int, str] | None:
    """Return the status and the text of what a hook refuses; None if it does not."""
    if hook is None:
        return None
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    client = scope.get("client")
    request = HookRequest(name=name, headers=headers, client=None if client is None else tuple(client))
    try:
        answer = hook(request)
        if isawaitable(answer):
            await answer
    except RefusedError as error:
        return error.status, str(error)
    except Exception:
        _LOGGER.exception("A hook failed for the channel %s", name)
        return 500, "Internal Server Error"
    return None
