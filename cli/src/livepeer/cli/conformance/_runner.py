"""Section 7, the worker's way: heartbeats, what the orchestrator tells a runner, and what discovery says of it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import count
from typing import Any

import anyio

from livepeer.conformance import Checks, UnexpectedError, expect, expect_that

from ._apps import PRICE, Runner
from ._network import Part
from ._trial import Trial

check = Checks[Trial]()

_TTL_SECONDS = 20
_SWEEP_SECONDS = 5
_FORGOTTEN_SECONDS = _TTL_SECONDS + _SWEEP_SECONDS + 1
_LOOK_SECONDS = 0.2

_DISCOVERED = {
    "url", "gpu", "app", "version", "metadata", "mode", "capacity", "capacity_used", "capacity_available", "price_info",
}  # fmt: skip
_UNITS = {"hour": "seconds", "720p": "720p-pixel-seconds", "fixed": "fixed"}


@check("runner.heartbeat.registers", needs=Part.RUNNER)
async def the_first_heartbeat(trial: Trial) -> None:
    answer = await trial.apps.heartbeat()
    expect("the status", answer.status_code, 200)
    expect("how many runners are listed", len(await trial.apps.listed()), 1)


@check("runner.heartbeat.wrong-secret", needs=Part.RUNNER)
async def a_wrong_secret(trial: Trial) -> None:
    for secret in ("wrong", "", f"Bearer {trial.network.secret}"):
        expect(f"the status for {secret!r}", (await trial.apps.heartbeat(secret)).status_code, 401)
    expect("what is listed", await trial.apps.listed(), [])


@check("runner.heartbeat.continues", needs=Part.RUNNER)
async def the_next_heartbeat(trial: Trial) -> None:
    runner = await trial.apps.register()
    answer = await trial.apps.heartbeat(runner.heartbeat_secret, runner_id=runner.runner_id)
    expect("the status", answer.status_code, 200)


@check("runner.heartbeat.durations", needs=Part.RUNNER)
async def durations(trial: Trial) -> None:
    runner = await trial.apps.register()
    expect("interval and TTL", (runner.heartbeat_interval, runner.heartbeat_ttl), ("5s", "20s"))


@check("runner.heartbeat.id-lives", needs=Part.RUNNER)
async def an_id_that_lives(trial: Trial) -> None:
    runner = await trial.apps.register()
    expect("the status", (await trial.apps.heartbeat(runner_id=runner.runner_id)).status_code, 401)


@check("runner.heartbeat.expired", needs=Part.RUNNER, seconds=60)
async def an_expired_runner(trial: Trial) -> None:
    # Whatever the moment of the sweep, one of two runners that are half a sweep apart stays unswept for half of it.
    runners = [await trial.apps.register()]
    await anyio.sleep(_SWEEP_SECONDS / 2)
    runners.append(await trial.apps.register())
    await anyio.sleep(_TTL_SECONDS - _SWEEP_SECONDS)
    with anyio.move_on_after(3 * _SWEEP_SECONDS):
        while True:
            # A secret that is wrong keeps nobody alive.
            if 404 in [(await _heartbeat(trial, runner, "wrong")) for runner in runners]:
                return
            await anyio.sleep(_LOOK_SECONDS)
    expect_that(False, "404 between expiry and sweep")


@check("runner.heartbeat.swept", needs=Part.RUNNER, seconds=60)
async def a_swept_runner(trial: Trial) -> None:
    runner = await trial.apps.register()
    await anyio.sleep(_FORGOTTEN_SECONDS)
    expect("the status", await _heartbeat(trial, runner, runner.heartbeat_secret), 401)
    expect("what is listed", await trial.apps.listed(), [])


@check("runner.heartbeat.unregistered", needs=Part.RUNNER)
async def an_unregistered_runner(trial: Trial) -> None:
    runner = await trial.apps.register()
    await trial.apps.unregister(runner)
    expect("the status", await _heartbeat(trial, runner, runner.heartbeat_secret), 401)


@check("runner.absent", needs=Part.NO_RUNNER)
async def no_live_runner(trial: Trial) -> None:
    expect("the status", (await trial.apps.heartbeat()).status_code, 404)


@check("runner.unregister", needs=Part.RUNNER)
async def unregistering(trial: Trial) -> None:
    runner = await trial.apps.register()
    expect("the status", (await trial.apps.unregister(runner)).status_code, 204)
    expect("what is listed", await trial.apps.listed(), [])


@check("runner.metadata", needs=Part.RUNNER)
async def metadata(trial: Trial) -> None:
    longest = "é" * 512
    await trial.apps.register(metadata=longest)
    [found] = await trial.apps.listed()
    expect("the metadata that is listed", found["metadata"], longest)
    expect("the status for a byte more", (await trial.apps.heartbeat(metadata=f"{longest}x")).status_code, 400)


@check("runner.status", needs=Part.RUNNER)
async def status(trial: Trial) -> None:
    await trial.apps.register(status="ready")
    await trial.apps.register(status="")
    expect("how many runners are listed", len(await trial.apps.listed()), 2)
    expect("the status for READY", (await trial.apps.heartbeat(status="READY")).status_code, 400)


@check("runner.mode", needs=Part.RUNNER)
async def mode(trial: Trial) -> None:
    await trial.apps.register(mode="persistent")
    await trial.apps.register(mode="single-shot")
    expect("the modes", sorted(found["mode"] for found in await trial.apps.listed()), ["persistent", "single-shot"])
    expect("the status for another", (await trial.apps.heartbeat(mode="batch")).status_code, 400)


@check("runner.app", needs=Part.RUNNER)
async def app(trial: Trial) -> None:
    trial.apps.app = f"Conformance/{trial.name}.V2_x"
    await trial.apps.register()
    expect("how many runners are listed under the very name", len(await trial.apps.listed()), 1)


@check("runner.price.units", needs=(Part.RUNNER, Part.PAID))
async def units(trial: Trial) -> None:
    for unit in _UNITS:
        await trial.apps.register(price_info={**PRICE, "unit": unit, "price": 1})
    prices = [found["price_info"] for found in await trial.apps.listed()]
    expect("the units", sorted(price["unit"] for price in prices), sorted(_UNITS.values()))
    for price in prices:
        expect_that(price["currency"] == "wei" and int(price["price"]) > 0, "a price in wei", price)


@check("runner.price.zero", needs=(Part.RUNNER, Part.PAID))
async def no_price_on_chain(trial: Trial) -> None:
    expect("the status for 0", (await trial.apps.heartbeat(price_info={**PRICE, "price": 0})).status_code, 400)
    expect("the status for none", (await trial.apps.heartbeat(price_info=None)).status_code, 400)


@check("runner.price.optional", needs=(Part.RUNNER, Part.OFFCHAIN))
async def no_price_offchain(trial: Trial) -> None:
    expect("the status for 0", (await trial.apps.heartbeat(price_info={**PRICE, "price": 0})).status_code, 200)
    expect("the status for none", (await trial.apps.heartbeat(price_info=None)).status_code, 200)


@check("runner.answer.first", needs=Part.RUNNER)
async def what_the_first_answer_adds(trial: Trial) -> None:
    runner = await trial.apps.register()
    expect_that(runner.o2r is not None and runner.heartbeat_secret != "", "a channel and a secret", runner)
    answer = await trial.apps.heartbeat(runner.heartbeat_secret, runner_id=runner.runner_id)
    again = Runner.model_validate_json(answer.content)
    expect("channel and secret of the next answer", (again.o2r, again.heartbeat_secret), (None, ""))


@check("runner.answer.sessions", needs=Part.RUNNER)
async def sessions_in_the_answer(trial: Trial) -> None:
    runner = await trial.apps.register(mode="persistent")
    session = await trial.apps.reserve(runner)
    own = {"runner_id": runner.runner_id, "mode": "persistent", "session_ids": ["another"]}
    answer = await trial.apps.heartbeat(runner.heartbeat_secret, **own)
    expect("session_ids", answer.json()["session_ids"], [session.session_id])


@check("runner.o2r.keep", needs=Part.RUNNER)
async def the_message_that_keeps(trial: Trial) -> None:
    runner = await trial.apps.register()
    async with aclosing(_messages(trial, runner)) as messages:
        expect("the first message", await anext(messages), {"keep": "alive"})


@check("runner.o2r.sessions", needs=Part.RUNNER)
async def messages_about_sessions(trial: Trial) -> None:
    runner = await trial.apps.register(mode="persistent")
    session = await trial.apps.reserve(runner)
    await trial.apps.stop(session)
    expected = [("reserved", session.session_id), ("released", session.session_id)]
    seen: list[tuple[Any, Any]] = []
    async with aclosing(_messages(trial, runner)) as messages:
        async for message in messages:
            seen += [(message["event"], message["session"])] if "event" in message else []
            if len(seen) == len(expected):
                break
    expect("the messages", seen, expected)


@check("runner.down", needs=Part.RUNNER)
async def a_worker_that_is_down(trial: Trial) -> None:
    runner = await trial.apps.register(runner_url=trial.dead_url())
    for _ in range(2):
        expect("the status", (await trial.apps.call(runner)).status_code, 502)
        expect("how many runners are listed", len(await trial.apps.listed()), 1)


@check("runner.full", needs=Part.RUNNER)
async def a_full_runner(trial: Trial) -> None:
    trial.worker.holds()
    runner = await trial.apps.register(capacity=1)
    async with trial.meanwhile(lambda: trial.apps.call(runner)):
        await trial.worker.until_asked()
        expect("the status", (await trial.apps.call(runner)).status_code, 503)
        trial.worker.release()
    expect("the status once it is free", (await trial.apps.call(runner)).status_code, 200)


@check("runner.static", needs=(Part.RUNNER, Part.STATIC))
async def a_static_entry(trial: Trial) -> None:
    await trial.add_static(health_url="/healthz")
    [found] = await trial.apps.listed()
    url = f"{found['url']}/predict"
    answer = await trial.http.post(url, headers=await trial.apps.payment(url))
    expect("the answer", (answer.status_code, answer.content), (200, b"{}"))
    expect("where the worker was asked", [asked.path for asked in trial.worker.asked], ["/healthz", "/predict"])


@check("discovery.fields", needs=Part.RUNNER)
async def fields(trial: Trial) -> None:
    gpu = {"id": "0", "name": "none", "vram_mb": 1}
    await trial.apps.register(label="label", proxy=False, version="1.2.3", metadata="{}", gpu=gpu, session_ids=[])
    [found] = await trial.apps.listed()
    expect("the fields", found.keys() - {"price_info"}, _DISCOVERED - {"price_info"})
    expect("what was sent", (found["gpu"], found["version"], found["metadata"]), (gpu, "1.2.3", "{}"))
    expect_that(trial.worker.url not in str(found), "no word of the runner's own URL", found)


@check("discovery.capacity", needs=Part.RUNNER)
async def capacity(trial: Trial) -> None:
    runner = await trial.apps.register(mode="persistent", capacity=3)
    await trial.apps.reserve(runner)
    [found] = await trial.apps.listed()
    seen = (found["capacity"], found["capacity_used"], found["capacity_available"])
    expect("capacity, used and available", seen, (3, 1, 2))


async def _heartbeat(trial: Trial, runner: Runner, secret: str) -> int:
    return (await trial.apps.heartbeat(secret, runner_id=runner.runner_id)).status_code


async def _messages(trial: Trial, runner: Runner) -> AsyncGenerator[dict[str, Any]]:
    """What the orchestrator tells the runner, from the beginning, as long as it does."""
    if runner.o2r is None:
        raise UnexpectedError("expected a channel to the runner in the first answer, saw none")
    for seq in count():
        yield (await trial.http.get(f"{runner.o2r.url}/{seq}")).raise_for_status().json()
