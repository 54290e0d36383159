"""Section 1: how a worker registers, and how an orchestrator forgets it."""

import httpx2

from livepeer.conformance import Checks, expect, expect_that

from ._byoc import is_not_found
from ._network import Part
from ._trial import Trial

check = Checks[Trial]()

_DIRECTLY = (Part.BYOC, Part.OFFCHAIN)
"""An orchestrator takes an unsigned job offchain only."""

_MANY = 100
"""A capacity that no leak uses up."""


@check("byoc.register.raw-secret", needs=Part.BYOC)
async def the_raw_secret(trial: Trial) -> None:
    answer = await trial.byoc.post("register", json=trial.byoc.document())
    expect("the answer", (answer.status_code, answer.text.strip()), (200, "ok"))
    expect_that(await trial.byoc.is_found(), "the capability to be found")


@check("byoc.register.wrong-secret", needs=Part.BYOC)
async def a_wrong_secret(trial: Trial) -> None:
    answer = await trial.byoc.post("register", secret="wrong", json=trial.byoc.document())
    expect("the answer", (answer.status_code, answer.text.strip()), (400, "invalid authorization"))
    expect_that(not await trial.byoc.is_found(), "the capability not to be found")


@check("byoc.register.bearer", needs=Part.BYOC)
async def a_bearer(trial: Trial) -> None:
    answer = await trial.byoc.post("register", secret=f"Bearer {trial.network.secret}", json=trial.byoc.document())
    expect("the status", answer.status_code, 400)


@check("byoc.register.bad-json", needs=Part.BYOC)
async def bad_json(trial: Trial) -> None:
    for body in (b"not JSON", b"[]", b'{"name": 1}'):
        expect(f"the status for {body!r}", (await trial.byoc.post("register", content=body)).status_code, 400)


@check("byoc.register.method", needs=Part.BYOC)
async def another_method(trial: Trial) -> None:
    url, headers = f"{trial.network.orch_url}/capability/register", {"Authorization": trial.network.secret}
    for method in ("GET", "PUT", "DELETE"):
        expect(f"the status of {method}", (await trial.http.request(method, url, headers=headers)).status_code, 405)


@check("byoc.register.absent", needs=Part.NO_BYOC)
async def no_byoc(trial: Trial) -> None:
    expect("the status", (await trial.byoc.post("register", json=trial.byoc.document())).status_code, 404)


@check("byoc.register.replaces", needs=Part.BYOC)
async def the_same_name_again(trial: Trial) -> None:
    await trial.byoc.register(url=trial.dead_url())
    await trial.byoc.register()
    expect("the answer", (await trial.byoc.call()).content, b"{}")
    expect("what the second worker was asked", len(trial.worker.asked), 1)


@check("byoc.register.scaling-zero", needs=Part.BYOC)
async def a_scaling_of_zero(trial: Trial) -> None:
    await trial.byoc.register(price_scaling=0)
    expect("the answer", (await trial.byoc.call()).content, b"{}")


@check("byoc.register.currencies", needs=_DIRECTLY)
async def currencies_that_need_no_price(trial: Trial) -> None:
    for currency in ("wei", ""):
        await trial.byoc.register(currency=currency, price_per_unit=1)
        expect(f"the answer at a price in {currency!r}", (await trial.byoc.call()).content, b"{}")


@check("byoc.register.unconvertible", needs=_DIRECTLY)
async def a_currency_that_needs_a_price(trial: Trial) -> None:
    try:
        answer = await trial.byoc.post("register", json=trial.byoc.document(currency="usd", price_per_unit=1))
    except (httpx2.RemoteProtocolError, httpx2.ReadError):
        return
    expect_that(False, "the connection to drop", answer.status_code)


@check("byoc.register.self-signed", needs=(Part.BYOC, Part.TLS))
async def a_certificate_of_its_own(trial: Trial) -> None:
    async with httpx2.AsyncClient(trust_env=False) as strict:
        try:
            await strict.get(trial.network.orch_url)
        except httpx2.ConnectError as error:
            expect_that("CERTIFICATE" in str(error).upper(), "a certificate that is not trusted", str(error))
            return
    expect_that(False, "a certificate that is not trusted", "a trusted one")


@check("byoc.unregister.plain-text", needs=Part.BYOC)
async def unregistering(trial: Trial) -> None:
    await trial.byoc.register()
    expect("the status", (await trial.byoc.post("unregister", content=trial.name)).status_code, 200)
    expect_that(not await trial.byoc.is_found(), "the capability not to be found")


@check("byoc.unregister.json", needs=Part.BYOC)
async def unregistering_as_json(trial: Trial) -> None:
    await trial.byoc.register(capacity=_MANY)
    await trial.byoc.post("unregister", json=trial.name)
    expect_that(await trial.byoc.is_found(), "the capability to be found still")


@check("byoc.unregister.unknown", needs=Part.BYOC)
async def unregistering_nobody(trial: Trial) -> None:
    expect("the status", (await trial.byoc.post("unregister", content=trial.name)).status_code, 200)
    expect_that(not await trial.byoc.is_found(), "no capability to be found")


