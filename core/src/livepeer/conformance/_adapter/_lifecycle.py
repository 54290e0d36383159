"""From the import to the end: setup, states, teardown."""

import re

from livepeer.conformance._checks import Checks, UnexpectedError, expect, expect_that
from livepeer.conformance._worker._trial import eventually
from livepeer.core import HealthState

from ._sample import SECRET, Sample
from ._trial import Ability, AdapterTrial, Served

check = Checks[AdapterTrial]()

_SECONDS = 90.0
_BROKEN_SECONDS = 15.0
_TRIES = 3
"""A busy machine may ask too late, when the setup is over."""


@check("setup.first", seconds=_SECONDS)
async def setup_first(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.slow_setup, fresh=True) as served:
        expect("the status of a call", (await served.call()).status_code, 200)
        await served.until_said("called")
        words = ("setup begins", "setup ends", "called")
        seen = [word for line in served.program.lines for word in words if line.endswith(word)]
        expect("what the model has printed", seen, list(words))


@check("setup.loading", seconds=_SECONDS)
async def loading(trial: AdapterTrial) -> None:
    for _ in range(_TRIES):
        async with trial.serve(trial.kit.slow_setup, fresh=True, ready=False) as served:
            await served.until_said("setup begins")
            answer, state = await served.post(b"{}", path="/"), await served.status()
            if not served.program.said("setup ends"):
                break
    else:
        raise UnexpectedError("expected a setup that takes a second, saw a shorter one each time")
    expect("the state", state, HealthState.LOADING)
    expect("the status of a call", answer.status_code, 503)
    after = answer.headers.get("retry-after", "")
    expect_that(re.fullmatch(r"[1-9]\d*", after) is not None, "Retry-After in whole seconds", after)


@check("setup.failing", seconds=_SECONDS)
async def failing_setup(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.failing_setup, fresh=True, ready=False) as served:
        await _expect_broken(served)
        expect("how often setup began", served.program.said("setup begins"), 1)


@check("setup.broken", seconds=_SECONDS)
async def broken(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.broken, fresh=True, ready=False) as served:
        await _expect_broken(served)


@check("teardown.once", needs=Ability.TEARS_DOWN, seconds=_SECONDS)
async def teardown(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.slow_setup, fresh=True) as served:
        expect("the status of a call", (await served.call()).status_code, 200)
        expect("how often it was torn down before the end", served.program.said("torn down"), 0)
        expect("the server's exit code", served.program.stop(), 0)
        expect("how often it was torn down", served.program.said("torn down"), 1)


@check("teardown.after-failed-setup", needs=Ability.TEARS_DOWN, seconds=_SECONDS)
async def teardown_after_a_failure(trial: AdapterTrial) -> None:
    sample: Sample = trial.kit.failing_setup
    async with trial.serve(sample, fresh=True, ready=False) as served:
        await _expect_broken(served)
        served.program.stop()
        expect("how often it was torn down", served.program.said("torn down"), 1)


async def _expect_broken(served: Served) -> None:
    async def is_error() -> bool:
        return await served.status() == HealthState.ERROR

    await eventually(is_error, "/health to say ERROR", seconds=_BROKEN_SECONDS)
    health = (await served.http.get("/health")).json()
    expect_that(SECRET in str(health.get("reason")), f"a reason that says {SECRET}", health)
    expect("the status of a call", (await served.post(b"{}", path="/")).status_code, 503)
    expect("the status of /healthz", (await served.http.get("/healthz")).status_code, 503)
