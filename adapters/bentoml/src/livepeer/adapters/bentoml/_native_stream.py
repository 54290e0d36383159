"""A stream of an api on its own route: its head, then its items, within its request."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response

from livepeer.core import SSE_MEDIA_TYPE, Encoded

from ._context import apply_context, background_of
from ._failures import RAISED_ON_PURPOSE, raise_call_error
from ._hatch import begun
from ._opening import Head, head_of
from ._responses import encode_response
from ._runtime import Runtime


async def native_stream(
    runtime: Runtime, name: str, request: Request, encode: Callable[[Any], Encoded | None]
) -> AsyncGenerator[Head | Encoded]:
    """The head of a stream and its items, or an answer of one piece that came in their place.

    Args:
        runtime: What runs the api.
        name: The api's.
        request: What it answers.
        encode: Makes an event of an item, or none.

    Raises:
        CallError: If the api ends the stream on purpose, once it has begun.
        Exception: Whatever else it raises between two items.
    """
    with runtime.in_request(request):
        try:
            async with aclosing(_parts(runtime, name, request, encode)) as parts:
                async for part in parts:
                    yield part
        except RAISED_ON_PURPOSE as error:
            raise_call_error(error)
        finally:
            await runtime.afterwards.end(request, background_of(None))


async def _parts(
    runtime: Runtime, name: str, request: Request, encode: Callable[[Any], Encoded | None]
) -> AsyncGenerator[Head | Encoded]:
    add_headers: Callable[[Response], None] = cast("Any", runtime.factory)._add_response_headers
    try:
        args, kwargs = await runtime.parse(name, request)
        items = await begun(cast("AsyncIterator[Any]", runtime.run(name, args, kwargs)))
    except Exception as error:  # noqa: BLE001 - the api's own: an answer, as long as there is no other
        response = runtime.render_error(error)
        add_headers(response)
        yield await encode_response(response, request.scope)
        return
    async with aclosing(items):
        response = Response(media_type=SSE_MEDIA_TYPE)
        apply_context(runtime.apis[name], runtime.service.context, response)
        add_headers(response)
        yield head_of(response.status_code, response.raw_headers)
        async for item in items:
            event = encode(item)
            if event is not None:
                yield event
