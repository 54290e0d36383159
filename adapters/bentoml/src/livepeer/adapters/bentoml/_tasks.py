"""BentoML's tasks: submitted now, run behind the answer, asked for later, and cancelled for real.

Submitting, asking and retrying answer as BentoML does. Its own server cannot cancel; here that is what happens:

===================  ======  ===============================================================
the task             status  what comes of it
===================  ======  ===============================================================
is async             200     its code is cancelled, and the task is ``canceled``
is sync, and looks   200     its code sees `current_call().cancelled`, and ends
is sync, and goes on 202     no thread can be stopped: it is ``canceled`` once its code ends
is canceled          200     nothing
has ended            409     nothing
is not known         404     nothing
===================  ======  ===============================================================
"""

import asyncio
import logging
from collections.abc import Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import anyio
from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from livepeer.core import Call, CallCancelledError, current_call

from . import _sdk
from ._responses import encode_response

_LOGGER = logging.getLogger(__name__)

_CANCEL_SECONDS = 1.0
"""How long an answer to a cancellation waits for the code to end."""

_FAILURE = "An unexpected error has occurred, please check the server log."


class Tasks:
    """The tasks of one service.

    Args:
        factory: What makes the service's application; its result store is open while requests come.
    """

    def __init__(self, factory: Any) -> None:
        self._factory = factory
        self._running: dict[str, _Running] = {}

    def routes(self, name: str, method: Any) -> list[BaseRoute]:
        """What a task's api has beside its own route.

        Args:
            name: The api's.
            method: BentoML's description of it.
        """
        path = _sdk.join_paths(self._factory.service.path_prefix, method.route)
        return [
            Route(f"{path}/submit", partial(self._submit, name), methods=["POST"], name=f"{name}_submit"),
            Route(f"{path}/status", self._factory.get_status, methods=["GET"], name=f"{name}_status"),
            Route(f"{path}/get", self._factory.get_result, methods=["GET"]),
            Route(f"{path}/retry", self._retry, methods=["POST"]),
            Route(f"{path}/cancel", self._cancel, methods=["PUT"]),
        ]

    async def _submit(self, name: str, request: Request) -> Response:
        try:
            task_id = await self._store.new_entry(name, request)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        running = self._running[task_id] = _Running(task_id, _call_for(request))
        answer = self._answer({"task_id": task_id, "status": _sdk.ResultStatus.IN_PROGRESS.value})
        # The request is under way until its background has ended, so that the server waits for it at its end.
        answer.background = BackgroundTask(self._run, running, name, request)
        return answer

    async def _retry(self, request: Request) -> Response:
        task_id = request.query_params.get("task_id")
        if task_id is None:
            return self._refuse("task_id is required", 400)
        try:
            row = await self._store.get(task_id)
        except KeyError:
            return self._refuse("task_id not found", 404)
        except RuntimeError:
            return self._refuse(f"task {task_id} is not completed yet", 400)
        return await self._submit(row.name, row.input)

    async def _cancel(self, request: Request) -> Response:
        task_id = request.query_params.get("task_id")
        if task_id is None:
            return self._refuse("task_id is required", 400)
        if (running := self._running.get(task_id)) is not None:
            running.cancel()
            with anyio.move_on_after(_CANCEL_SECONDS):
                await running.ended.wait()
        try:
            row = await self._store.get_status(task_id)
        except KeyError:
            return self._refuse("task_id not found", 404)
        if row.status is _sdk.ResultStatus.CANCELED:
            return self._answer(row.to_json())
        if task_id in self._running:
            message = "the task was told to stop, and will be canceled when its code has ended"
            return self._answer({**row.to_json(), "message": message}, 202)
        return self._refuse(f"task {task_id} is {row.status.value} already", 409)

    async def _run(self, running: "_Running", name: str, request: Request) -> None:
        """Run a task to its end, and record that."""
        self._factory.service.context.request.state.task_id = running.id
        try:
            response, status = await self._work(running, name, request)
            running.is_settled = True
            await self._store.set_result(running.id, response, status)
        finally:
            del self._running[running.id]
            running.ended.set()
            await request.close()
        _LOGGER.info("task %s of %s is %s", running.id, name, status.value)

    async def _work(self, running: "_Running", name: str, request: Request) -> tuple[Response, Any]:
        statuses = _sdk.ResultStatus
        response = JSONResponse({"error": _FAILURE}, status_code=500)
        try:
            with running.started():
                response = await _collect(await self._factory.api_endpoint_wrapper(name, request), request)
        except (Exception, SystemExit):
            _LOGGER.exception("task %s of %s failed", running.id, name)
        if running.call.cancelled:
            # Also if the code swallowed its cancellation: what it returned is nobody's any more.
            return JSONResponse({"error": f"task {running.id} was canceled"}, status_code=409), statuses.CANCELED
        return response, statuses.COMPLETED if response.status_code < 400 else statuses.FAILED

    @property
    def _store(self) -> Any:
        return self._factory._result_store

    def _answer(self, document: dict[str, Any], status: int = 200) -> Response:
        answer = JSONResponse(document, status_code=status)
        self._factory._add_response_headers(answer)
        return answer

    def _refuse(self, error: str, status: int) -> Response:
        return self._answer({"error": error}, status)


class _Running:
    """A task between its submission and its record.

    Args:
        id: The task's.
        call: What its code finds as the current call.
    """

    def __init__(self, id: str, call: Call) -> None:
        self.id = id
        self.call = call
        self.ended = asyncio.Event()
        self.is_settled = False
        """Whether its end is being recorded: too late for anything."""
        self._task: asyncio.Task[Any] | None = None

    def cancel(self) -> None:
        """Stop it if that can be done, and let sync code know."""
        if self.is_settled or self.call.cancelled:
            return
        self.call.cancelled = True
        if self._task is not None:
            self._task.cancel()

    @contextmanager
    def started(self) -> Generator[None]:
        """Run its code within the block, which a cancellation ends.

        Raises:
            RuntimeError: If the code was cancelled by itself.
        """
        task = self._task = asyncio.current_task()
        assert task is not None
        try:
            with self.call.running():
                self.call.raise_if_cancelled()
                yield
        except CallCancelledError:
            pass
        except asyncio.CancelledError:
            if not task.cancelling():
                raise RuntimeError("the task's code was cancelled by itself") from None
            task.uncancel()
            self.call.cancelled = True
        finally:
            self._task = None


def _call_for(request: Request) -> Call:
    """A call of the task's own: that of its request counts as cancelled once the caller has left."""
    outer = current_call()
    lines = [b"%b:%b" % item for item in request.scope["headers"] if item[0] != b"authorization"]
    return Call(id="" if outer is None else outer.id, headers=b"\n".join(lines))


async def _collect(response: Response, request: Request) -> Response:
    """The whole of a response, with what it has for the background done."""
    background = response.background
    answer = await encode_response(response, request.scope)
    if background is not None:
        await background()
    whole = Response(answer.body, status_code=answer.status)
    if answer.media_type:
        whole.raw_headers.append((b"content-type", answer.media_type.encode("latin-1")))
    whole.raw_headers.extend(answer.headers)
    return whole
