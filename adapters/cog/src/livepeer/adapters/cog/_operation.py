"""The native face of a Cog model: the output itself is the answer."""

from collections.abc import AsyncGenerator, Generator
from typing import Any, cast

from pydantic_core import from_json

from livepeer.core import (
    JSON_MEDIA_TYPE,
    BusyError,
    Call,
    Encoded,
    MalformedBodyError,
    OperationDescription,
    encode_json,
)

from ._model import CogModel
from ._scope import Scope


class CogOperation:
    """`/predict` of a Cog model.

    Args:
        model: The model, whose permits it shares with Cog's own HTTP.
        summary: What the model says of itself.
    """

    def __init__(self, model: CogModel, *, summary: str = "") -> None:
        self._model = model
        self._streams = model.output.streams
        self._running: dict[Call, Scope] = {}
        self.is_async = model.is_async
        self.description = OperationDescription(
            name="predict",
            path="/predict",
            summary=summary,
            input_schema=model.inputs.schema,
            output_schema=model.output.schema,
            streams=self._streams,
            capacity=model.concurrency,
        )

    def decode(self, body: bytes, media_type: str = JSON_MEDIA_TYPE) -> dict[str, Any]:
        """Check a document; an empty body is an empty one. Files are downloaded when the prediction runs.

        Raises:
            MalformedBodyError: If it is no JSON.
            InvalidInputError: If an input does not fit; names each.
        """
        try:
            document: Any = from_json(body or b"{}", allow_inf_nan=False)
        except ValueError as error:
            raise MalformedBodyError(f"Invalid JSON: {error}") from None
        return self._model.inputs.check(document)

    def invoke(self, value: dict[str, Any], call: Call) -> Any:
        """Predict: an output, or an iterator of outputs; awaitable, or async, if the model is."""
        if self.is_async:
            return self._stream_async(value, call) if self._streams else self._answer_async(value, call)
        return self._stream(value, call) if self._streams else self._answer(value, call)

    def encode(self, value: Any) -> Encoded:
        """Serialize an output that the model has made JSON-ready."""
        return Encoded(encode_json(value), JSON_MEDIA_TYPE)

    def interrupt(self, call: Call) -> None:
        """Stop a prediction of a sync model."""
        scope = self._running.get(call)
        if scope is not None:
            self._model.cancel(scope)

    def _answer(self, value: dict[str, Any], call: Call) -> Any:
        (output,) = self._stream(value, call)
        return output

    async def _answer_async(self, value: dict[str, Any], call: Call) -> Any:
        outputs = [output async for output in self._stream_async(value, call)]
        return outputs[0]

    def _stream(self, value: dict[str, Any], call: Call) -> Generator[Any]:
        scope = self._begin(call)
        try:
            yield from self._model.run(value, scope)
        finally:
            self._end(scope)

    async def _stream_async(self, value: dict[str, Any], call: Call) -> AsyncGenerator[Any]:
        scope = self._begin(call)
        outputs = self._model.run_async(value, scope)
        try:
            async for output in outputs:
                yield output
        finally:
            await outputs.aclose()
            self._end(scope)

    def _begin(self, call: Call) -> Scope:
        if not self._model.permits.take():
            raise BusyError("another prediction runs, which came by /predictions")
        scope = self._running[call] = Scope(call=call)
        # The host says so first and interrupts then: one of the two is seen.
        scope.cancelled = call.cancelled
        return scope

    def _end(self, scope: Scope) -> None:
        self._running.pop(scope.call, None)
        self._model.permits.give_back()
        scope.call.metrics.update(_flat(scope.metrics))


def _flat(metrics: dict[str, Any], prefix: str = "") -> dict[str, float | int | str]:
    """Figures by their dotted names; lists do not fit into a header."""
    found: dict[str, float | int | str] = {}
    for name, value in metrics.items():
        if isinstance(value, dict):
            found |= _flat(cast("dict[str, Any]", value), f"{prefix}{name}.")
        elif isinstance(value, int | float | str):
            found[prefix + name] = value
    return found
