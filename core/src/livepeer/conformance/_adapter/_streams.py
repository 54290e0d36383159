"""Streams of an adapter's, sync and async alike."""

import json

import anyio

from livepeer.conformance._checks import Checks, expect, expect_that
from livepeer.conformance._worker._streams import expect_one_end, stream_items
from livepeer.core import ModelFailedError

from ._sample import SECRET, Sample
from ._trial import Ability, AdapterTrial

check = Checks[AdapterTrial]()

_SECONDS = 60.0
_LEAST_ITEMS = 3
_APART_SECONDS = 0.3
"""Less than what the items of a sample take: two pauses of 0.2 s."""


@check("stream.items", needs=Ability.STREAMS, seconds=_SECONDS)
async def items(trial: AdapterTrial) -> None:
    await _expect_items(trial, trial.kit.streaming)


@check("stream.async-items", needs=Ability.STREAMS_ASYNC, seconds=_SECONDS)
async def async_items(trial: AdapterTrial) -> None:
    await _expect_items(trial, trial.kit.async_streaming)


@check("stream.true", needs=Ability.STREAMS, seconds=_SECONDS)
async def true(trial: AdapterTrial) -> None:
    await _expect_no_collecting(trial, trial.kit.streaming)


@check("stream.async-true", needs=Ability.STREAMS_ASYNC, seconds=_SECONDS)
async def async_true(trial: AdapterTrial) -> None:
    await _expect_no_collecting(trial, trial.kit.async_streaming)


@check("stream.closed", needs=Ability.STREAMS, seconds=_SECONDS)
async def closed(trial: AdapterTrial) -> None:
    await _expect_closing(trial, trial.kit.streaming)


@check("stream.async-closed", needs=Ability.STREAMS_ASYNC, seconds=_SECONDS)
async def async_closed(trial: AdapterTrial) -> None:
    await _expect_closing(trial, trial.kit.async_streaming)


@check("stream.failing-midway", needs=Ability.STREAMS, seconds=_SECONDS)
async def failing_midway(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.failing_midway) as served:
        answer = await served.call()
        expect("the status", answer.status_code, 200)
        expect_one_end(answer.content)
        expect("the items", stream_items(answer.content), trial.kit.failing_midway.output)
        *_, last, _, _ = answer.text.split("\n\n")
        kind, _, data = last.partition("\n")
        expect("the last event's type", kind, "event: error")
        expect("its code", json.loads(data.removeprefix("data:"))["error"]["code"], ModelFailedError.code)
        expect_that(SECRET not in answer.text, "a stream without the model's own words", answer.text)


async def _expect_items(trial: AdapterTrial, sample: Sample) -> None:
    async with trial.serve(sample) as served:
        answer = await served.call()
        expect("the status", answer.status_code, 200)
        expect_one_end(answer.content)
        expect("the items", stream_items(answer.content), sample.output)


async def _expect_no_collecting(trial: AdapterTrial, sample: Sample) -> None:
    """Between the first item and the end passes some time, for the items are made one after another."""
    expect_that(len(sample.output) >= _LEAST_ITEMS, f"a sample of {_LEAST_ITEMS} items or more", sample.output)
    async with trial.serve(sample) as served, served.stream() as answer:
        chunks = answer.aiter_bytes()
        await anext(chunks)
        first = anyio.current_time()
        async for _ in chunks:
            pass
    seconds = anyio.current_time() - first
    expect_that(seconds >= _APART_SECONDS, f"the first item {_APART_SECONDS} s before the end", f"{seconds:.2f} s")


async def _expect_closing(trial: AdapterTrial, sample: Sample) -> None:
    async with trial.serve(sample) as served:
        before = served.program.said("closed")
        async with served.stream() as answer:
            await anext(answer.aiter_bytes())
        await served.until_said("closed", before + 1)
        await served.until_idle()
        expect("the status of the next call", (await served.call()).status_code, 200)
