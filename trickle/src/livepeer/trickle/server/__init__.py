"""A trickle server: an ASGI application, and all that serves it."""

from ._app import TrickleServer
from ._channel import Channel
from ._errors import RefusedError, TooLargeError
from ._hooks import Hook, HookRequest
from ._protocol import TrickleProtocol
from ._serving import serve

__all__ = [
    "Channel",
    "Hook",
    "HookRequest",
    "RefusedError",
    "TooLargeError",
    "TrickleProtocol",
    "TrickleServer",
    "serve",
]
