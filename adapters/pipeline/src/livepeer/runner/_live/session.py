"""One session, from its start to its end, whatever ends it."""

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self

import anyio
from anyio import to_thread

from livepeer.core import (
    Call,
    CallError,
    ModelFailedError,
    SessionReport,
    SessionStart,
    UnknownSessionError,
)
from livepeer.trickle import AsyncJSONLReader, TrickleError

from .channels import channel_error, control_reader, send_data, send_events
from .ending import Ending
from .hooks import Hooks
from .media import StreamThread, make_thread
from .params import ParamsFormat
from .pipeline import LivePipeline, overrides
from .reports import Reports
from .stream import OwnStream
from .turns import Turns, awaited
from .watch import Watch

logger = logging.getLogger("livepeer.runner")

_MESSAGES_WAITING = 64
"""How many control messages wait for their turn before the rest is left on the channel."""

_CLOSE_SECONDS = 6.0
"""How long the last events and lines of data may take to arrive."""

_LEAVE_SECONDS = 0.5
"""The same of a session that was stopped before it ran: there is little to tell, and whoever stopped it waits."""


class Session:
    """Runs one stream: a context, all of it for one task of the event loop, but for `update` and `stop`.

    Args:
        pipeline: The one that was set up.
        format: Of the params.
        start: What the session begins with.
        call: The request that began it.
        shares_cores: Whether others may run at the same time.

    Raises:
        InvalidInputError: If the params do not fit.
    """

    def __init__(
        self, pipeline: LivePipeline, format: ParamsFormat, start: SessionStart, call: Call, *, shares_cores: bool
    ) -> None:
        params = format.validate(start.params)
        self._pipeline = pipeline
        self._format = format
        self._start = start
        self._shares_cores = shares_cores
        self._ending = Ending()
        self._hooks = Hooks(call)
        self._reports = Reports(start.stream_id, events=start.events_url is not None, data=start.data_url is not None)
        self._stream = OwnStream(start.stream_id, pipeline, params=params, hooks=self._hooks, reports=self._reports)
        self._watch = Watch(self._stream, pipeline, start, self._reports)
        self._watch.note_params(format.dump(params))
        self._updates = 0
        self._settled = asyncio.Event()
        self._finished = asyncio.Event()
        self._thread: StreamThread | None = None
        self._turns = Turns(self._post)
        self._senders = anyio.create_task_group()
        self._listeners = anyio.create_task_group()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start the stream.

        Raises:
            CallError: If it does not start.
        """
        try:
            await self._begin()
        except BaseException as error:  # Also a cancellation: what has begun is cleaned up, and the caller gets it.
            self._ending.end("failed" if isinstance(error, CallError) else "cancelled", str(error))
            await self._clean_up(_CLOSE_SECONDS if self._ending.report().reason == "failed" else _LEAVE_SECONDS)
            raise
        self._watch.note_running()
        self._settled.set()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.end("cancelled")
        await self._clean_up(_CLOSE_SECONDS)

    async def wait(self) -> SessionReport:
        """Wait until something ends it; return what."""
        return await self._ending.wait()

    async def update(self, params: Any) -> Any:
        """Give it other params, and return those in force; of several updates at once the latest counts.

        Raises:
            UnknownSessionError: If it ends before they are.
            InvalidInputError: If they do not fit.
        """
        checked = self._format.validate(params)
        await self._settled.wait()
        if self._ending.is_known:
            raise self._is_unknown()
        self._updates = number = self._updates + 1
        try:
            await self._turns.take(lambda: self._stream.update(checked) if number == self._updates else None)
            if number != self._updates:
                await self._turns.take(lambda: None)  # The newer ones have their turn before this one.
        except CallError:
            raise
        except Exception as error:  # The pipeline's own code; the host logs the cause.
            raise self._is_failed("on_params_update", error) from error
        in_force = self._format.dump(self._stream.params)
        self._watch.note_params(in_force)
        return in_force

    async def stop(self, detail: str) -> None:
        """End it, and return when it is cleaned up."""
        self._ending.end("stopped", detail)
        await self._finished.wait()

    async def _begin(self) -> None:
        await self._stack.enter_async_context(self._senders)
        await self._stack.enter_async_context(self._listeners)
        with self._ending.cutting_short():
            await self._start_all()

    async def _start_all(self) -> None:
        reader = self._control_reader()
        await self._open("events", send_events)
        await self._open("data", send_data)
        self._listeners.start_soon(self._watch.run, partial(self._ending.end, "watchdog"))
        make = partial(
            make_thread,
            self._stream,
            self._pipeline,
            self._start,
            shares_cores=self._shares_cores,
            on_end=self._ending.end_with_media,
        )
        self._thread = self._watch.thread = await to_thread.run_sync(make)
        await self._start_stream(self._thread)
        if reader is not None:
            self._listeners.start_soon(self._listen, reader)

    def _control_reader(self) -> AsyncJSONLReader | None:
        if self._start.control_url is None:
            return None
        try:
            return control_reader(self._start.control_url, verify=self._start.verify_tls)
        except ValueError as error:
            raise channel_error("control", error) from None

    async def _open(self, channel: Literal["events", "data"], send: Any) -> None:
        url: str | None = getattr(self._start, f"{channel}_url")
        if url is None:
            return
        sending = partial(
            send,
            url,
            getattr(self._reports, channel),
            verify=self._start.verify_tls,
            on_failure=partial(self._ending.end_with, channel),
        )
        try:
            await self._senders.start(sending)
        except (TrickleError, ValueError) as error:
            raise channel_error(channel, error) from None

    async def _start_stream(self, thread: StreamThread) -> None:
        with awaited(self._turns.take(self._stream.begin)) as begun:
            try:
                # A thread that is left behind while it connects ends with that: its stop comes first.
                await to_thread.run_sync(thread.start, abandon_on_cancel=True)
            except (TrickleError, ValueError) as error:
                raise channel_error("media", error) from None
            try:
                await begun
            except CallError:
                raise
            except Exception as error:  # The pipeline's own code; the host logs the cause.
                raise self._is_failed("on_stream_start", error) from error

    async def _listen(self, reader: AsyncJSONLReader) -> None:
        room = anyio.Semaphore(_MESSAGES_WAITING)
        takes_messages = overrides(self._pipeline, "on_control")
        try:
            async with reader:
                async for message in reader:
                    if takes_messages:
                        await room.acquire()
                        taken = self._turns.take(partial(self._stream.take_message, message))
                        taken.add_done_callback(lambda _: room.release())
            self._ending.end("channel_closed", "the channel for control has ended")
        except TrickleError as error:
            self._ending.end_with("control", error)

    async def _clean_up(self, close_seconds: float) -> None:
        try:
            with anyio.CancelScope(shield=True):
                await _to_its_end(self._stop_stream())
        finally:
            self._watch.tell_end(self._ending.report())
            self._settled.set()
            self._reports.close()
            self._listeners.cancel_scope.cancel()
            self._senders.cancel_scope.deadline = anyio.current_time() + close_seconds
            try:
                await self._stack.aclose()
            finally:
                self._finished.set()

    async def _stop_stream(self) -> None:
        self._stream.close()
        if self._thread is not None:
            seconds = self._pipeline.stop_seconds
            ending = self._turns.take(self._stream.end)
            if self._stream.is_begun and not (await asyncio.wait([ending], timeout=seconds))[0]:
                self._hooks.cancel()
            if not await to_thread.run_sync(self._thread.stop, seconds):
                self._hooks.cancel()
                logger.error("stream %s: a hook does not return; its thread is left behind", self._start.stream_id)
        self._stream.leave()
        self._turns.close(self._is_unknown())

    def _post(self, work: Any) -> None:
        assert self._thread is not None
        self._thread.post(work)

    def _is_unknown(self) -> UnknownSessionError:
        return UnknownSessionError(f"no stream {self._start.stream_id} runs here")

    def _is_failed(self, hook: str, error: Exception) -> ModelFailedError:
        self._stream.note_error(hook, error)
        self._reports.send("error", message=self._stream.last_error, hook=hook)
        return ModelFailedError(f"{hook} raised an error; the server's log has it under this request's id")


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Run what even a task that is cancelled again, and not by anyio's scopes, has to wait for."""
    task, cancelled = asyncio.ensure_future(work), None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    task.result()
    if cancelled is not None:
        raise cancelled
