"""Calls that go well, and models that do not."""

from collections.abc import Mapping
from typing import Any, cast

import httpx2

from livepeer.conformance._checks import Checks, expect, expect_that
from livepeer.core import HostCrashedError, ModelFailedError

from ._sample import SECRET, Sample
from ._trial import Ability, AdapterTrial, Served

check = Checks[AdapterTrial]()

_TEXTS = (
    "",
    "\N{PILE OF POO}\N{SNOWMAN} \u00e9",
    'quotes " and \\ backslashes',
    "lines\nand\r\n\ttabs",
    "[DONE]",
    "\u2028\x7f",
)
_LARGE = 3 * 1024 * 1024
_SECONDS = 60.0


@check("call.output", seconds=_SECONDS)
async def output(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.echo) as served:
        await expect_output(served)


@check("call.text", seconds=_SECONDS)
async def text(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.echo) as served:
        for each in _TEXTS:
            await _expect_echo(served, each)


@check("call.large", seconds=_SECONDS)
async def large(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.echo) as served:
        await _expect_echo(served, "x" * _LARGE)


@check("call.unknown-field", seconds=_SECONDS)
async def unknown_field(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.echo) as served:
        answer = await served.call({**trial.kit.echo.input, "no_such_field_of_any_model": 1})
        expect_that(answer.status_code in (200, 422), "200 or 422", answer.status_code)
        if answer.status_code == 200:
            expect("the answer", answer.json(), trial.kit.echo.output)
        else:
            expect_that("no_such_field_of_any_model" in answer.text, "the field to be named", answer.text)


@check("call.logged", needs=Ability.PROCESS, seconds=_SECONDS)
async def logged(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.printing) as served:
        answer = await served.call(x_request_id="conformance-printing")
        expect("the status", answer.status_code, 200)
        await served.until_said("[conformance-printing] called")


@check("model.failing", seconds=_SECONDS)
async def failing(trial: AdapterTrial) -> None:
    await _expect_failure(trial, trial.kit.failing)


@check("model.exiting", seconds=_SECONDS)
async def exiting(trial: AdapterTrial) -> None:
    await _expect_failure(trial, trial.kit.exiting)


@check("model.crashing", needs=Ability.PROCESS, seconds=_SECONDS)
async def crashing(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.crashing, fresh=True) as served:
        _expect_problem(await served.call(), HostCrashedError.code)
        await served.until_ready()
        await served.expect_well()


async def expect_output(served: Served) -> None:
    """Make sure that a sample is answered with its output.

    Raises:
        UnexpectedError: It is not.
    """
    answer, sample = await served.call(), served.sample
    expect("the status", answer.status_code, 200)
    seen = answer.content if isinstance(sample.output, bytes) else answer.json()
    expect("the answer", seen, sample.output)
    if sample.media_type is not None:
        expect("the media type", answer.headers["content-type"], sample.media_type)


async def _expect_echo(served: Served, text: str) -> None:
    [known] = _texts(served.sample)
    answer = await served.call(_replaced(served.sample.input, known, text))
    expect(f"the status for {text!r:.40}", answer.status_code, 200)
    expect(f"the answer to {text!r:.40}", answer.json(), _replaced(served.sample.output, known, text))


async def _expect_failure(trial: AdapterTrial, sample: Sample) -> None:
    """The call fails without a word of why, the log has it, and the same process serves on."""
    async with trial.serve(sample, fresh=True) as served:
        for _ in range(2):
            answer = await served.call()
            _expect_problem(answer, ModelFailedError.code)
            expect_that(SECRET not in answer.text, "an answer without the model's own words", answer.text)
            await served.expect_well()
        await served.until_said(SECRET)


def _expect_problem(answer: httpx2.Response, code: str) -> None:
    expect("the status", answer.status_code, 500)
    expect("the code", answer.json().get("code"), code)


def _texts(sample: Sample) -> list[str]:
    return [value for value in sample.input.values() if isinstance(value, str)]


def _replaced(node: Any, known: str, text: str) -> Any:
    if node == known:
        return text
    if isinstance(node, list):
        return [_replaced(item, known, text) for item in cast("list[Any]", node)]
    if isinstance(node, Mapping):
        return {key: _replaced(value, known, text) for key, value in cast("Mapping[str, Any]", node).items()}
    return node
