"""How predictions run, and how they are stopped."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any

import pytest

from livepeer.adapters.cog._capability import CogCapability
from livepeer.adapters.cog._interruption import Interruption, PredictionCancelledError
from livepeer.adapters.cog._scope import Scope
from livepeer.core import BusyError, Call, CallCancelledError

Load = Callable[[str], CogCapability]
LIMIT_SECONDS = 10


def model_of(capability: CogCapability) -> Any:
    """The user's own object."""
    return capability._model._predict.__self__


class Stopped(BaseException):
    pass


class Thread:
    """Runs something beside, and gives back what came of it."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self._result: Any = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self) -> Any:
        self._thread.join(LIMIT_SECONDS)
        assert not self._thread.is_alive()
        if self._error is not None:
            raise self._error
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._work()
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            self._error = error


def start(capability: CogCapability, **inputs: Any) -> tuple[Thread, Scope]:
    scope = Scope(call=Call())
    return Thread(lambda: list(capability._model.run(inputs, scope))), scope


def wait_until_reached(capability: CogCapability) -> None:
    assert model_of(capability).reached.wait(LIMIT_SECONDS)


@pytest.mark.parametrize(("how", "marks"), [("plain", []), ("caught", ["caught"]), ("mistaken", []), ("listed", [])])
def test_a_sync_prediction_is_stopped_where_it_is(load: Load, how: str, marks: list[str]) -> None:
    capability = load("unit_cancels.py:Looping")
    thread, scope = start(capability, how=how)
    wait_until_reached(capability)
    capability._model.cancel(scope)
    with pytest.raises(PredictionCancelledError):
        thread.result()
    assert model_of(capability).marks == marks


def test_a_prediction_that_swallows_its_cancellation_has_an_output(load: Load) -> None:
    capability = load("unit_cancels.py:Looping")
    thread, scope = start(capability, how="swallowed")
    wait_until_reached(capability)
    capability._model.cancel(scope)
    capability._model.cancel(scope)
    assert thread.result() == ["swallowed"]
    assert scope.cancelled


def test_a_blocking_call_is_stopped_when_it_returns(load: Load) -> None:
    capability = load("unit_cancels.py:Looping")
    thread, scope = start(capability, how="blocked")
    wait_until_reached(capability)
    capability._model.cancel(scope)
    model_of(capability).go.set()
    with pytest.raises(PredictionCancelledError):
        thread.result()


def test_a_prediction_that_is_cancelled_before_it_begins_does_not_begin(load: Load) -> None:
    capability = load("unit_cancels.py:Looping")
    scope = Scope(call=Call())
    capability._model.cancel(scope)
    with pytest.raises(PredictionCancelledError):
        list(capability._model.run({}, scope))
    assert not model_of(capability).reached.is_set()


def test_a_cancellation_after_the_end_hits_nobody(load: Load) -> None:
    capability = load("unit_cancels.py:Looping")
    thread, scope = start(capability, how="quick")
    assert thread.result() == ["quick"]
    capability._model.cancel(scope)
    assert list(capability._model.run({"how": "quick"}, Scope(call=Call()))) == ["quick"]


def test_a_cancellation_at_any_time_leaves_the_thread_whole(load: Load) -> None:
    """The thread goes on to the next prediction however close the cancellation came to the end of the last."""
    capability = load("unit_cancels.py:Looping")
    scopes = [Scope(call=Call()) for _ in range(300)]
    turn = threading.Semaphore(0)

    def predict_all() -> int:
        ended = 0
        for scope in scopes:
            turn.release()
            try:
                ended += len(list(capability._model.run({"how": "quick"}, scope)))
            except PredictionCancelledError:
                ended += 1
        return ended

    thread = Thread(predict_all)
    for scope in scopes:
        assert turn.acquire(timeout=LIMIT_SECONDS)
        capability._model.cancel(scope)
    assert thread.result() == len(scopes)


def test_a_generator_is_stopped_within_a_step(load: Load) -> None:
    capability = load("unit_cancels.py:Yielding")
    thread, scope = start(capability)
    wait_until_reached(capability)
    capability._model.cancel(scope)
    with pytest.raises(PredictionCancelledError):
        thread.result()
    assert model_of(capability).marks == ["cancelled", "ended"]


@pytest.mark.parametrize("catching", [False, True])
def test_a_generator_is_stopped_between_two_steps(load: Load, catching: bool) -> None:
    capability = load("unit_cancels.py:Yielding")
    scope = Scope(call=Call())
    outputs = capability._model.run({"waiting": False, "catching": catching}, scope)
    assert next(outputs) == 1
    capability._model.cancel(scope)
    with pytest.raises(PredictionCancelledError):
        next(outputs)
    assert model_of(capability).marks[:1] == ["cancelled"]
    assert model_of(capability).marks[-1] == "ended"


def test_a_stream_that_nobody_wants_any_more_is_closed(load: Load) -> None:
    capability = load("unit_cancels.py:Yielding")
    outputs = capability._model.run({}, Scope(call=Call()))
    assert next(outputs) == 1
    outputs.close()
    assert model_of(capability).marks == ["closed", "ended"]


def test_an_iterator_that_is_no_generator_streams(load: Load) -> None:
    assert list(load("unit_cancels.py:Handing")._model.run({}, Scope(call=Call()))) == [0, 10]


async def set_up(capability: CogCapability) -> None:
    setup = capability.setup()
    assert setup is not None
    await setup


async def collect(capability: CogCapability, scope: Scope, **inputs: Any) -> list[Any]:
    return [output async for output in capability._model.run_async(inputs, scope)]


@pytest.mark.parametrize("how", ["plain", "cog"])
async def test_an_async_prediction_is_stopped_where_it_awaits(load: Load, how: str) -> None:
    capability = load("unit_cancels.py:Awaiting")
    await set_up(capability)
    scope = Scope(call=Call())
    async with asyncio.timeout(LIMIT_SECONDS):
        task = asyncio.create_task(collect(capability, scope, how=how))
        await asyncio.to_thread(wait_until_reached, capability)
        await asyncio.to_thread(capability._model.cancel, scope)
        with pytest.raises(PredictionCancelledError):
            await task
    assert model_of(capability).marks == ["cancelled"]


async def test_an_async_prediction_that_swallows_its_cancellation_has_an_output(load: Load) -> None:
    capability = load("unit_cancels.py:Awaiting")
    scope = Scope(call=Call())
    async with asyncio.timeout(LIMIT_SECONDS):
        task = asyncio.create_task(collect(capability, scope, how="swallowed"))
        await asyncio.to_thread(wait_until_reached, capability)
        capability._model.cancel(scope)
        assert await task == ["swallowed"]


async def test_a_late_cancellation_does_not_hit_what_the_task_does_next(load: Load) -> None:
    capability = load("unit_cancels.py:GivingLater")
    scope = Scope(call=Call())
    stop: list[Callable[[], None]] = []

    async def predict() -> str:
        async for _ in capability._model.run_async({"kind": "list"}, scope):
            assert scope.on_cancel is not None
            stop.append(scope.on_cancel)
        stop[0]()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "went on"

    assert await asyncio.create_task(predict()) == "went on"


async def test_an_async_generator_is_stopped_where_it_awaits(load: Load) -> None:
    capability = load("unit_cancels.py:YieldingLater")
    scope = Scope(call=Call())
    async with asyncio.timeout(LIMIT_SECONDS):
        task = asyncio.create_task(collect(capability, scope))
        await asyncio.to_thread(wait_until_reached, capability)
        capability._model.cancel(scope)
        with pytest.raises(PredictionCancelledError):
            await task
    assert model_of(capability).marks == ["cancelled", "ended"]


async def test_an_async_stream_that_nobody_wants_any_more_is_closed_at_once(load: Load) -> None:
    capability = load("unit_cancels.py:YieldingLater")
    outputs = capability._model.run_async({}, Scope(call=Call()))
    assert await anext(outputs) == 0
    await outputs.aclose()
    assert model_of(capability).marks == ["closed", "ended"]


async def test_a_task_that_somebody_else_cancels_ends_as_tasks_do(load: Load) -> None:
    capability = load("unit_cancels.py:Awaiting")
    task = asyncio.create_task(collect(capability, Scope(call=Call())))
    async with asyncio.timeout(LIMIT_SECONDS):
        await asyncio.to_thread(wait_until_reached, capability)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("kind", ["generator", "list", "other"])
async def test_whatever_an_async_predict_gives_streams(load: Load, kind: str) -> None:
    assert await collect(load("unit_cancels.py:GivingLater"), Scope(call=Call()), kind=kind) == [1, 2]


async def test_a_predict_that_hands_on_an_async_generator_streams(load: Load) -> None:
    capability = load("unit_cancels.py:HandingLater")
    assert capability.operations[0].is_async
    assert await collect(capability, Scope(call=Call())) == [1, 2]


@contextmanager
def stalling_server() -> Iterator[tuple[str, threading.Event]]:
    """Sends half an answer and then nothing; the event says when somebody came."""
    came, over = threading.Event(), threading.Event()

    def serve() -> None:
        while not over.is_set():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                connection.recv(65536)
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
                came.set()
                over.wait(LIMIT_SECONDS)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/file.txt", came
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
    thread.join(LIMIT_SECONDS)


def test_a_download_is_stopped(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_ALLOW_PRIVATE", "1")
    capability = load("unit_cancels.py:Reading")
    with stalling_server() as (url, came):
        thread, scope = start(capability, file=url)
        assert came.wait(LIMIT_SECONDS)
        capability._model.cancel(scope)
        with pytest.raises(PredictionCancelledError):
            thread.result()
    assert not model_of(capability).reached.is_set()


async def test_a_download_of_an_async_model_holds_up_nobody_and_is_stopped(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEPEER_FETCH_ALLOW_PRIVATE", "1")
    capability = load("unit_cancels.py:ReadingLater")
    scope = Scope(call=Call())
    with stalling_server() as (url, came):
        async with asyncio.timeout(LIMIT_SECONDS):
            task = asyncio.create_task(collect(capability, scope, file=url))
            assert await asyncio.to_thread(came.wait, LIMIT_SECONDS)
            capability._model.cancel(scope)
            with pytest.raises(PredictionCancelledError):
                await task


def test_an_interruption_that_comes_at_the_last_moment_stays_in_its_block() -> None:
    for _ in range(500):
        interruption = Interruption(Stopped)
        with suppress(Stopped), interruption:
            interruption.interrupt()
        assert interruption.asked


def test_the_native_face_waits_for_nobody(load: Load) -> None:
    capability = load("unit_cancels.py:Looping")
    operation = capability.operations[0]
    assert capability._model.permits.take()
    with pytest.raises(BusyError):
        operation.invoke({"how": "quick"}, Call())
    capability._model.permits.give_back()
    assert operation.invoke({"how": "quick"}, Call()) == "quick"
    assert capability._model.permits.free == 1


def test_the_native_face_gives_its_permit_back_however_a_prediction_ends(load: Load) -> None:
    capability = load("unit_cancels.py:Yielding")
    operation = capability.operations[0]
    outputs = operation.invoke({"waiting": False}, Call())
    assert next(outputs) == 1
    assert capability._model.permits.free == 0
    outputs.close()
    assert capability._model.permits.free == 1
    operation.invoke({}, Call()).close()
    assert capability._model.permits.free == 1


def test_the_native_face_is_interrupted(load: Load) -> None:
    capability = load("unit_cancels.py:Looping")
    operation, call = capability.operations[0], Call()
    thread = Thread(lambda: operation.invoke({}, call))
    wait_until_reached(capability)
    call.cancelled = True
    operation.interrupt(call)
    with pytest.raises(CallCancelledError):
        thread.result()
    assert capability._model.permits.free == 1
    operation.interrupt(call)


def test_a_call_that_was_cancelled_before_does_not_begin(load: Load) -> None:
    capability = load("unit_cancels.py:Looping")
    call = Call()
    call.cancelled = True
    with pytest.raises(CallCancelledError):
        capability.operations[0].invoke({}, call)


@asynccontextmanager
async def closing(outputs: Any) -> AsyncIterator[Any]:
    try:
        yield outputs
    finally:
        await outputs.aclose()


async def test_the_native_face_streams_and_answers_for_async_models(load: Load) -> None:
    streaming = load("unit_cancels.py:YieldingLater")
    async with closing(streaming.operations[0].invoke({}, Call())) as outputs:
        assert await anext(outputs) == 0
        assert streaming._model.permits.free == 0
    assert (streaming._model.permits.free, model_of(streaming).marks) == (1, ["closed", "ended"])
    reading = load("unit_cancels.py:ReadingLater")
    answer = await reading.operations[0].invoke({"file": "data:,text"}, Call())
    assert json.loads(reading.operations[0].encode(answer).body) == "text"
