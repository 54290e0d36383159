"""Section 3: what a worker is asked, and what becomes of its answer."""

import anyio

from livepeer.conformance import Checks, expect, expect_that

from ._byoc import is_not_found
from ._jobs import orchestrators
from ._network import Part
from ._trial import Trial

check = Checks[Trial]()

_DIRECTLY = (Part.BYOC, Part.OFFCHAIN)
_TWO = (Part.BYOC, Part.TWO_ORCHESTRATORS)
_TRIES = 60
"""Which orchestrator a gateway asks first is chance: so often it may be the good one."""


@check("batch.route", needs=Part.BYOC)
async def the_route(trial: Trial) -> None:
    await trial.byoc.register()
    for place, route in enumerate(("predict", "a/b/c", "stream/start", ""), 1):
        await trial.byoc.call(route)
        asked = await trial.worker.until_asked(place)
        expect(f"the path for {route!r}", asked.path.lstrip("/"), route)


@check("batch.post", needs=Part.BYOC)
async def the_method(trial: Trial) -> None:
    await trial.byoc.register()
    for method in ("GET", "PUT", "POST"):
        await trial.http.request(method, trial.byoc.url("predict"), content=b"{}", headers=trial.byoc.job())
    expect("the methods at the worker", {asked.method for asked in trial.worker.asked}, {"POST"})


@check("batch.body", needs=Part.BYOC)
async def the_body(trial: Trial) -> None:
    await trial.byoc.register()
    headers = {**trial.byoc.job(), "Content-Type": "text/x-own"}
    await trial.http.post(trial.byoc.url(), content=b"hello \x00\xff", headers=headers)
    asked = await trial.worker.until_asked()
    seen = (asked.body, asked.headers.get("content-type"), asked.headers.get("content-length"))
    expect("body, Content-Type and Content-Length", seen, (b"hello \x00\xff", "text/x-own", "8"))


@check("batch.nothing-else", needs=Part.BYOC)
async def headers_and_query(trial: Trial) -> None:
    await trial.byoc.register()
    own = {"X-Own": "1", "Cookie": "a=b", "Accept": "text/x-own", "Authorization": "Bearer own"}
    await trial.http.post(f"{trial.byoc.url('predict')}?q=1", content=b"{}", headers={**trial.byoc.job(), **own})
    asked = await trial.worker.until_asked()
    expect("the query string", asked.query, "")
    found = {"x-own", "cookie", "accept", "authorization", "livepeer"} & asked.headers.keys()
    expect_that(not found, "no header of the caller at the worker", found)


@check("batch.answer.orchestrator", needs=_DIRECTLY)
async def headers_of_an_orchestrators_answer(trial: Trial) -> None:
    trial.worker.answers(Content_Type="application/x-own", X_Metadata="m")
    await trial.byoc.register()
    headers = (await trial.byoc.call(straight=True)).headers
    seen = (headers.get("Content-Type"), headers.get("X-Metadata"))
    expect("Content-Type and X-Metadata", seen, ("application/x-own", "m"))


@check("batch.answer.metadata", needs=Part.BYOC)
async def metadata_through_the_gateway(trial: Trial) -> None:
    trial.worker.answers(X_Metadata="m")
    await trial.byoc.register()
    expect("X-Metadata", (await trial.byoc.call()).headers.get("X-Metadata"), "m")


@check("batch.answer.sniffed", needs=Part.BYOC)
async def the_guessed_type(trial: Trial) -> None:
    trial.worker.answers(Content_Type="application/json")
    await trial.byoc.register()
    expect("Content-Type", (await trial.byoc.call()).headers.get("Content-Type"), "text/plain; charset=utf-8")


@check("batch.answer.added", needs=Part.BYOC)
async def headers_that_a_gateway_adds(trial: Trial) -> None:
    await trial.byoc.register()
    headers = (await trial.byoc.call()).headers
    expect_that("Livepeer-Balance" in headers, "Livepeer-Balance", dict(headers))
    expect_that(headers.get("X-Orchestrator-Url", "").startswith("http"), "X-Orchestrator-Url", dict(headers))


@check("batch.answer.whole", needs=Part.BYOC)
async def a_large_answer(trial: Trial) -> None:
    body = b"0123456789" * 300_000
    trial.worker.answers(201, body)
    await trial.byoc.register()
    expect_that((await trial.byoc.call()).content == body, "the whole body of 3 MB")


@check("batch.refusal.passed", needs=Part.BYOC)
async def refusals(trial: Trial) -> None:
    await trial.byoc.register(capacity=100)
    for status in (400, 404, 422, 499):
        trial.worker.answers(status, b'{"why": 1}')
        answer = await trial.byoc.call()
        expect("the answer", (answer.status_code, answer.json()), (status, {"why": 1}))


@check("batch.refusal.final", needs=Part.BYOC)
async def a_refusal_is_not_retried(trial: Trial) -> None:
    trial.worker.answers(422)
    for at in range(len(trial.network.orch_urls)):
        await trial.byoc.register(at=at)
    expect("the status", (await trial.byoc.call()).status_code, 422)
    expect("how often a worker was asked", len(trial.worker.asked), 1)


