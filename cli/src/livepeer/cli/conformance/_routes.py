"""Section 8: the routes that callers in the field hit, and what is not for strangers."""

import hashlib
import json

from livepeer.conformance import Checks, expect, expect_that

from ._network import Part
from ._trial import Trial, eventually

check = Checks[Trial]()

_VALUE = {"a": [1, 2]}
_BODY = json.dumps({"value": _VALUE}).encode()

_MEDIA = {
    "images": [{"url": "https://example.invalid/a.png"}],
    "image": {"url": "https://example.invalid/a.png"},
    "video": {"url": "https://example.invalid/a.mp4"},
    "audio": {"url": "https://example.invalid/a.mp3"},
    "data": [{"b64_json": "AAAA"}],
}
_STREAM = {name: f"https://example.invalid/{name}" for name in ("control_url", "events_url", "subscribe_url")}
_OPERATOR = ("metrics", "hardware/info")


@check("routes.run")
async def run(trial: Trial) -> None:
    await _expect_default_operation(trial, "run")


@check("routes.root")
async def root(trial: Trial) -> None:
    await _expect_default_operation(trial, "")


@check("routes.name")
async def the_name(trial: Trial) -> None:
    await _expect_default_operation(trial, trial.name)


@check("routes.slash")
async def a_final_slash(trial: Trial) -> None:
    await _expect_default_operation(trial, "predict/", "predict", "run/", f"{trial.name}/")
    served = await trial.serve()
    for path in ("health", "schema", "capabilities"):
        plain, slashed = [await trial.http.get(f"{served.url}/{path}{slash}") for slash in ("", "/")]
        expect(f"the answer at /{path}/", (slashed.status_code, slashed.content), (200, plain.content))


@check("routes.capabilities")
async def capabilities(trial: Trial) -> None:
    served = await trial.serve(capacity=3)
    [found] = (await trial.get(served, "capabilities")).json()["capabilities"]
    expected = {"name": trial.name, "model_id": trial.name, "capacity": 3, "price_per_unit": 0, "price_scaling": 1}
    expect("the capability", {name: found.get(name) for name in expected}, expected)


@check("routes.schema")
async def schema(trial: Trial) -> None:
    served = await trial.serve()
    found = (await trial.get(served, "schema")).json()
    expect("the properties of the input", sorted(found["input"]["properties"]), ["do", "value"])
    expect("the type of the output", found["output"].get("type"), "object")


@check("routes.schema.sha256", needs=Part.RUNNER)
async def the_schemas_hash(trial: Trial) -> None:
    price = {"price_usd": "0.01"} if trial.has(Part.PAID) else {}
    served = await trial.serve(registration={"network": "live-runner", "app": trial.apps.app, **price})

    async def is_listed() -> bool:
        return bool(await trial.apps.listed())

    await eventually(is_listed, "the app to be listed")
    [found] = await trial.apps.listed()
    card = json.loads(found["metadata"])
    content = (await trial.http.get(f"{served.url}/schema")).content
    expect("schema_sha256 in the metadata", card.get("schema_sha256"), hashlib.sha256(content).hexdigest())


@check("strangers.stream-start", needs=Part.BYOC)
async def a_batch_call_of_a_stream_route(trial: Trial) -> None:
    await trial.byoc.register(token="hush")
    await trial.byoc.call("stream/start")
    [asked] = trial.worker.asked
    seen = (asked.path, asked.headers.get("authorization"), asked.headers.get("x-stream-id"))
    expect("path, token and stream id at the worker", seen, ("/stream/start", "Bearer hush", None))


@check("strangers.overrides", needs=(Part.BYOC, Part.STREAMS, Part.OFFCHAIN))
async def urls_of_a_stranger(trial: Trial) -> None:
    await trial.byoc.register()
    headers = trial.byoc.job(request='{"stream_id": "conformance"}')
    await trial.http.post(f"{trial.network.orch_url}/ai/stream/start", json=_STREAM, headers=headers)
    seen = json.loads((await trial.worker.until_asked()).body)
    expect("the control URL at the worker", seen.get("control_url"), _STREAM["control_url"])


@check("strangers.every-path", needs=Part.RUNNER)
async def every_path(trial: Trial) -> None:
    runner = await trial.apps.register()
    paths = ["stream/start", "metrics", "hardware/info", "docs", "a/b/c"]
    for path in paths:
        await trial.apps.call(runner, path, method="GET")
    expect("the paths at the worker", [asked.path for asked in trial.worker.asked], [f"/{path}" for path in paths])


@check("worker.strangers.stream-id", needs=Part.BYOC)
async def a_start_without_a_stream_id(trial: Trial) -> None:
    served = await trial.serve()
    await trial.byoc.register(url=served.url, token=served.token)
    answer = await trial.byoc.call("stream/start", json.dumps(_STREAM).encode())
    expect_that(400 <= answer.status_code < 500 and answer.status_code != 401, "a refusal", answer.status_code)
    expect("the calls that ran", served.model.calls, 0)


@check("worker.strangers.no-stream", needs=Part.RUNNER)
async def stream_routes_under_live_runner(trial: Trial) -> None:
    served = await trial.serve(token="")
    runner = await trial.apps.register(runner_url=served.url)
    for path in ("stream/start", "stream/params", "stream/stop"):
        answer = await trial.apps.call(runner, path, json=_STREAM, headers={"X-Stream-Id": "1"})
        expect(f"the status of /{path}", answer.status_code, 404)


@check("worker.strangers.origin")
async def channels_of_another_origin(trial: Trial) -> None:
    served = await trial.serve()
    channels = {name: f"{trial.worker.url}/{name}" for name in ("control_url", "events_url", "subscribe_url")}
    headers = {"X-Stream-Id": "1", "Authorization": f"Bearer {served.token}"}
    answer = await trial.http.post(f"{served.url}/stream/start", json=channels, headers=headers)
    expect_that(400 <= answer.status_code < 500 and answer.status_code != 401, "a refusal", answer.status_code)
    expect("what the other origin was asked", [asked.path for asked in trial.worker.asked], [])


@check("worker.strangers.operator")
async def operator_routes_off(trial: Trial) -> None:
    served = await trial.serve()
    for path in _OPERATOR:
        expect(f"the status of /{path}", (await trial.get(served, path)).status_code, 404)


@check("worker.strangers.operator-on")
async def operator_routes_on(trial: Trial) -> None:
    served = await trial.serve(options={"operator_routes": True})
    for path in _OPERATOR:
        expect(f"the status of /{path}", (await trial.get(served, path)).status_code, 200)


@check("worker.answers.bare")
async def a_bare_answer(trial: Trial) -> None:
    served = await trial.serve()
    for call in await trial.callers(served):
        expect("the answer", (await call("predict", json.dumps({"value": _MEDIA}).encode())).json(), _MEDIA)


@check("worker.answers.advice")
async def advice(trial: Trial) -> None:
    served = await trial.serve(answers_text=True)
    notes = (await trial.http.get(f"{served.url}/schema")).json().get("notes")
    expect_that(bool(notes), "a note that some callers read objects only", notes)


async def _expect_default_operation(trial: Trial, *paths: str) -> None:
    served = await trial.serve()
    for call in await trial.callers(served):
        for path in paths:
            answer = await call(path, _BODY)
            expect(f"the status at /{path}", answer.status_code, 200)
            expect(f"the answer at /{path}", answer.json(), _VALUE)
