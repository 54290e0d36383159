"""What an api has set for its answer through its context."""

from typing import Any

from starlette.background import BackgroundTask
from starlette.responses import Response

from . import _sdk


def apply_context(method: Any, context: Any, response: Response) -> None:
    """Give a response the status, headers and cookies that an api has asked for, as BentoML does.

    Args:
        method: The api; nothing happens if it takes no context.
        context: The service's, within the request.
        response: What answers it.
    """
    if method.ctx_param is not None:
        found = context.response
        response.status_code = found.status_code
        response.headers.update(found.metadata)
        _sdk.set_cookies(response, found.cookies)


def background_of(output: Any) -> BackgroundTask | None:
    """What an api has left for after its answer; None if there is nothing.

    Args:
        output: What it gave, which may be a response with a background of its own.
    """
    own = output.background if isinstance(output, Response) else None
    context = _sdk.current_response()
    if context is None or not context.background.tasks:
        return own
    if own is not None:
        context.background.tasks.append(own)
    return context.background
