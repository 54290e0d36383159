"""One call of an api on the contract's own face, with or without the middlewares of its service."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from livepeer.core import Call, Encoded

from . import _sdk
from ._app_call import AppCall
from ._arguments import arguments_of
from ._context import apply_context, background_of
from ._failures import RAISED_ON_PURPOSE, raise_call_error
from ._hatch import ANSWER, Hatch, begun
from ._inputs import Inputs, Unfilled
from ._items import encode_item
from ._opening import Head, head_of
from ._outputs import Outputs
from ._requests import HttpScope, http_scope, request_of
from ._responses import encode_response
from ._runtime import Runtime


@dataclass(frozen=True, kw_only=True)
class Api:
    """What calls of one api have in common."""

    runtime: Runtime
    name: str
    method: Any
    inputs: Inputs
    outputs: Outputs

    path: str
    """Where the contract's own face is."""

    @property
    def has_context(self) -> bool:
        """Whether the api has a say in the head of its answer."""
        return self.method.ctx_param is not None


class PredictCall:
    """One call.

    Args:
        api: What is called.
        value: Its input.
        call: The call.
    """

    def __init__(self, api: Api, value: BaseModel | Unfilled, call: Call) -> None:
        self._api = api
        self._value = value
        self._call = call
        self._files = ExitStack()
        self._error: BaseException | None = None

    async def answer(self) -> Encoded:
        """The whole answer.

        Raises:
            CallError: If the api ends the call on purpose, or a file cannot be had.
        """
        with ExitStack() as stack:
            request, output = self._enter(stack), None
            try:
                output = await self._run()
                if not isinstance(output, Response) and not self._api.has_context:
                    return await self._api.outputs.answer(output)
                request = request or self._request()
                response = await self._respond(output)
                apply_context(self._api.method, self._api.runtime.service.context, response)
                return await encode_response(response, request.scope)
            except RAISED_ON_PURPOSE as error:
                raise_call_error(error)
            finally:
                self._files.close()
                if request is not None:
                    await self._api.runtime.afterwards.end(request, background_of(output))

    async def stream(self) -> AsyncGenerator[Head | Encoded]:
        """The head of a stream, and its items.

        Raises:
            CallError: If the api ends the call on purpose, or a file cannot be had.
        """
        with ExitStack() as stack:
            request = self._enter(stack)
            try:
                async with aclosing(await begun(self._items())) as items:
                    response = Response()
                    apply_context(self._api.method, self._api.runtime.service.context, response)
                    yield head_of(response.status_code, response.raw_headers)
                    async for item in items:
                        event = self._encode_item(item)
                        if event is not None:
                            yield event
            except RAISED_ON_PURPOSE as error:
                raise_call_error(error)
            finally:
                if request is not None:
                    await self._api.runtime.afterwards.end(request, background_of(None))

    async def answer_through_app(self) -> Encoded:
        """The whole answer, past the middlewares, which may answer themselves.

        Raises:
            CallError: If the api ends the call on purpose, or a file cannot be had.
        """

        async def answer(request: Request) -> Response:
            try:
                return await self._respond(await self._run())
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the api's own, raised on the other side
                return self._failed(error)
            finally:
                self._files.close()

        found = await AppCall(self._api.runtime, {**self._app_scope(), ANSWER: answer}, b"").answer()
        self._raise_error()
        return found

    async def stream_through_app(self) -> AsyncGenerator[Head | Encoded]:
        """The head of a stream, and its items, past the middlewares, which may answer themselves.

        Raises:
            CallError: If the api ends the call on purpose, or a file cannot be had.
        """
        hatch = Hatch(self._encode_item)

        async def answer(request: Request) -> Response:
            try:
                return await hatch.open(self._items())
            except (Exception, SystemExit) as error:  # noqa: BLE001 - the api's own, raised on the other side
                return self._failed(error)

        app_call = AppCall(self._api.runtime, {**self._app_scope(), ANSWER: answer}, b"")
        async with aclosing(app_call.stream(hatch)) as parts:
            async for part in parts:
                self._raise_error()
                yield part

    def _enter(self, stack: ExitStack) -> Request | None:
        """The request that BentoML's code sees, where it looks for one."""
        if not self._api.has_context and not self._api.inputs.need_request:
            return None
        request = self._request()
        stack.enter_context(self._api.runtime.in_request(request))
        return request

    def _request(self) -> Request:
        return request_of(self._call, b"", self._api.path)

    def _app_scope(self) -> HttpScope:
        return http_scope(self._call, _sdk.join_paths(self._api.runtime.service.path_prefix, self._api.method.route))

    async def _run(self) -> Any:
        return await (await self._start())

    async def _items(self) -> AsyncGenerator[Any]:
        try:
            items: AsyncIterator[Any] = await self._start()
            async with aclosing(await begun(items)) as all_items:
                async for item in all_items:
                    yield item
        finally:
            self._files.close()

    async def _start(self) -> Any:
        value = self._value
        if isinstance(value, Unfilled):
            files = self._api.inputs.files(self._call)
            self._files.callback(files.close)
            value = await self._api.inputs.fill(value, files)
        args, kwargs = arguments_of(self._api.method, value)
        return self._api.runtime.run(self._api.name, args, kwargs)

    async def _respond(self, output: Any) -> Response:
        """An answer with a head of its own."""
        if isinstance(output, Response):
            return output
        plain = await self._api.outputs.answer(output)
        return Response(plain.body, headers={"content-type": plain.media_type})

    def _encode_item(self, item: Any) -> Encoded | None:
        return encode_item(item, self._api.outputs)

    def _failed(self, error: BaseException) -> Response:
        self._error = error
        return Response(status_code=500)

    def _raise_error(self) -> None:
        if isinstance(self._error, RAISED_ON_PURPOSE):
            raise_call_error(self._error)
        if self._error is not None:
            raise self._error