@check("batch.failure.empty", needs=Part.BYOC)
async def a_failure_of_all(trial: Trial) -> None:
    await trial.byoc.register(capacity=100)
    for status in (500, 503):
        trial.worker.answers(status, b"why")
        answer = await trial.byoc.call()
        seen = (answer.status_code, answer.content, answer.headers.get("X-Orchestrator-Url"))
        expect(f"the answer to {status}", seen, (200, b"", None))


@check("batch.failure.next", needs=_TWO)
async def another_orchestrator_after_500(trial: Trial) -> None:
    await _falls_back(trial, status=500)


@check("batch.failure.next-after-401", needs=_TWO)
async def another_orchestrator_after_401(trial: Trial) -> None:
    await _falls_back(trial, status=401)


@check("batch.failure.next-after-unreachable", needs=_TWO)
async def another_orchestrator_for_a_dead_worker(trial: Trial) -> None:
    trial.worker.answers(body=b"good")
    await trial.byoc.register(at=0, url=trial.dead_url(), capacity=100)
    await trial.byoc.register(at=1, capacity=100)
    only_first = await _only_first(trial)
    for _ in range(_TRIES):
        expect("the answer", (await trial.byoc.call()).content, b"good")
        if is_not_found(await trial.byoc.call(parameters=only_first)):
            return
    expect_that(False, "the gateway to ask the first orchestrator at least once")


@check("batch.failure.401", needs=_DIRECTLY)
async def a_401_at_the_orchestrator(trial: Trial) -> None:
    trial.worker.answers(401)
    await trial.byoc.register(capacity=100)
    expect("the status", (await trial.byoc.call(straight=True)).status_code, 500)
    expect_that(not await trial.byoc.is_found(), "the capability to be removed")


@check("batch.failure.unreachable", needs=_DIRECTLY)
async def a_dead_worker_at_the_orchestrator(trial: Trial) -> None:
    await trial.byoc.register(url=trial.dead_url(), capacity=100)
    expect("the status", (await trial.byoc.call(straight=True)).status_code, 500)
    expect_that(not await trial.byoc.is_found(), "the capability to be removed")


@check("batch.deadline", needs=_DIRECTLY)
async def the_deadline(trial: Trial) -> None:
    trial.worker.holds()
    await trial.byoc.register()
    begin = anyio.current_time()
    answer = await trial.byoc.call(straight=True, timeout_seconds=2)
    seconds = anyio.current_time() - begin
    expect_that(answer.status_code >= 400 and 2 <= seconds < 5, "an error after 2 s", (answer.status_code, seconds))
    await trial.worker.until_left()


@check("batch.deadline.gateway", needs=Part.BYOC)
async def the_deadline_through_the_gateway(trial: Trial) -> None:
    trial.worker.holds()
    await trial.byoc.register()
    begin = anyio.current_time()
    await trial.byoc.call(timeout_seconds=2)
    seconds = anyio.current_time() - begin
    expect_that(2 <= seconds < 2 + 5 + 2, "an answer between 2 and 7 s later", seconds)
    await trial.worker.until_left()


@check("worker.loading")
async def a_loading_worker(trial: Trial) -> None:
    served = await trial.serve(ready=False, setup="wait")
    for call in await trial.callers(served, frank=True):
        expect("the status", (await call("predict", b"{}")).status_code, 503)


@check("worker.bug")
async def a_bug(trial: Trial) -> None:
    served = await trial.serve()
    for call in await trial.callers(served, frank=True):
        answer = await call("predict", b'{"do": "break"}')
        expect("the status", answer.status_code, 500)
        expect_that("a bug" not in answer.text, "no word of the model's own error", answer.text)


@check("worker.input")
async def bad_input(trial: Trial) -> None:
    served = await trial.serve()
    for call in await trial.callers(served):
        for body in (b'{"do": 1}', b'{"do": "sing"}', b'{"value": []}'):
            answer = await call("predict", body)
            expect(f"the status for {body!r}", answer.status_code, 422)
            expect_that("errors" in answer.json(), "the fields at fault", answer.text)


@check("worker.disconnect")
async def a_caller_that_leaves(trial: Trial) -> None:
    served = await trial.serve(capacity=2)  # a slot is given back a moment after its work was cancelled
    for call in await trial.callers(served):
        served.model.reset()
        async with trial.meanwhile(lambda call=call: call("predict", b'{"do": "hold"}')) as scope:
            await served.model.entered.wait()
            scope.cancel()
        await served.model.cancelled.wait()


async def _falls_back(trial: Trial, *, status: int) -> None:
    """Call a bad worker behind the first orchestrator and a good one behind the second until both have been asked."""
    bad = trial.another_worker()
    bad.answers(status)
    trial.worker.answers(body=b"good")
    await trial.byoc.register(at=0, url=bad.url, capacity=100)
    await trial.byoc.register(at=1, capacity=100)
    for _ in range(_TRIES):
        expect("the answer", (await trial.byoc.call()).content, b"good")
        if bad.asked:
            return
    expect_that(False, "the gateway to ask the first orchestrator at least once")


async def _only_first(trial: Trial) -> str:
    """Parameters by which the gateway asks nobody but the first orchestrator."""
    second = await trial.byoc.call()
    return orchestrators(exclude=second.headers["X-Orchestrator-Url"])
