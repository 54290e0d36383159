"""Section 6: what an orchestrator asks a worker about itself, straight."""

from typing import Any

from livepeer.conformance import Checks, expect

from ._network import Part
from ._served import Served
from ._trial import Trial, eventually

check = Checks[Trial]()


@check("health.loading")
async def loading(trial: Trial) -> None:
    served = await trial.serve(ready=False, setup="wait")
    expect("status and state", await _health(trial, served), (200, "LOADING"))


@check("health.idle")
async def idle(trial: Trial) -> None:
    served = await trial.serve()
    expect("status and state", await _health(trial, served), (200, "IDLE"))


@check("health.ok")
async def at_work(trial: Trial) -> None:
    served = await trial.serve()
    async with trial.meanwhile(lambda: _post(trial, served, {"do": "hold"})):
        await served.model.entered.wait()
        expect("status and state", await _health(trial, served), (200, "OK"))
        served.model.released.happen()
    expect("status and state after the call", await _health(trial, served), (200, "IDLE"))


@check("health.error")
async def broken(trial: Trial) -> None:
    served = await trial.serve(ready=False, setup="fail")

    async def is_error() -> bool:
        return await _health(trial, served) == (200, "ERROR")

    await eventually(is_error, "200 and ERROR")


@check("health.live")
async def with_a_session(trial: Trial) -> None:
    served = await trial.serve(live=True)
    expect("status and state without a session", await _health(trial, served), (200, "IDLE"))
    headers = {"X-Stream-Id": "1", "Authorization": f"Bearer {served.token}"}
    answer = await trial.http.post(f"{served.url}/stream/start", json={}, headers=headers)
    expect("the status of the start", answer.status_code, 200)
    expect("status and state with a session", await _health(trial, served), (200, "OK"))
    await trial.http.post(f"{served.url}/stream/stop", headers=headers)
    expect("status and state afterwards", await _health(trial, served), (200, "IDLE"))


@check("health.version")
async def version(trial: Trial) -> None:
    served = await trial.serve()
    found = (await trial.http.get(f"{served.url}/version")).json()
    seen = {name: found.get(name) for name in ("pipeline", "model_id", "version")}
    expect("the version", seen, {"pipeline": trial.name, "model_id": trial.name, "version": "1.0.0"})


@check("health.hardware")
async def hardware(trial: Trial) -> None:
    served = await trial.serve(options={"operator_routes": True})
    answer = await trial.http.get(f"{served.url}/hardware/info")
    expect("the status", answer.status_code, 200)
    expect("the fields", sorted(answer.json()), ["gpu_info", "model_id", "pipeline"])


@check("health.healthz")
async def healthz(trial: Trial) -> None:
    served = await trial.serve()
    expect("the status", (await trial.http.get(f"{served.url}/healthz")).status_code, 200)


@check("health.healthz.unready")
async def healthz_of_what_cannot_serve(trial: Trial) -> None:
    for setup in ("wait", "fail"):
        served = await trial.serve(ready=False, setup=setup)
        expect(f"the status with a setup to {setup}", (await trial.http.get(f"{served.url}/healthz")).status_code, 503)


@check("health.static", needs=(Part.RUNNER, Part.STATIC))
async def a_static_entry(trial: Trial) -> None:
    trial.worker.answers(200, b'{"status": "ERROR"}')
    await trial.add_static(health_url="/health")
    expect("how many runners are listed for a 200 that says ERROR", len(await trial.apps.listed()), 1)


async def _health(trial: Trial, served: Served) -> tuple[int, str]:
    answer = await trial.http.get(f"{served.url}/health")
    return answer.status_code, answer.json()["status"]


async def _post(trial: Trial, served: Served, document: dict[str, Any]) -> None:
    await trial.http.post(f"{served.url}/predict", json=document, headers={"Authorization": f"Bearer {served.token}"})