@check("byoc.unregister.wrong-secret", needs=Part.BYOC)
async def unregistering_without_the_secret(trial: Trial) -> None:
    await trial.byoc.register(capacity=_MANY)
    answer = await trial.byoc.post("unregister", secret="wrong", content=trial.name)
    expect("the status", answer.status_code, 400)
    expect_that(await trial.byoc.is_found(), "the capability to be found still")


@check("byoc.forget.restart", needs=(Part.BYOC, Part.RESTART), alone=True, seconds=120)
async def a_restart(trial: Trial) -> None:
    await trial.byoc.register(capacity=_MANY)
    expect_that(await trial.byoc.is_found(), "the capability to be found before")
    await trial.restart()
    expect_that(not await trial.byoc.is_found(), "the capability to be forgotten")


@check("byoc.forget.unreachable", needs=Part.BYOC)
async def a_worker_out_of_reach(trial: Trial) -> None:
    await trial.byoc.register(url=trial.dead_url(), capacity=_MANY)
    expect_that(await trial.byoc.is_found(), "the capability to be found before")
    expect_that(not await trial.byoc.is_found(), "the capability to be forgotten")


@check("byoc.forget.stream-start", needs=(Part.BYOC, Part.STREAMS, Part.OFFCHAIN))
async def a_start_that_fails(trial: Trial) -> None:
    await trial.byoc.register(capacity=_MANY)
    trial.worker.answers(500)
    headers = trial.byoc.job(request='{"stream_id": "conformance"}')
    await trial.http.post(f"{trial.network.orch_url}/ai/stream/start", json={}, headers=headers)
    expect("where the worker was asked", (await trial.worker.until_asked()).path, "/stream/start")
    expect_that(await trial.byoc.is_found(), "the capability to be found still")


@check("byoc.capacity.timeout", needs=Part.BYOC)
async def a_job_that_times_out(trial: Trial) -> None:
    await leak(trial)
    await trial.worker.until_left()
    expect_that(not await trial.byoc.is_found(), "no free slot though nothing runs")


@check("byoc.capacity.caller-left", needs=Part.BYOC)
async def a_caller_that_leaves(trial: Trial) -> None:
    trial.worker.holds()
    await trial.byoc.register()
    await trial.byoc.leave(trial.worker.until_asked)
    await trial.worker.until_left()
    expect_that(not await trial.byoc.is_found(), "no free slot though nothing runs")


@check("byoc.capacity.bad-request", needs=_DIRECTLY)
async def a_request_that_does_not_parse(trial: Trial) -> None:
    await trial.byoc.register()
    expect("the status", (await trial.byoc.call(straight=True, request="no JSON")).status_code, 400)
    expect("what the worker was asked", trial.worker.asked, [])
    expect_that(not await trial.byoc.is_found(), "no free slot though nothing runs")


@check("byoc.capacity.healed", needs=Part.BYOC)
async def registering_again_heals(trial: Trial) -> None:
    await leak(trial)
    expect_that(not await trial.byoc.is_found(), "no free slot before")
    trial.worker.answers()
    await trial.byoc.register()
    expect("the answer", (await trial.byoc.call()).content, b"{}")


@check("byoc.capacity.below-zero", needs=Part.BYOC)
async def registering_amid_a_job(trial: Trial) -> None:
    trial.worker.holds()
    await trial.byoc.register()
    async with trial.meanwhile(trial.byoc.call):
        await trial.worker.until_asked()
        await trial.byoc.register()
        trial.worker.release()
    trial.worker.streams(b": held\n\n", then_hold=True)
    async with trial.byoc.open() as first, trial.byoc.open() as second:
        expect("the statuses of two jobs on one slot", (first.status_code, second.status_code), (200, 200))
        await trial.worker.until_asked(3)


@check("byoc.capacity.unbounded", needs=_DIRECTLY)
async def four_jobs_on_one_slot(trial: Trial) -> None:
    trial.worker.holds()
    await trial.byoc.register()
    async with (
        trial.meanwhile(lambda: trial.byoc.call(straight=True)),
        trial.meanwhile(lambda: trial.byoc.call(straight=True)),
        trial.meanwhile(lambda: trial.byoc.call(straight=True)),
        trial.meanwhile(lambda: trial.byoc.call(straight=True)),
    ):
        await trial.worker.until_asked(4)
        trial.worker.release()


@check("byoc.capacity.full", needs=Part.BYOC)
async def a_full_capability(trial: Trial) -> None:
    trial.worker.holds()
    await trial.byoc.register()
    async with trial.meanwhile(trial.byoc.call):
        await trial.worker.until_asked()
        answer = await trial.byoc.call()
        trial.worker.release()
    expect_that(is_not_found(answer), "400 No orchestrators found", (answer.status_code, answer.text))


async def leak(trial: Trial) -> None:
    """Register with a capacity of one, and lose that slot."""
    trial.worker.holds()
    await trial.byoc.register()
    await trial.byoc.call(timeout_seconds=1)
    await trial.worker.until_asked()
