"""Live sessions: what their description says, and how an orchestrator begins, changes and ends them."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import httpx2

from livepeer.conformance._checks import Checks, expect, expect_that
from livepeer.conformance._json_schema import misfit, schema_errors
from livepeer.conformance._worker._trial import eventually
from livepeer.core import Description, HealthState, LiveDescription, UnknownSessionError

from ._finding import Finding
from ._trial import Ability, AdapterTrial, Served

check = Checks[AdapterTrial]()

_SECONDS = 90.0
_END_SECONDS = 5.0
"""Less than after what a server cancels a session that does not end in its own way."""

_REPORT = "the session ended: "


@check("describe.live", needs=Ability.RUNS_LIVE)
async def described(trial: AdapterTrial) -> None:
    schema = _description(trial).params_schema
    expect("what is wrong with the schema of the params", schema_errors(schema), [])
    expect("what is wrong with the params", misfit(dict(trial.kit.live.input), schema, schema), None)


@check("live.unknown", needs=Ability.RUNS_LIVE)
async def unknown(trial: AdapterTrial) -> None:
    _description(trial)
    updated, stopped = _finding(trial).unknown_session
    expect("what `update` raised", updated and updated.kind, UnknownSessionError.__name__)
    expect("what `stop` raised", stopped, None)


@check("live.start", needs=Ability.RUNS_LIVE, seconds=_SECONDS)
async def start(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.live) as served, _session(served, "started") as answer:
        expect("the session's name", answer.json().get("stream_id"), "started")
        await _expect_running(served, "started")


@check("live.params", needs=Ability.RUNS_LIVE, seconds=_SECONDS)
async def params(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.live) as served, _session(served, "changed"):
        answer = await _say(served, "params", "changed", dict(served.sample.input))
        expect("the status", answer.status_code, 200)
        expect("the params in force", answer.json(), served.sample.output)


@check("live.twice", needs=Ability.RUNS_LIVE, seconds=_SECONDS)
async def twice(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.live) as served, _session(served, "twice"):
        expect("the status of the second start", (await _start(served, "twice")).status_code, 409)
        await _expect_running(served, "twice")


@check("live.capacity", needs=Ability.RUNS_LIVE, seconds=_SECONDS)
async def capacity(trial: AdapterTrial) -> None:
    most = _description(trial).capacity
    async with trial.serve(trial.kit.live) as served:
        names = [f"session-{number}" for number in range(most)]
        try:
            for name in names:
                expect(f"the status of the start of {name}", (await _start(served, name)).status_code, 200)
            expect("the status of one start more", (await _start(served, "one-more")).status_code, 503)
            await _expect_running(served, *names)
        finally:
            await _stop_all(served, *names, "one-more")


@check("live.stop", needs=Ability.RUNS_LIVE, seconds=_SECONDS)
async def stop(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.live) as served, _session(served, "stopped"):
        since = anyio.current_time()
        expect("the status", (await _say(served, "stop", "stopped")).status_code, 200)
        seconds = anyio.current_time() - since
        expect_that(seconds < _END_SECONDS, f"an answer within {_END_SECONDS:g} s", f"{seconds:.1f} s")
        expect("the state", await served.status(), HealthState.IDLE)
        expect("the status of params afterwards", (await _say(served, "params", "stopped", {})).status_code, 404)


@check("live.own-end", needs=Ability.RUNS_LIVE, seconds=_SECONDS)
async def own_end(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.live) as served:
        nowhere = f"{served.program.url}/no-such-channel"
        async with _session(served, "ended", control_url=nowhere):
            await _until_reported(served, "ended")
            await served.until_idle()
        async with _session(served, "ended"):
            await _expect_running(served, "ended")


def _finding(trial: AdapterTrial) -> Finding:
    return trial.stage.finding(trial.kit.live.target)


def _description(trial: AdapterTrial) -> LiveDescription:
    found = _finding(trial).loaded
    live = found.live if isinstance(found, Description) else None
    expect_that(live is not None, "a description of what is live", found)
    assert live is not None
    return live


async def _say(served: Served, route: str, name: str, document: Any = None) -> httpx2.Response:
    return await served.call(document or {}, path=f"/stream/{route}", x_stream_id=name)


async def _start(served: Served, name: str, **channels: str) -> httpx2.Response:
    body = {"gateway_request_id": name, "params": dict(served.sample.input), **channels}
    return await _say(served, "start", name, body)


@asynccontextmanager
async def _session(served: Served, name: str, **channels: str) -> AsyncGenerator[httpx2.Response]:
    """Have a session run within the block; what its start was answered with."""
    try:
        answer = await _start(served, name, **channels)
        expect("the status of the start", answer.status_code, 200)
        yield answer
    finally:
        await _stop_all(served, name)


async def _stop_all(served: Served, *names: str) -> None:
    for name in names:
        await _say(served, "stop", name)


async def _expect_running(served: Served, *names: str) -> None:
    """These and no others run: each answers, so that an end that was on its way has arrived."""
    for name in names:
        answer = await _say(served, "params", name, dict(served.sample.input))
        expect(f"the status of the params of {name}", answer.status_code, 200)
    health = (await served.http.get("/health")).json()
    expect("the state", health.get("status"), HealthState.OK)
    expect("how many run", health.get("slots", {}).get("in_use"), len(names))


async def _until_reported(served: Served, name: str) -> None:
    async def is_reported() -> bool:
        reasons = [line.partition(_REPORT)[2] for line in list(served.program.lines) if f"[{name}]" in line]
        return any(reason not in ("", "None") for reason in reasons)

    await eventually(is_reported, "the log to say why the session ended", seconds=_END_SECONDS)
