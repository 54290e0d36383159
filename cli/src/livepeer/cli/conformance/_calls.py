"""Section 7, the caller's way: what the orchestrator proxies, and how it is paid."""

import inspect
import ssl

from websockets.asyncio.client import connect

from livepeer.client import Gateway
from livepeer.conformance import Checks, expect, expect_that

from ._apps import Challenge, Session
from ._network import Part
from ._trial import Trial

check = Checks[Trial]()

_PAID = (Part.RUNNER, Part.PAID, Part.SIGNER)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
_HEADERS = ("livepeer-runner-route", "livepeer-session-id", "livepeer-session-token", "livepeer-session-control")
_UPSTREAM = {"token", "signer_url", "signer_headers", "discovery_url", "discovery_headers", "orch_url"}


@check("apps.single-shot", needs=Part.RUNNER)
async def any_method(trial: Trial) -> None:
    runner = await trial.apps.register()
    for method in _METHODS:
        await trial.apps.call(runner, "some/path", method=method)
    seen = [(asked.method, asked.path) for asked in trial.worker.asked]
    expect("what the worker was asked", seen, [(method, "/some/path") for method in _METHODS])


@check("apps.session", needs=Part.RUNNER)
async def a_session(trial: Trial) -> None:
    runner = await trial.apps.register(mode="persistent")
    session = await trial.apps.reserve(runner)
    url = trial.apps.url(runner, "predict", session=session)
    for _ in range(2):
        expect("the answer", (await trial.http.post(url)).content, b"{}")
    expect("the sessions at the worker", _sessions(trial), {session.session_id})
    expect("the status of the stop", (await trial.apps.stop(session)).status_code, 204)
    expect("the status after it", (await trial.http.post(url)).status_code, 404)


@check("apps.slash", needs=Part.RUNNER)
async def no_final_slash(trial: Trial) -> None:
    runner = await trial.apps.register()
    bare = trial.apps.url(runner).rstrip("/")
    answer = await trial.http.post(bare, content=b"{}", follow_redirects=False)
    expect("the status", answer.status_code, 301)
    expect_that(answer.headers["Location"].endswith("/app/"), "the same with a slash", answer.headers["Location"])
    expect("what the worker was asked", trial.worker.asked, [])


@check("apps.unchanged", needs=Part.RUNNER)
async def nothing_is_changed(trial: Trial) -> None:
    trial.worker.answers(418, b"short \xff and stout", Content_Type="text/x-tea", X_Answer="yes")
    runner = await trial.apps.register()
    headers = {"Content-Type": "text/x-own", "X-Own": "1", "Cookie": "a=b"}
    answer = await trial.apps.call(runner, "a/b?q=1&q=2", method="PUT", content=b"hello \xff", headers=headers)
    [asked] = trial.worker.asked
    seen = (asked.method, asked.path, asked.query, asked.body)
    expect("method, path, query and body", seen, ("PUT", "/a/b", "q=1&q=2", b"hello \xff"))
    expect("the headers", {name: asked.headers.get(name.lower()) for name in headers}, headers)
    seen = (answer.status_code, answer.content, answer.headers.get("Content-Type"), answer.headers.get("X-Answer"))
    expect("the answer", seen, (418, b"short \xff and stout", "text/x-tea", "yes"))


@check("apps.sse", needs=Part.RUNNER)
async def events(trial: Trial) -> None:
    content = b": ping\n\n\n\ndata: " + b"x" * 70_000 + b"\n\ndata: [DONE] and more\n\ndata: the end"
    trial.worker.streams(content)
    runner = await trial.apps.register()
    answer = await trial.apps.call(runner)
    expect("Content-Type", answer.headers["Content-Type"].partition(";")[0], "text/event-stream")
    expect_that(answer.content == content, "the very bytes", answer.content[-50:])
    first, second = b"data: 1\n\n", b"data: 2\n\n"
    trial.worker.streams(first, second)
    async with trial.apps.open(runner) as response:
        chunks = response.aiter_bytes()
        expect("what comes before the worker goes on", await anext(chunks), first)
        trial.worker.release()
        expect("what comes then", await anext(chunks), second)
        await chunks.aclose()


@check("apps.websocket", needs=Part.RUNNER)
async def websockets(trial: Trial) -> None:
    runner = await trial.apps.register()
    url = trial.apps.url(runner, "socket")
    headers = await trial.apps.payment(url, method="GET")
    context = _lenient() if url.startswith("https") else None
    async with connect(f"ws{url.removeprefix('http')}?mark=m", additional_headers=headers, ssl=context) as socket:
        await socket.send("hello")
        expect("the answer", await socket.recv(), "m:hello")


@check("apps.headers", needs=Part.RUNNER)
async def headers_of_a_call(trial: Trial) -> None:
    runner = await trial.apps.register()
    await trial.apps.call(runner)
    [asked] = trial.worker.asked
    route, session_id, token, control = (asked.headers.get(name, "") for name in _HEADERS)
    expect("the route", route, runner.runner_id)
    expect_that(bool(session_id and token), "a session's id and its token", dict(asked.headers))
    expect_that(control.endswith(f"/runner/{route}/session/{session_id}"), "the session's control URL", control)


