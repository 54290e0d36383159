"""Calls, one and many: answers, slots, and callers that leave."""

import json
import re

import anyio
import httpx2

from livepeer.conformance._checks import Checks, SkippedError, expect, expect_that
from livepeer.conformance._json_schema import misfit
from livepeer.core import JSON_MEDIA_TYPE, PROBLEM_MEDIA_TYPE

from ._trial import WorkerTrial, eventually
from ._worker import Part

check = Checks[WorkerTrial]()

_IN_A_ROW = 20
_ROW_SECONDS = 10.0
_MOST_QUEUED = 64
_FREED_SECONDS = 60.0
_HEALTH_SECONDS = 3.0


@check("call.answer", needs=(Part.READY, Part.INPUT), seconds=120)
async def answer(trial: WorkerTrial) -> None:
    found = await trial.call()
    expect("the status", found.status_code, 200)
    media_type = found.headers["content-type"].partition(";")[0]
    declared = trial.document.get("output_media_type", JSON_MEDIA_TYPE)
    expect("the media type", media_type, "text/event-stream" if trial.document.get("streams") else declared)


@check("call.bare", needs=(Part.READY, Part.INPUT, Part.WHOLE), seconds=120)
async def bare(trial: WorkerTrial) -> None:
    found = await trial.call()
    expect("the status", found.status_code, 200)
    if trial.document.get("output_media_type", JSON_MEDIA_TYPE) != JSON_MEDIA_TYPE:
        raise SkippedError("the answer is no JSON")
    expect(
        "what does not fit the output's schema", misfit(found.json(), trial.output_schema, trial.output_schema), None
    )


@check("call.form", needs=(Part.READY, Part.INPUT), seconds=120)
async def form(trial: WorkerTrial) -> None:
    if not all(isinstance(value, str | int | float) for value in trial.input.values()) or not trial.input:
        raise SkippedError("the input has more than texts and numbers")
    files = {
        name: (None, value.encode() if isinstance(value, str) else json.dumps(value).encode())
        for name, value in trial.input.items()
    }
    expect("the status", (await trial.http.post(trial.path, files=files)).status_code, 200)


@check("call.sequential", needs=(Part.READY, Part.INPUT), seconds=300)
async def sequential(trial: WorkerTrial) -> None:
    begin = anyio.current_time()
    for number in range(_IN_A_ROW):
        expect(f"the status of call {number + 1} in a row", (await trial.call()).status_code, 200)
        if number and anyio.current_time() - begin > _ROW_SECONDS:
            break


@check("call.new-connections", needs=(Part.READY, Part.INPUT), seconds=300)
async def new_connections(trial: WorkerTrial) -> None:
    body = json.dumps(trial.input).encode()
    begin = anyio.current_time()
    for number in range(_IN_A_ROW):
        async with trial.wire() as wire:
            lines = ("Content-Type: application/json", f"Content-Length: {len(body)}")
            await wire.send(trial.head("POST", trial.path, wire.host, *lines) + body)
            expect(f"the status of call {number + 1}", (await wire.answer()).status, 200)
        if number and anyio.current_time() - begin > _ROW_SECONDS:
            break


@check("call.pipelined", needs=Part.READY)
async def pipelined(trial: WorkerTrial) -> None:
    async with trial.wire() as wire:
        broken = trial.head("POST", trial.path, wire.host, "Content-Type: application/json", "Content-Length: 8")
        requests = (
            trial.head("GET", "/health", wire.host),
            broken + b"nonsense",
            trial.head("GET", "/no-such-thing", wire.host),
            trial.head("GET", "/version", wire.host),
        )
        await wire.send(b"".join(requests))
        seen = [(await wire.answer()).status for _ in requests]
    expect("the statuses", seen, [200, 400, 404, 200])


@check("call.nonsense")
async def nonsense(trial: WorkerTrial) -> None:
    async with trial.wire() as wire:
        await wire.send(b"this is no HTTP at all\r\n\r\n")
        expect("the status", (await wire.answer()).status, 400)
        try:
            more = await wire.answer()
        except ConnectionError:
            return
    expect("what follows", more, None)


@check("full.refused", needs=(Part.READY, Part.SLOW), seconds=120)
async def refused(trial: WorkerTrial) -> None:
    async with trial.slow_calls(1) as answers:
        await trial.until_at_work()
        refusal = await _fill(trial, answers)
    expect("the status", refusal.status_code, 503)
    expect("the media type", refusal.headers.get("content-type"), PROBLEM_MEDIA_TYPE)
    expect("whether a retry can help", refusal.json().get("retryable"), True)
    after = refusal.headers.get("retry-after", "")
    expect_that(re.fullmatch(r"[1-9]\d*", after) is not None, "Retry-After in whole seconds", after)
    await trial.until_idle(_FREED_SECONDS)


@check("full.health", needs=(Part.READY, Part.SLOW), seconds=120)
async def health_of_the_full(trial: WorkerTrial) -> None:
    async with trial.slow_calls(1) as answers:
        await trial.until_at_work()
        await _fill(trial, answers)
        begin = anyio.current_time()
        expect("the state", await trial.status(), "OK")
        seconds = anyio.current_time() - begin
    expect_that(seconds < _HEALTH_SECONDS, f"an answer within {_HEALTH_SECONDS:g} s", seconds)
    await trial.until_idle(_FREED_SECONDS)


@check("full.recovers", needs=(Part.READY, Part.SLOW, Part.INPUT), seconds=180)
async def recovers(trial: WorkerTrial) -> None:
    async with trial.slow_calls(1) as answers:
        await trial.until_at_work()
        await _fill(trial, answers)
    await trial.until_idle(_FREED_SECONDS)
    expect("the status of the next call", (await trial.call()).status_code, 200)


@check("leave.slot", needs=(Part.READY, Part.SLOW, Part.INPUT), seconds=180)
async def leave(trial: WorkerTrial) -> None:
    for _ in range(3):
        async with trial.slow_calls():
            await trial.until_at_work()
        await trial.until_idle(_FREED_SECONDS)
    expect("the status of the next call", (await trial.call()).status_code, 200)


async def _fill(trial: WorkerTrial, answers: list[httpx2.Response]) -> httpx2.Response:
    """Add calls that take long until one is refused, and return its answer."""

    async def one_is_there() -> bool:
        return any(answer.status_code == 503 for answer in answers)

    async with anyio.create_task_group() as tasks:

        async def call() -> None:
            answers.append(await trial.call(trial.worker.slow_input))

        for _ in range(_MOST_QUEUED):
            if await one_is_there():
                break
            tasks.start_soon(call)
            with anyio.move_on_after(0.1):
                await eventually(one_is_there, "", seconds=1)
        await eventually(one_is_there, "a refusal", seconds=10)
        tasks.cancel_scope.cancel()
    return next(answer for answer in answers if answer.status_code == 503)
