"""A framework's own HTTP: an ASGI application that is served beside the operations."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from ._description import JsonSchema

AsgiMessage = MutableMapping[str, Any]
AsgiApp = Callable[
    [MutableMapping[str, Any], Callable[[], Awaitable[AsgiMessage]], Callable[[AsgiMessage], Awaitable[None]]],
    Awaitable[None],
]
"""An ASGI 3 application: HTTP, WebSocket, and a lifespan if it wants one."""


@dataclass(frozen=True, kw_only=True)
class Mount:
    """An ASGI application of the framework's, and which requests are its own.

    It gets every request as it came: the whole path, an empty `root_path`. A request counts as work under way
    until the application returns, also when its answer has long been sent: what runs in the background belongs
    into that time. A server that stops waits for it as long as for calls, and cancels it then.
    """

    app: AsgiApp
    paths: tuple[str, ...]
    """The paths that are its own, with all that is below them; ``/`` for whatever is nobody else's. The
    contract's own routes and the operations come first; what is no POST at an operation's path is the
    mount's that names this very path."""

    apart: bool = False
    """Whether it has a thread and a loop of its own and is served from before `setup()` on, also after a `setup()`
    that failed; else it runs on the loop of the async operations, and is served once the model is ready. All
    mounts of a capability agree on this."""

    openapi: JsonSchema | None = None
    """An OpenAPI 3.1 document, whose paths and components the server's own takes in."""


@runtime_checkable
class Mounting(Protocol):
    """A capability that brings ASGI applications along."""

    @property
    def mounts(self) -> Sequence[Mount]:
        """The applications; no path is in two."""
        ...


@runtime_checkable
class Checking(Protocol):
    """A capability that can tell, while it serves, whether it is still well."""

    def check(self) -> Awaitable[str | None] | str | None:
        """What is wrong with the model, None if nothing is. Raising says the same as a reason, but for
        `NotReadyError`: the model is well, and takes no calls for now.

        Asked now and then once the model is ready, also while calls run: on a thread of its own, or on the
        loop of the async operations if it returns an awaitable.
        """
        ...
