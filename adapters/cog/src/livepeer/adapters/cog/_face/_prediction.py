"""One prediction of the face: what is known of it, and who is told."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Literal, cast

from livepeer.adapters.cog._scope import Scope
from livepeer.core import Call

from ._answers import Answer, json_answer, to_json
from ._events import LAST, Event, EventLog
from ._webhook import Webhook

Status = Literal["starting", "processing", "succeeded", "failed", "canceled"]


class Prediction:
    """One prediction. Changed by the thread that predicts alone; read by anybody.

    Args:
        id: Its id, the caller's own or ours.
        document: The input as it was given, for whoever asks again.
        inputs: The input as the model takes it.
        streams: Whether its outputs are a list, one event each.
        call: What it carries through the model.
        context: The caller's, for `current_scope().context`.
        events: Where its events are kept, if the model streams.
        webhook: Whom to tell, if the caller wants to be told.
    """

    def __init__(
        self,
        *,
        id: str,
        document: Mapping[str, Any],
        inputs: dict[str, Any],
        streams: bool,
        call: Call,
        context: Mapping[str, str],
        events: EventLog | None = None,
        webhook: Webhook | None = None,
    ) -> None:
        self.id = id
        self.document = document
        self.inputs = inputs
        self.call = call
        self.webhook = webhook
        self.events = events
        self.status: Status = "starting"
        self.error: str | None = None
        self.answer: Answer | None = None
        """What a caller who waited for the end gets."""

        self.cancels_unread = False
        """Whether it is cancelled once nobody reads its events any more."""

        self._streams = streams
        self._outputs: list[Any] = []
        self._started = time.perf_counter()
        self._seconds = 0.0
        self._loop = asyncio.get_running_loop()
        self.is_over = False
        """Whether whoever waits has been told of the end."""

        self._wake: asyncio.Future[None] | None = None
        is_watched = events is not None or webhook is not None
        self.scope = Scope(call=call, context=context, listener=self if is_watched else None)

    def start(self) -> None:
        """It is being worked on."""
        self.status = "processing"
        self._tell(Event("start", {"id": self.id, "status": self.status}))
        if self.webhook is not None:
            self.webhook.note("start", self.snapshot)

    def add_output(self, output: Any) -> None:
        """The model gave this."""
        # Cog tells of the items of a returned list one by one.
        is_list = not self._streams and isinstance(output, list)
        chunks: list[Any] = cast("list[Any]", output) if is_list else [output]
        for chunk in chunks:
            self._outputs.append(chunk)
            self._tell(Event("output", {"chunk": chunk, "index": len(self._outputs) - 1}))
            if self.webhook is not None:
                self.webhook.note("output", self.snapshot)
        if not self._streams:
            self._outputs = [output]

    def on_log(self, source: Literal["stdout", "stderr"], data: str) -> None:
        """The model printed this."""
        self._tell(Event("log", {"source": source, "data": data}))
        if self.webhook is not None:
            self.webhook.note("logs", self.snapshot)

    def on_metric(self, name: str, value: Any, mode: str) -> None:
        """The model recorded this."""
        self._tell(Event("metric", {"name": name, "value": value, "mode": mode}))

    def finish(self, status: Status, error: str | None = None) -> None:
        """It has ended; whoever waits is told by `announce`."""
        self._seconds = time.perf_counter() - self._started
        self.status = status
        self.error = error
        # Made here and not on the loop, which a large output would hold up.
        self.answer = json_answer(200, self._envelope())

    def announce(self) -> None:
        """Tell whoever waits that it has ended. Its slot is free by now."""
        # First of all it is over: who reads of the end in a stream may ask for the same id again.
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(self._end)
        if self.events is not None or self.webhook is not None:
            snapshot = self.snapshot()
            self._tell(Event(LAST, snapshot))
            if self.webhook is not None:
                self.webhook.finish(to_json(snapshot))

    async def ends_within(self, seconds: float | None) -> bool:
        """Wait for the end; whether it came in time. One task waits at a time."""
        if self.is_over:
            return True
        self._wake = self._loop.create_future()
        timer = None if seconds is None else self._loop.call_later(seconds, self._wake_up)
        try:
            await self._wake
        finally:
            if timer is not None:
                timer.cancel()
        return self.is_over

    def snapshot(self) -> dict[str, Any]:
        """What is known of it now."""
        document: dict[str, Any] = {"id": self.id, "status": self.status, "logs": self.scope.logs}
        if self.status == "succeeded":
            document["output"] = self._output()
        elif self._outputs:
            document["output"] = list(self._outputs)
        if self.error is not None:
            document["error"] = self.error
        document["metrics"] = self._metrics()
        return document

    def _end(self) -> None:
        self.is_over = True
        self._wake_up()

    def _wake_up(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    def _tell(self, event: Event) -> None:
        if self.events is not None:
            self.events.append(event)

    def _envelope(self) -> dict[str, Any]:
        document: dict[str, Any] = {"id": self.id, "status": self.status, "logs": "", "metrics": self._metrics()}
        if self.status == "succeeded":
            document |= {"logs": self.scope.logs, "output": self._output()}
        if self.error is not None:
            document["error"] = self.error
        return document

    def _metrics(self) -> dict[str, Any]:
        if self.status in ("starting", "processing"):
            return dict(self.scope.metrics)
        return {**self.scope.metrics, "predict_time": self._seconds}

    def _output(self) -> Any:
        return list(self._outputs) if self._streams else self._outputs[-1] if self._outputs else None
