"""Stays with a prediction from its start until it has ended and everybody was told."""

import asyncio
from contextlib import suppress

import anyio

from ._answers import Send, json_answer
from ._events import Subscription
from ._prediction import Prediction
from ._request import Mode, Receive
from ._running import Predictions
from ._stream import send_events

_UNWATCHED_SECONDS = 0.05
"""Most predictions of small models end within this time, and need nobody who watches for a caller that leaves."""


class Attendance:
    """Answers the request that made a prediction, and keeps it open until the work is done.

    The server counts a request as work until the application returns, also when its answer was sent long ago.
    """

    def __init__(self, predictions: Predictions) -> None:
        self._predictions = predictions
        self._open = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def attend(self, prediction: Prediction, mode: Mode, receive: Receive, send: Send) -> None:
        """Run a prediction to its end, whatever becomes of the request."""
        self._open += 1
        self._idle.clear()
        try:
            if prediction.webhook is None:
                await self._run(prediction, mode, receive, send)
            else:
                async with anyio.create_task_group() as group:
                    group.start_soon(prediction.webhook.deliver)
                    await self._run(prediction, mode, receive, send)
        finally:
            self._open -= 1
            if not self._open:
                self._idle.set()

    async def wait_until_idle(self) -> None:
        """Wait until no prediction is attended."""
        await self._idle.wait()

    async def stream(self, prediction: Prediction, subscription: Subscription, receive: Receive, send: Send) -> None:
        """Send the events of a prediction, until it ends or the caller leaves."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(_cancel_on_leave, receive, group.cancel_scope)
                with suppress(OSError):  # the caller left
                    await send_events(subscription, send)
                group.cancel_scope.cancel()
        finally:
            subscription.log.leave(subscription)
            if prediction.cancels_unread and not subscription.log.is_read and not prediction.is_over:
                self._predictions.cancel(prediction)

    async def _run(self, prediction: Prediction, mode: Mode, receive: Receive, send: Send) -> None:
        subscription = prediction.events.subscribe() if mode is Mode.STREAM and prediction.events else None
        self._predictions.start(prediction)
        try:
            with suppress(OSError):  # the caller left
                if subscription is not None:
                    await self.stream(prediction, subscription, receive, send)
                elif mode is Mode.LATER:
                    await json_answer(202, {"id": prediction.id, "status": "starting"}).send(send)
                else:
                    await self._wait(prediction, receive, send)
            await prediction.ends_within(None)
        except anyio.get_cancelled_exc_class():
            self._predictions.cancel(prediction)
            raise
        finally:
            self._predictions.forget(prediction)

    async def _wait(self, prediction: Prediction, receive: Receive, send: Send) -> None:
        if not await prediction.ends_within(_UNWATCHED_SECONDS):
            async with anyio.create_task_group() as group:
                group.start_soon(self._cancel_prediction_on_leave, receive, prediction)
                await prediction.ends_within(None)
                group.cancel_scope.cancel()
        self._predictions.forget(prediction)
        if prediction.answer is not None:
            await prediction.answer.send(send)

    async def _cancel_prediction_on_leave(self, receive: Receive, prediction: Prediction) -> None:
        await _left(receive)
        self._predictions.cancel(prediction)


async def _cancel_on_leave(receive: Receive, scope: anyio.CancelScope) -> None:
    await _left(receive)
    scope.cancel()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
