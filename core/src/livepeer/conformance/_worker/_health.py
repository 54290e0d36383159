"""What a worker says about its state."""

import re

from livepeer.conformance._checks import Checks, expect, expect_that
from livepeer.core import HealthState

from ._trial import WorkerTrial
from ._worker import Part

check = Checks[WorkerTrial]()

_READY = (HealthState.OK, HealthState.IDLE)


@check("health.status")
async def status(trial: WorkerTrial) -> None:
    answer = await trial.stranger.get("/health")
    expect("the status", answer.status_code, 200)
    found = answer.json()["status"]
    expect_that(found in list(HealthState), "LOADING, OK, IDLE or ERROR", found)


@check("health.first")
async def status_first(trial: WorkerTrial) -> None:
    text = (await trial.stranger.get("/health")).text
    expect_that(re.match(r'\s*\{\s*"status"\s*:', text) is not None, "an object that begins with status", text)


@check("health.idle", needs=Part.READY)
async def idle(trial: WorkerTrial) -> None:
    await trial.until_idle()


@check("health.ok", needs=(Part.READY, Part.SLOW), seconds=120)
async def at_work(trial: WorkerTrial) -> None:
    async with trial.slow_calls():
        await trial.until_at_work()
    await trial.until_idle(60)


@check("health.healthz")
async def healthz(trial: WorkerTrial) -> None:
    is_ready = await trial.status() in _READY
    expect("the status", (await trial.stranger.get("/healthz")).status_code, 200 if is_ready else 503)


@check("health.version")
async def version(trial: WorkerTrial) -> None:
    answer = await trial.stranger.get("/version")
    expect("the status", answer.status_code, 200)
    for name in ("pipeline", "model_id", "version"):
        expect_that(isinstance(answer.json().get(name), str), f"{name} to be a text", answer.text)
