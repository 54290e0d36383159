"""The predictions that run, and the thread or the loop that they run on."""

import asyncio
import logging
import threading
from queue import SimpleQueue
from typing import TYPE_CHECKING, Protocol

from livepeer.adapters.cog._interruption import PredictionCancelledError
from livepeer.core import CallError, InvalidInputError

from ._prediction import Prediction

if TYPE_CHECKING:
    from livepeer.adapters.cog._model import CogModel

_LOGGER = logging.getLogger(__name__)


class Runner(Protocol):
    """What runs predictions."""

    def start(self, prediction: Prediction) -> None:
        """Begin one; returns at once."""
        ...

    def close(self) -> None:
        """Take no more."""
        ...


class SyncRunner:
    """One thread for all predictions of a sync model, so that what it made there stays where it was made."""

    def __init__(self, model: "CogModel") -> None:
        self._model = model
        self._queue: SimpleQueue[Prediction | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, prediction: Prediction) -> None:
        """Begin one; returns at once."""
        if self._thread is None:
            # A daemon: a model that never returns must not keep the process alive.
            self._thread = threading.Thread(target=self._work, name="livepeer-predictions", daemon=True)
            self._thread.start()
        self._queue.put(prediction)

    def close(self) -> None:
        """Take no more."""
        if self._thread is not None:
            self._queue.put(None)

    def _work(self) -> None:
        while (prediction := self._queue.get()) is not None:
            try:
                with prediction.call.running():
                    self._predict(prediction)
            except BaseException as error:  # noqa: BLE001 - the user's code ran, and may have raised anything
                _fail(self._model, prediction, error)
            else:
                _succeed(prediction)
            self._model.permits.give_back()
            prediction.announce()

    def _predict(self, prediction: Prediction) -> None:
        prediction.start()
        outputs = self._model.run(prediction.inputs, prediction.scope)
        try:
            for output in outputs:
                prediction.add_output(output)
        finally:
            outputs.close()


class AsyncRunner:
    """The loop of an async model, which is not the face's."""

    def __init__(self, model: "CogModel") -> None:
        self._model = model

    def start(self, prediction: Prediction) -> None:
        """Begin one; returns at once."""
        assert self._model.loop is not None, "a model that is ready has its loop"
        asyncio.run_coroutine_threadsafe(self._work(prediction), self._model.loop)

    def close(self) -> None:
        """Take no more."""

    async def _work(self, prediction: Prediction) -> None:
        try:
            with prediction.call.running():
                await self._predict(prediction)
        except BaseException as error:
            _fail(self._model, prediction, error)
            if isinstance(error, asyncio.CancelledError):
                raise  # the loop itself is being taken down
        else:
            _succeed(prediction)
        finally:
            self._model.permits.give_back()
            prediction.announce()

    async def _predict(self, prediction: Prediction) -> None:
        prediction.start()
        outputs = self._model.run_async(prediction.inputs, prediction.scope)
        try:
            async for output in outputs:
                prediction.add_output(output)
        finally:
            await outputs.aclose()


class Predictions:
    """Those that run now, by id."""

    def __init__(self, model: "CogModel") -> None:
        self._model = model
        self._runner: Runner = AsyncRunner(model) if model.is_async else SyncRunner(model)
        self._running: dict[str, Prediction] = {}

    def start(self, prediction: Prediction) -> None:
        """Run one, whose permit was taken. A later one of the same id takes an earlier one's place, as in Cog."""
        self._running[prediction.id] = prediction
        self._runner.start(prediction)

    def get(self, id: str) -> Prediction | None:
        """The one that runs under this id."""
        found = self._running.get(id)
        return None if found is None or found.is_over else found

    def forget(self, prediction: Prediction) -> None:
        """It has ended."""
        if self._running.get(prediction.id) is prediction:
            del self._running[prediction.id]

    def cancel(self, prediction: Prediction) -> None:
        """Stop one; it ends when the model has let go."""
        prediction.call.cancelled = True
        self._model.cancel(prediction.scope)

    def cancel_all(self) -> None:
        """Stop all of them."""
        for prediction in list(self._running.values()):
            self.cancel(prediction)

    def close(self) -> None:
        """Take no more."""
        self._runner.close()


def _succeed(prediction: Prediction) -> None:
    # A model may swallow its cancellation and return: what it returned is nobody's any more.
    prediction.finish("canceled" if prediction.scope.cancelled else "succeeded")


def _fail(model: "CogModel", prediction: Prediction, error: BaseException) -> None:
    match error:
        case PredictionCancelledError() | asyncio.CancelledError():
            prediction.finish("canceled")
        case InvalidInputError():
            prediction.finish("failed", f"Input validation error: {error.detail}")
        case _:
            _LOGGER.error("prediction %s failed", prediction.id, exc_info=error)
            prediction.finish("failed", f"Prediction failed: {_describe(model, error)}")


def _describe(model: "CogModel", error: BaseException) -> str:
    """Say it as Cog does, which names the step that failed first."""
    if isinstance(error, CallError):
        return error.detail
    if model.is_async:
        step = "Async prediction failed"
    else:
        step = "Generator iteration error" if model.output.streams else "Prediction failed"
    return f"{step}: {type(error).__qualname__}: {error}"
