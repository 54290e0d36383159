"""A Cog model, loaded: what both of its faces run predictions with."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from contextlib import suppress
from inspect import isawaitable
from typing import Any, cast

import anyio.to_thread

from livepeer.core import CallCancelledError, TargetError
from livepeer.fetch import FetchLimits, fetch_limits_from_environment

from . import _sdk
from ._concurrency import Permits, concurrency_of
from ._declaration import declare
from ._downloads import Downloads
from ._healthcheck import check_health
from ._inputs import Inputs
from ._interruption import Interruption, PredictionCancelledError
from ._output_types import OutputType
from ._outputs import encode_output
from ._reference import Handler
from ._scope import Scope
from ._setup import SetupState, set_up


class CogModel:
    """One model.

    Args:
        handler: What predicts.
        reference: Where it came from, as cog.yaml would say.
        most: How many predictions cog.yaml wants at once; None if it does not say.

    Raises:
        TargetError: If an input has no form on the wire, or a setting of downloads is none; names it.
    """

    def __init__(self, handler: Handler, *, reference: str, most: int | None = None) -> None:
        declaration = declare(handler.predict)
        self.reference = reference
        self.doc = handler.doc
        self.inputs = Inputs(declaration, handler.name)
        self.output = OutputType(declaration.returned, handler.predict)
        self.is_async = self.output.is_async
        self.concurrency = concurrency_of(handler, most, is_async=self.is_async)
        self.permits = Permits(self.concurrency)
        self.setup_state = SetupState()
        self.loop: asyncio.AbstractEventLoop | None = None
        """Where an async model runs, known from its setup on; None for a sync one, though its setup be async."""

        self._limits = _fetch_limits()
        self._model = handler.model
        self._predict = handler.predict

    def setup(self) -> Awaitable[None] | None:
        """Get the model ready: what is sync of it at once, on this thread; the rest on the loop that awaits it."""
        with self.setup_state.running():
            rest = set_up(self._model, self.setup_state)
        if rest is not None or self.is_async:
            return self._finish_setup(rest)
        self.setup_state.complete()
        return None

    async def _finish_setup(self, rest: Awaitable[None] | None) -> None:
        if self.is_async:
            self.loop = asyncio.get_running_loop()
        if rest is not None:
            with self.setup_state.running():
                await rest
        self.setup_state.complete()

    def run(self, inputs: Mapping[str, Any], scope: Scope) -> Generator[Any]:
        """Predict with a sync model: its outputs, JSON-ready, each when it is made; one if it does not stream.

        Whoever asks holds a permit, and goes through the outputs on one thread.

        Args:
            inputs: As `inputs.check()` gave them.
            scope: Of this prediction alone.

        Raises:
            FetchError: If a file cannot be had.
            OutputError: If an output has no form on the wire.
            PredictionCancelledError: If it was cancelled.
        """
        downloads = self._downloads(scope)
        interruption = Interruption(_sdk.CancelationException)
        scope.on_cancel = interruption.interrupt
        scope.enter()
        try:
            arguments = self.inputs.bind(inputs, downloads)
            if scope.cancelled:
                raise PredictionCancelledError("the prediction was cancelled before it began")
            with interruption:
                output = self._predict(**arguments)
                items = self._items(output)
                encoded = None if items is not None else encode_output(output)
            if items is None:
                yield encoded
            else:
                yield from _run_steps(items, interruption)
        except (_sdk.CancelationException, CallCancelledError):
            raise PredictionCancelledError("the prediction was cancelled") from None
        finally:
            scope.on_cancel = None
            scope.leave()
            downloads.remove()

    async def run_async(self, inputs: Mapping[str, Any], scope: Scope) -> AsyncGenerator[Any]:
        """Predict with an async model: the same as `run()`, in one task of its loop."""
        downloads = self._downloads(scope)
        output: Any = None
        scope.on_cancel = _cancelling(scope)
        scope.enter()
        try:
            arguments = await self._bind(inputs, downloads)
            if scope.cancelled:
                raise PredictionCancelledError("the prediction was cancelled before it began")
            output = self._predict(**arguments)
            if isawaitable(output):
                output = await output
            if isinstance(output, AsyncIterator):
                async for item in cast("AsyncIterator[Any]", output):
                    yield encode_output(item)
            else:
                several = self._items(output)
                for item in [output] if several is None else several:
                    yield encode_output(item)
        except (_sdk.CancelationException, CallCancelledError):
            raise PredictionCancelledError("the prediction was cancelled") from None
        except asyncio.CancelledError:
            if not scope.cancelled:
                raise
            raise PredictionCancelledError("the prediction was cancelled") from None
        finally:
            scope.on_cancel = None
            if isinstance(output, AsyncGenerator):
                await cast("AsyncGenerator[Any]", output).aclose()
            scope.leave()
            downloads.remove()

    def cancel(self, scope: Scope) -> None:
        """Stop a prediction, from any thread; before it has begun, it will not begin."""
        scope.cancel()

    async def healthcheck(self) -> str | None:
        """What is wrong with the model, as it says itself; None if nothing is, or it cannot say."""
        return await check_health(self._model, self.loop)

    @property
    def has_healthcheck(self) -> bool:
        """Whether the model can say how it is."""
        return getattr(self._model, "healthcheck", None) is not None

    def _downloads(self, scope: Scope) -> Downloads:
        return Downloads(self._limits, scope.call, lambda: scope.cancelled or scope.call.cancelled)

    async def _bind(self, inputs: Mapping[str, Any], downloads: Downloads) -> dict[str, Any]:
        if not self.inputs.has_files(inputs):
            return self.inputs.bind(inputs, downloads)
        # A cancelled task waits for the thread, which looks now and then whether it still has to go on.
        return await anyio.to_thread.run_sync(self.inputs.bind, inputs, downloads)

    def _items(self, output: Any) -> Iterator[Any] | None:
        """What a prediction that streams gives out one by one; None if the output is one."""
        if not self.output.streams or not isinstance(output, Iterator | list | tuple):
            return None
        return iter(cast("Iterator[Any]", output))


def _fetch_limits() -> FetchLimits:
    try:
        return fetch_limits_from_environment()
    except ValueError as error:
        raise TargetError(str(error)) from None


def _run_steps(items: Iterator[Any], interruption: Interruption) -> Generator[Any]:
    """The items of an output, each made within the interruption."""
    try:
        while True:
            if interruption.asked:
                raise _sdk.CancelationException
            with interruption:
                try:
                    item = next(items)
                except StopIteration:
                    return
                encoded = encode_output(item)
            yield encoded
    finally:
        _end(items, cancelled=interruption.asked)


def _end(items: Iterator[Any], *, cancelled: bool) -> None:
    """End a generator that may be in the middle; one that is cancelled sees that, wherever it waits."""
    if not isinstance(items, Generator):
        return
    if cancelled:
        with suppress(StopIteration, _sdk.CancelationException):
            items.throw(_sdk.CancelationException)
    items.close()


def _cancelling(scope: Scope) -> Callable[[], None]:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None

    def cancel_on_loop() -> None:
        # The prediction may have ended meanwhile, and the task be at something else.
        if scope.on_cancel is not None:
            task.cancel()

    def cancel() -> None:
        loop.call_soon_threadsafe(cancel_on_loop)

    return cancel
