"""Where the items of a stream leave a service's application, past its middlewares, which know answers of one piece."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from livepeer.core import SSE_MEDIA_TYPE, Encoded

from ._failures import RAISED_ON_PURPOSE, raise_call_error

HATCH = "livepeer.items"
"""Key of a request's scope: the hatch of an api that streams."""

ANSWER = "livepeer.answer"
"""Key of a request's scope: what answers it in place of the api's own route, ``async (request) -> Response``."""


class Hatch:
    """Brings the items of one stream from the task of its application to that of its call.

    Args:
        encode: Makes an event of an item, on the application's side, where the request is the current one.
    """

    def __init__(self, encode: Callable[[Any], Encoded | None]) -> None:
        self._encode = encode
        self._entrance, self._exit = anyio.create_memory_object_stream[Encoded](0)
        self._error: BaseException | None = None
        self.opened = False
        """Whether there is a stream, and not an answer of one piece in its place."""

    async def open(self, items: AsyncIterator[Any]) -> Response:
        """The answer of a stream, once its first item is there. For the application.

        Raises:
            Exception: What the api raised before its first item.
        """
        return HatchResponse(await begun(items), self)

    async def put_all(self, items: AsyncIterator[Any]) -> None:
        """Let all items out, or the error that ends them. For the application."""
        with self._entrance:
            try:
                async for item in items:
                    event = self._encode(item)
                    if event is not None:
                        await self._entrance.send(event)
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the api's own, which goes to its caller
                self._error = error

    def end(self) -> None:
        """Say that no item comes any more. For the application."""
        self._entrance.close()

    def close(self) -> None:
        """Take no item any more. For the call."""
        self._entrance.close()
        self._exit.close()

    async def take_all(self) -> AsyncGenerator[Encoded]:
        """The items as they come. For the call.

        Raises:
            CallError: If the api ended the stream on purpose.
            Exception: Whatever else it raised between two items.
        """
        async for event in self._exit:
            yield event
        if isinstance(self._error, RAISED_ON_PURPOSE):
            raise_call_error(self._error)
        if self._error is not None:
            raise self._error


class HatchResponse(Response):
    """An answer whose head goes through the middlewares, and whose items go through a hatch.

    Args:
        items: Those of an api.
        hatch: That of the request's scope.
    """

    media_type = SSE_MEDIA_TYPE

    def __init__(self, items: AsyncGenerator[Any], hatch: Hatch) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._items = items
        self._hatch = hatch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, let the items out, run what is in the background."""
        self._hatch.opened = True
        async with aclosing(self._items):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            # Some middlewares hold the head back until there is a body.
            await send({"type": "http.response.body", "body": b"", "more_body": True})
            await self._hatch.put_all(self._items)
        await send({"type": "http.response.body", "body": b""})
        if self.background is not None:
            await self.background()


async def begun(items: AsyncIterator[Any]) -> AsyncGenerator[Any]:
    """The same items, once the first one is there.

    Raises:
        Exception: What the api raised before its first item: an answer of its own, no stream.
    """
    rest = _all_of(items)
    # The first step says nothing but that there is an item, or none.
    await anext(rest)
    return rest


async def _all_of(items: AsyncIterator[Any]) -> AsyncGenerator[Any]:
    try:
        first: list[Any] = []
        async for item in items:
            first.append(item)
            break
        yield None
        for item in first:
            yield item
        async for item in items:
            yield item
    finally:
        close = getattr(items, "aclose", None)
        if close is not None:
            await close()
