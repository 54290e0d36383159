"""What an adapter may or may not be able to do: cancel, carry files, batch, mount."""

from typing import cast

import anyio

from livepeer.conformance._checks import Checks, expect, expect_that

from ._calls import expect_output
from ._sample import Sample
from ._trial import Ability, AdapterTrial

check = Checks[AdapterTrial]()

_SECONDS = 60.0


@check("cancel.sync", needs=Ability.CANCELS, seconds=_SECONDS)
async def cancel(trial: AdapterTrial) -> None:
    await _expect_cancelling(trial, trial.kit.blocking)


@check("cancel.async", needs=Ability.CANCELS_ASYNC, seconds=_SECONDS)
async def cancel_async(trial: AdapterTrial) -> None:
    await _expect_cancelling(trial, trial.kit.async_blocking)


@check("files.in", needs=Ability.TAKES_FILES, seconds=_SECONDS)
async def file_in(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.file_in) as served:
        await expect_output(served)


@check("files.out", needs=Ability.GIVES_FILES, seconds=_SECONDS)
async def file_out(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.file_out) as served:
        await expect_output(served)
        await expect_output(served)


@check("batches.meet", needs=Ability.BATCHES, seconds=_SECONDS)
async def meet(trial: AdapterTrial) -> None:
    number: int = trial.kit.batching.output
    sizes: list[int] = []
    async with trial.serve(trial.kit.batching) as served:

        async def call() -> None:
            answer = await served.call()
            expect("the status", answer.status_code, 200)
            size: object = answer.json()
            expect_that(isinstance(size, int), "the number of calls in the batch", size)
            sizes.append(cast("int", size))

        async with anyio.create_task_group() as tasks:
            for _ in range(number):
                tasks.start_soon(call)
    expect_that(max(sizes) > 1, "calls that met", sizes)
    expect_that(max(sizes) <= number, f"no batch over {number}", sizes)


@check("mounts.route", needs=Ability.MOUNTS, seconds=_SECONDS)
async def mounted(trial: AdapterTrial) -> None:
    sample = trial.kit.mounted
    async with trial.serve(sample) as served:
        answer = await served.http.get(sample.route or "")
        expect("the status", answer.status_code, 200)
        if sample.output is not None:
            found = answer.content if isinstance(sample.output, bytes) else answer.json()
            expect("the answer", found, sample.output)


@check("mounts.contract-first", needs=Ability.MOUNTS, seconds=_SECONDS)
async def contract_first(trial: AdapterTrial) -> None:
    async with trial.serve(trial.kit.mounted) as served:
        expect("the state", await served.status(), "IDLE")
        for path in ("/schema", "/openapi.json", "/capabilities", "/version"):
            expect(f"the status of {path}", (await served.http.get(path)).status_code, 200)
        expect("the status of half a document", (await served.post(b'{"half": ')).status_code, 400)


async def _expect_cancelling(trial: AdapterTrial, sample: Sample) -> None:
    async with trial.serve(sample) as served:
        before = (served.program.said("called"), served.program.said("cancelled"))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(served.call)
            await served.until_said("called", before[0] + 1)
            tasks.cancel_scope.cancel()
        await served.until_said("cancelled", before[1] + 1)
        await served.until_idle()
        await served.expect_well()
