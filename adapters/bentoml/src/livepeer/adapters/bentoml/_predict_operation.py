"""An api on the contract's own face: a JSON document in, the value itself out."""

import inspect
from collections.abc import AsyncGenerator, Awaitable
from typing import Any, cast

from pydantic import BaseModel

from livepeer.core import (
    JSON_MEDIA_TYPE,
    Call,
    DeadlineExceededError,
    Encoded,
    OperationDescription,
    Streaming,
    TargetError,
)
from livepeer.fetch import FetchLimits, fetch_limits_from_environment

from . import _sdk
from ._inputs import Inputs, Unfilled
from ._opening import Head, open_stream
from ._outputs import Outputs
from ._predict_call import Api, PredictCall
from ._runtime import Runtime
from ._schemas import input_schema, output_media_type, output_schema
from ._slots import slots_of

_PATHS = ("/predict", "/run", "/call")


class PredictOperation:
    """`/predict` of a service, which is one of its apis.

    Args:
        runtime: What runs it.
        name: The api's.

    Raises:
        TargetError: If the limits for files in the environment cannot be read, or no path is left for it.
    """

    is_async = True

    def __init__(self, runtime: Runtime, name: str) -> None:
        method, factory = runtime.apis[name], cast("Any", runtime.factory)
        self._api = Api(
            runtime=runtime,
            name=name,
            method=method,
            inputs=Inputs(method.input_spec, _fetch_limits()),
            outputs=Outputs(method),
            path=_free_path(runtime),
        )
        self._passes_app = runtime.has_middlewares
        self._timeout: float | None = factory.timeout
        slots = slots_of(method, runtime.configuration, factory.max_concurrency)
        self.description = OperationDescription(
            name="predict" if "predict" not in runtime.apis else "predict-document",
            path=self._api.path,
            summary=inspect.cleandoc(method.doc or ""),
            input_schema=input_schema(method.input_spec),
            output_schema=output_schema(method),
            output_media_type=output_media_type(method),
            streams=method.is_stream,
            capacity=slots.capacity,
            pool=slots.pool,
            timeout_seconds=None if method.is_stream else self._timeout,
        )

    def decode(self, body: bytes, media_type: str = JSON_MEDIA_TYPE) -> "BaseModel | Unfilled":
        """Check a document; an empty body is an empty one. Files are read when the call runs.

        Raises:
            MalformedBodyError: If it is no JSON.
            InvalidInputError: If an input does not fit; names each.
        """
        return self._api.inputs.read(body)

    def invoke(self, value: "BaseModel | Unfilled", call: Call) -> Awaitable[Encoded | Streaming]:
        """Run the api.

        Raises:
            CallError: If it ends the call on purpose, or a file cannot be had.
        """
        predict = PredictCall(self._api, value, call)
        if self.description.streams:
            return self._open(predict.stream_through_app() if self._passes_app else predict.stream())
        return predict.answer_through_app() if self._passes_app else predict.answer()

    def encode(self, value: Encoded) -> Encoded:
        """What `invoke` gives is encoded already, within its request."""
        return value

    async def _open(self, parts: AsyncGenerator[Head | Encoded]) -> Encoded | Streaming:
        found = await open_stream(parts, timeout_seconds=self._timeout)
        if found is None:
            raise DeadlineExceededError(f"not one item came within {self._timeout} s")
        return found


def _fetch_limits() -> FetchLimits:
    try:
        return fetch_limits_from_environment()
    except ValueError as error:
        raise TargetError(str(error)) from error


def _free_path(runtime: Runtime) -> str:
    """The first of the usual paths that is no api's own."""
    taken = {_sdk.join_paths(runtime.service.path_prefix, api.route) for api in runtime.apis.values()}
    path = next((path for path in _PATHS if path not in taken), None)
    if path is None:
        raise TargetError(f"{runtime.service.name} has apis of its own at {', '.join(_PATHS)}: move one of them")
    return path