@check("apps.slot", needs=Part.RUNNER)
async def a_slot_for_a_get(trial: Trial) -> None:
    trial.worker.holds()
    runner = await trial.apps.register(capacity=1)
    async with trial.meanwhile(lambda: trial.apps.call(runner, method="GET")):
        await trial.worker.until_asked()
        [found] = await trial.apps.listed()
        expect("capacity_used during a GET", found["capacity_used"], 1)
        expect("the status of a GET too many", (await trial.apps.call(runner, method="GET")).status_code, 503)
        trial.worker.release()


@check("apps.authorization", needs=Part.RUNNER)
async def authorization(trial: Trial) -> None:
    runner = await trial.apps.register()
    await trial.apps.call(runner)
    await trial.apps.call(runner, headers={"Authorization": "Bearer of-the-caller"})
    seen = [asked.headers.get("authorization") for asked in trial.worker.asked]
    expect("Authorization at the worker", seen, [None, "Bearer of-the-caller"])


@check("apps.channels", needs=Part.RUNNER)
async def channels(trial: Trial) -> None:
    runner = await trial.apps.register(mode="persistent")
    session = await trial.apps.reserve(runner)
    await trial.http.post(trial.apps.url(runner, session=session))
    token, control = (trial.worker.asked[0].headers[name] for name in _HEADERS[2:])
    document = {"channels": [{"name": "events", "mime_type": "application/json"}]}
    url = f"{control}/channels"
    refused = await trial.http.post(url, json=document, headers={"Livepeer-Session-Token": "wrong"})
    expect("the status with another token", refused.status_code, 401)
    answer = await trial.http.post(url, json=document, headers={"Livepeer-Session-Token": token})
    [channel] = answer.raise_for_status().json()["channels"]
    expect("name and type", (channel["name"], channel["mime_type"]), ("events", "application/json"))
    await trial.http.post(f"{channel['url']}/0", content=b'{"a": 1}')
    expect("what a reader gets", (await trial.http.get(f"{channel['url']}/0")).content, b'{"a": 1}')


@check("apps.payment.challenge", needs=_PAID)
async def a_challenge(trial: Trial) -> None:
    runner = await trial.apps.register()
    answer = await trial.apps.challenge(trial.apps.url(runner))
    expect("the status", answer.status_code, 402)
    challenge = Challenge.model_validate_json(answer.content)
    expect_that(challenge.payment_url.endswith("/payment"), "the URL of further payments", challenge.payment_url)


@check("apps.payment.get", needs=_PAID)
async def a_get_is_paid(trial: Trial) -> None:
    runner = await trial.apps.register()
    expect("the status", (await trial.apps.challenge(trial.apps.url(runner), method="GET")).status_code, 402)
    expect("what the worker was asked", trial.worker.asked, [])
    expect("the status once it is paid", (await trial.apps.call(runner, method="GET")).status_code, 200)


@check("apps.payment.signed", needs=_PAID)
async def a_payment(trial: Trial) -> None:
    runner = await trial.apps.register()
    url = trial.apps.url(runner, "predict")
    challenge = Challenge.model_validate_json((await trial.apps.challenge(url)).content)
    payment = await trial.apps.pay(challenge)
    answer = await trial.http.post(url, content=b"{}", headers=payment.headers)
    expect("the answer", (answer.status_code, answer.content), (200, b"{}"))


@check("apps.payment.session", needs=_PAID)
async def further_payments(trial: Trial) -> None:
    runner = await trial.apps.register(mode="persistent")
    url = f"{trial.network.orch_url}/apps/{runner.runner_id}/session"
    challenge = Challenge.model_validate_json((await trial.apps.challenge(url)).content)
    payment = await trial.apps.pay(challenge)
    answer = await trial.http.post(url, headers=payment.headers)
    session = Session.model_validate_json(answer.raise_for_status().content)
    more = await trial.apps.pay(challenge, state=payment.state)
    expect("the status", (await trial.http.post(challenge.payment_url, headers=more.headers)).status_code, 200)
    await trial.apps.stop(session)
    still_more = await trial.apps.pay(challenge, state=more.state)
    answer = await trial.http.post(challenge.payment_url, headers=still_more.headers)
    expect("the status after the session's end", answer.status_code, 404)


@check("caller.runner.constructor")
async def the_clients_constructor(trial: Trial) -> None:
    del trial
    lacking = _UPSTREAM - inspect.signature(Gateway).parameters.keys()
    expect_that(not lacking, f"a constructor that takes {sorted(_UPSTREAM)}", f"none of {sorted(lacking)}")


def _sessions(trial: Trial) -> set[str]:
    return {asked.headers["livepeer-session-id"] for asked in trial.worker.asked}


def _lenient() -> ssl.SSLContext:
    """Orchestrators sign their own certificates."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
