"""A made-up framework, in place of yours: a class with a `handle`, and pages of its own."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, ClassVar

Message = MutableMapping[str, Any]


class Handler:
    """Base of a handler. Define `handle`: it may return or yield, and its annotations say what it takes."""

    pages: ClassVar[Mapping[str, str]] = {}
    """Texts that it serves over HTTP itself, by path."""

    def load(self) -> None:
        """Load the model."""

    def unload(self) -> None:
        """Let go of it."""

    async def web_app(
        self,
        scope: Message,
        receive: Callable[[], Awaitable[Message]],
        send: Callable[[Message], Awaitable[None]],
    ) -> None:
        """The framework's own HTTP, an ASGI application."""
        del receive
        text = self.pages.get(scope["path"])
        await send({"type": "http.response.start", "status": 404 if text is None else 200, "headers": []})
        await send({"type": "http.response.body", "body": (text or "").encode()})
