"""The trickle server as an ASGI application."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Self

import anyio

from ._asgi import Receive, Scope, Send
from ._channel import MAX_CHANNEL_BYTES, MAX_SEGMENT_BYTES, Channel
from ._channels import Channels
from ._hooks import Hook
from ._posts import Patience
from ._replies import Reply
from ._requests import Requests

_LOGGER = logging.getLogger("livepeer.trickle")


class TrickleServer:
    """Serves trickle channels: an ASGI 3 application, and channels for the program that embeds it.

    The application needs no more than to be served; its `lifespan`, or `running`, sweeps idle channels. A web server
    that waits for requests in flight before it stops, as uvicorn does, waits for readers too: `clear` ends them.
    """

    def __init__(
        self,
        *,
        path: str = "/",
        autocreate: bool = True,
        changefeed: bool = False,
        idle_seconds: float = 300.0,
        sweep_seconds: float = 60.0,
        abort_grace_seconds: float = 5.0,
        keepalive_seconds: float = 10.0,
        max_segment_bytes: int = MAX_SEGMENT_BYTES,
        max_channel_bytes: int = MAX_CHANNEL_BYTES,
        before_create: Hook | None = None,
        before_delete: Hook | None = None,
    ) -> None:
        """Make a server without channels.

        Args:
            path: What every channel's path begins with.
            autocreate: Whether a post to an unknown channel makes it.
            changefeed: Whether the channel `_changes` tells which channels come and go (trickle, table 1, row 35).
            idle_seconds: A channel that got no byte for so long is deleted.
            sweep_seconds: How often idle channels are looked for.
            abort_grace_seconds: A segment whose publisher's connection broke may be posted again for so long; then
                it ends, and its readers' connections are dropped.
            keepalive_seconds: How often a publisher that has connected ahead of its data is told that it is still
                awaited; needs `TrickleProtocol` (trickle, table 1, row 17).
            max_segment_bytes: A larger segment is refused and broken off.
            max_channel_bytes: A channel that comes to more loses its oldest finished segments.
            before_create: Called before a client creates a channel.
            before_delete: Called before a client deletes a channel.
        """
        self.path = "/" + path.strip("/") + "/" if path.strip("/") else "/"
        """What every channel's path begins with, between slashes."""
        self._idle_seconds = idle_seconds
        self._sweep_seconds = sweep_seconds

        def make(name: str, content_type: str) -> Channel:
            return Channel(name, content_type, max_segment_bytes=max_segment_bytes, max_channel_bytes=max_channel_bytes)

        self._channels = Channels(make, changefeed=changefeed)
        self._requests = Requests(
            channels=self._channels,
            path=self.path,
            autocreate=autocreate,
            patience=Patience(keepalive_seconds=keepalive_seconds, abort_grace_seconds=abort_grace_seconds),
            before_create=before_create,
            before_delete=before_delete,
        )

    def create(self, name: str, content_type: str = "") -> Channel:
        """Return the channel of that name, a new one if there is none; no hook is asked.

        Raises:
            ValueError: The content type cannot stand in a header.
        """
        if not content_type.isascii() or not content_type.isprintable():
            raise ValueError(f"a content type is printable ASCII, not {content_type!r}")
        return self._channels.create(name, content_type)

    def channel(self, name: str) -> Channel | None:
        """Return the channel of that name."""
        return self._channels.get(name)

    def delete(self, name: str) -> bool:
        """End a channel and forget it; return whether there was one. No hook is asked."""
        return self._channels.delete(name)

    def clear(self) -> None:
        """End and forget every channel."""
        self._channels.clear()

    @asynccontextmanager
    async def running(self) -> AsyncGenerator[Self]:
        """Sweep idle channels from time to time; in the end, end every channel."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._sweep)
            try:
                yield self
            finally:
                self.clear()
                tasks.cancel_scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or run for a server's lifetime, as ASGI 3 says."""
        if scope["type"] == "http":
            await self._requests.answer(scope, receive, Reply(scope, send))
        elif scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close"})

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with self.running():
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _sweep(self) -> None:
        while True:
            await anyio.sleep(self._sweep_seconds)
            for name in self._channels.sweep(self._idle_seconds):
                _LOGGER.info("Channel %s was idle, and is deleted", name)
