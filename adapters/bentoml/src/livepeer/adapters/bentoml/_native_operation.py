"""An api on its own route, with BentoML's own wire: the bodies, statuses and headers of `bentoml serve`."""

import inspect
from collections.abc import AsyncGenerator, Awaitable
from functools import partial
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from livepeer.core import ANY_MEDIA_TYPE, SSE_MEDIA_TYPE, Call, Encoded, OperationDescription, Streaming

from . import _sdk
from ._app_call import AppCall
from ._hatch import HATCH, Hatch
from ._items import encode_item
from ._native_stream import native_stream
from ._opening import Head, open_stream
from ._outputs import Outputs
from ._requests import http_scope, request_of
from ._responses import encode_response
from ._runtime import Runtime
from ._schemas import native_input_schema, output_schema
from ._slots import slots_of


class NativeOperation:
    """One api with its own face.

    Args:
        runtime: What runs it.
        name: The api's.
    """

    is_async = True

    def __init__(self, runtime: Runtime, name: str) -> None:
        method, factory = runtime.apis[name], cast("Any", runtime.factory)
        self._runtime = runtime
        self._name = name
        self._encode_item = partial(encode_item, outputs=Outputs(method))
        self._timeout: float | None = factory.timeout
        self._path = _sdk.join_paths(runtime.service.path_prefix, method.route)
        slots = slots_of(method, runtime.configuration, factory.max_concurrency)
        self.description = OperationDescription(
            name=name,
            path=self._path,
            summary=inspect.cleandoc(method.doc or ""),
            input_schema=native_input_schema(method.input_spec),
            output_schema=output_schema(method),
            input_media_types=tuple(dict.fromkeys((str(method.input_spec.mime_type()), ANY_MEDIA_TYPE))),
            output_media_type=SSE_MEDIA_TYPE if method.is_stream else str(method.output_spec.mime_type()),
            streams=method.is_stream,
            capacity=slots.capacity,
            pool=slots.pool,
            timeout_seconds=None if method.is_stream else self._timeout,
        )

    def decode(self, body: bytes, media_type: str = "") -> bytes:
        """The body as it came: what BentoML makes of it, it makes within the request."""
        return body

    def invoke(self, value: bytes, call: Call) -> Awaitable[Encoded | Streaming]:
        """Answer as BentoML does; what an api raises is an answer too, but for what ends a stream."""
        if self.description.streams:
            return self._open(self._stream(value, call))
        if self._runtime.has_middlewares:
            return AppCall(self._runtime, http_scope(call, self._path), value).answer()
        return self._answer(value, call)

    def encode(self, value: Encoded) -> Encoded:
        """What `invoke` gives is encoded already, within its request."""
        return value

    async def _answer(self, body: bytes, call: Call) -> Encoded:
        request = request_of(call, body, self._path)
        with self._runtime.in_request(request):
            background = None
            try:
                response = await self._runtime.answer(self._name, request)
                background = response.background
                return await self._encode(response, request)
            finally:
                await self._runtime.afterwards.end(request, background)

    async def _encode(self, response: Response, request: Request) -> Encoded:
        try:
            return await encode_response(response, request.scope)
        except Exception as error:  # noqa: BLE001 - a file that is gone, or an iterator of the api's own
            return await encode_response(self._runtime.render_error(error), request.scope)

    async def _open(self, parts: AsyncGenerator[Head | Encoded]) -> Encoded | Streaming:
        found = await open_stream(parts, timeout_seconds=self._timeout)
        if found is not None:
            return found
        error = {"error": f"Not able to process the request in {self._timeout} seconds"}
        return await encode_response(JSONResponse(error, status_code=504), {})

    def _stream(self, body: bytes, call: Call) -> AsyncGenerator[Head | Encoded]:
        if self._runtime.has_middlewares:
            hatch = Hatch(self._encode_item)
            return AppCall(self._runtime, {**http_scope(call, self._path), HATCH: hatch}, body).stream(hatch)
        return native_stream(self._runtime, self._name, request_of(call, body, self._path), self._encode_item)
