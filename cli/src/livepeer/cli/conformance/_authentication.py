"""Section 2: the bearer token between an orchestrator and its worker."""

from livepeer.conformance import Checks, expect, expect_that

from ._network import Part
from ._trial import Trial

check = Checks[Trial]()


@check("byoc.token.sent", needs=Part.BYOC)
async def the_token_is_sent(trial: Trial) -> None:
    await trial.byoc.register(token="hush")
    await trial.byoc.call()
    expect("Authorization at the worker", (await trial.worker.until_asked()).headers["authorization"], "Bearer hush")


@check("byoc.token.none", needs=Part.BYOC)
async def no_token_is_sent(trial: Trial) -> None:
    await trial.byoc.register()
    headers = {**trial.byoc.job(), "Authorization": "Bearer of-the-caller"}
    await trial.http.post(trial.byoc.url(), content=b"{}", headers=headers)
    seen = (await trial.worker.until_asked()).headers.get("authorization")
    expect("Authorization at the worker", seen, None)


@check("byoc.token.refused", needs=Part.BYOC)
async def a_worker_that_answers_401(trial: Trial) -> None:
    trial.worker.answers(401)
    await trial.byoc.register(capacity=100)
    await trial.byoc.call()
    trial.worker.answers()
    expect_that(not await trial.byoc.is_found(), "the capability to be forgotten")


@check("worker.token.missing")
async def a_missing_token(trial: Trial) -> None:
    served = await trial.serve()
    expect("the status", (await trial.http.post(f"{served.url}/predict", json={})).status_code, 401)


@check("worker.token.wrong")
async def a_wrong_token(trial: Trial) -> None:
    served = await trial.serve()
    for value in ("Bearer wrong", f"bearer{served.token}", served.token, "Basic " + served.token):
        answer = await trial.http.post(f"{served.url}/predict", json={}, headers={"Authorization": value})
        expect(f"the status for {value!r}", answer.status_code, 401)
    expect("the calls that ran", served.model.calls, 0)


@check("worker.token.only")
async def everything_else(trial: Trial) -> None:
    served = await trial.serve()
    headers = {"Authorization": f"Bearer {served.token}"}
    for path, document in (("predict", {"do": "deny"}), ("predict", {"do": 1}), ("nowhere", {}), ("health", {})):
        answer = await trial.http.post(f"{served.url}/{path}", json=document, headers=headers)
        expect_that(answer.status_code != 401, f"no 401 for {document} at /{path}", answer.status_code)
