"""Sections 1 and 7, the worker's side: how a capability that `livepeer.server` serves announces itself."""

import json

import anyio
import httpx2

from livepeer.conformance import Checks, expect, expect_that

from ._network import Part
from ._served import Served
from ._trial import Trial, eventually

check = Checks[Trial]()

_INTERVAL_SECONDS = 0.3
_BYOC = {"network": "byoc", "capacity": 100, "interval_seconds": _INTERVAL_SECONDS}
_HOLD = json.dumps({"do": "hold"}).encode()


@check("worker.registers", needs=Part.BYOC)
async def it_registers_when_ready(trial: Trial) -> None:
    served = await trial.serve(registration=_BYOC, setup="wait", ready=False)
    expect_that(not await trial.byoc.is_found(), "no registration while the model loads")
    served.model.released.happen()
    await eventually(trial.byoc.is_found, "the capability to be found")


@check("worker.registers.again", needs=Part.BYOC)
async def it_registers_again(trial: Trial) -> None:
    await trial.serve(registration=_BYOC)
    await eventually(trial.byoc.is_found, "the capability to be found")
    await trial.byoc.post("unregister", content=trial.name)
    await eventually(trial.byoc.is_found, "the capability to be found again")


@check("worker.registers.idle", needs=Part.BYOC)
async def it_registers_while_idle_only(trial: Trial) -> None:
    served = await trial.serve(registration=_BYOC)
    await eventually(trial.byoc.is_found, "the capability to be found")
    async with trial.meanwhile(lambda: trial.byoc.call(body=_HOLD)):
        await served.model.entered.wait()
        await trial.byoc.post("unregister", content=trial.name)
        await anyio.sleep(4 * _INTERVAL_SECONDS)
        expect_that(not await trial.byoc.is_found(), "no registration while a call is in flight")
        served.model.released.happen()
    await eventually(trial.byoc.is_found, "the capability to be found again")


@check("worker.registers.currency", needs=(Part.BYOC, Part.OFFCHAIN))
async def it_names_the_currency(trial: Trial) -> None:
    served = await trial.serve(registration={**_BYOC, "currency": "usd", "price_per_unit": 1})

    async def refused() -> bool:
        return (await _registration(trial, served))["state"] == "refused"

    await eventually(refused, "the registration to be given up", seconds=20)
    reason = (await _registration(trial, served))["reason"]
    expect_that("'usd'" in reason and "wei" in reason, "a reason that names the currency, and wei", reason)


@check("worker.full")
async def a_full_worker(trial: Trial) -> None:
    served = await trial.serve(capacity=1)
    for call in await trial.callers(served, frank=True):
        served.model.reset()
        async with trial.meanwhile(lambda call=call: call("predict", b'{"do": "hold"}')):
            await served.model.entered.wait()
            answer = await call("predict", b"{}")
            served.model.released.happen()
        expect("the status of a call too many", answer.status_code, 503)


@check("worker.stops", needs=Part.BYOC)
async def it_stops(trial: Trial) -> None:
    served = await trial.serve(registration=_BYOC)
    await eventually(trial.byoc.is_found, "the capability to be found")
    answers: list[httpx2.Response] = []

    async def call() -> None:
        answers.append(await trial.byoc.call(body=_HOLD))

    async def is_gone() -> bool:
        return not await trial.byoc.is_found()

    async with trial.meanwhile(call):
        await served.model.entered.wait()
        async with trial.meanwhile(served.server.stop):
            await eventually(is_gone, "the capability to be unregistered")
            expect("the calls that were answered before the release", len(answers), 0)
            served.model.released.happen()
    expect("the answer to the call in flight", (answers[0].status_code, answers[0].content), (200, b"{}"))


@check("worker.runner.registers", needs=Part.RUNNER)
async def a_runner_registers(trial: Trial) -> None:
    served = await _serve_runner(trial)
    await eventually(lambda: _is_listed(trial), "the app to be listed")
    await served.server.stop()
    expect("what is listed after its end", await trial.apps.listed(), [])


@check("worker.runner.beats", needs=Part.RUNNER, seconds=60)
async def a_runner_beats(trial: Trial) -> None:
    await _serve_runner(trial)
    await eventually(lambda: _is_listed(trial), "the app to be listed")
    first = await trial.apps.listed()
    await anyio.sleep(26)
    expect("what is listed after more than the TTL and a sweep", await trial.apps.listed(), first)


@check("worker.runner.again", needs=(Part.RUNNER, Part.RESTART), alone=True, seconds=120)
async def a_runner_registers_again(trial: Trial) -> None:
    await _serve_runner(trial)
    await eventually(lambda: _is_listed(trial), "the app to be listed")
    [before] = await trial.apps.listed()
    await trial.restart()
    await eventually(lambda: _is_listed(trial), "the app to be listed again", seconds=20)
    [after] = await trial.apps.listed()
    expect_that(after["url"] != before["url"], "a new id after the restart", after["url"])


@check("worker.runner.no-bearer", needs=Part.RUNNER)
async def a_runner_wants_no_token(trial: Trial) -> None:
    await _serve_runner(trial)
    await eventually(lambda: _is_listed(trial), "the app to be listed")
    [found] = await trial.apps.listed()
    url = f"{found['url']}/predict"
    for headers in ({}, {"Authorization": "Bearer the-caller's-own"}):
        paid = await trial.apps.payment(url)
        answer = await trial.http.post(url, json={}, headers={**headers, **paid})
        expect(f"the status with {headers}", answer.status_code, 200)


async def _serve_runner(trial: Trial) -> Served:
    price = {"price_usd": "0.01"} if trial.has(Part.PAID) else {}
    return await trial.serve(registration={"network": "live-runner", "app": trial.apps.app, **price})


async def _is_listed(trial: Trial) -> bool:
    return bool(await trial.apps.listed())


async def _registration(trial: Trial, served: Served) -> dict[str, str]:
    return (await trial.http.get(f"{served.url}/health")).json()["registration"]
