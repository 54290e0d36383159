"""Section 3: the header of a batch job, and who takes the job."""

import json

from livepeer.conformance import Checks, expect, expect_that

from ._byoc import is_not_found
from ._network import Part
from ._registration import leak
from ._trial import Trial

check = Checks[Trial]()

_DIRECTLY = (Part.BYOC, Part.OFFCHAIN)


@check("batch.header", needs=Part.BYOC)
async def a_header_that_cannot_be_read(trial: Trial) -> None:
    await trial.byoc.register()
    for value in ("{}", "!", "", trial.byoc.job()["Livepeer"][:-8]):
        answer = await trial.http.post(trial.byoc.url(), content=b"{}", headers={"Livepeer": value})
        expect(f"the status for {value[:20]!r}", answer.status_code, 400)
    expect("what the worker was asked", trial.worker.asked, [])


@check("batch.request", needs=Part.BYOC)
async def a_request_that_does_not_parse(trial: Trial) -> None:
    await trial.byoc.register(capacity=100)
    for value in ("", "no JSON", None):
        expect(f"the status for {value!r}", (await trial.byoc.call(request=value)).status_code, 400)
    expect("what the worker was asked", trial.worker.asked, [])


@check("batch.parameters", needs=Part.BYOC)
async def parameters_that_do_not_parse(trial: Trial) -> None:
    await trial.byoc.register()
    expect("the status", (await trial.byoc.call(parameters="no JSON")).status_code, 400)


@check("batch.parameters.absent", needs=Part.BYOC)
async def absent_parameters(trial: Trial) -> None:
    await trial.byoc.register()
    expect("the status", (await trial.byoc.call(parameters=None)).status_code, 400)


@check("batch.parameters.orchestrator", needs=_DIRECTLY)
async def absent_parameters_at_the_orchestrator(trial: Trial) -> None:
    await trial.byoc.register()
    answer = await trial.byoc.call(straight=True, parameters=None)
    expect("the answer", (answer.status_code, answer.content), (200, b"{}"))


@check("batch.timeout.zero", needs=Part.BYOC)
async def no_deadline(trial: Trial) -> None:
    await trial.byoc.register()
    for value in (0, None):
        expect(f"the status for {value}", (await trial.byoc.call(timeout_seconds=value)).status_code, 400)


@check("batch.include", needs=Part.BYOC)
async def included_orchestrators(trial: Trial) -> None:
    await trial.byoc.register()
    url = (await trial.byoc.call()).headers["X-Orchestrator-Url"]
    expect("the status of the one", (await trial.byoc.call(parameters=orchestrators(include=url))).status_code, 200)
    answer = await trial.byoc.call(parameters=orchestrators(include="http://elsewhere.invalid"))
    expect_that(is_not_found(answer), "400 No orchestrators found", (answer.status_code, answer.text))


@check("batch.exclude", needs=Part.BYOC)
async def excluded_orchestrators(trial: Trial) -> None:
    await trial.byoc.register()
    url = (await trial.byoc.call()).headers["X-Orchestrator-Url"]
    answer = await trial.byoc.call(parameters=orchestrators(exclude=url))
    expect_that(is_not_found(answer), "400 No orchestrators found", (answer.status_code, answer.text))


@check("batch.signed", needs=Part.BYOC)
async def a_job_without_a_signature(trial: Trial) -> None:
    await trial.byoc.register()
    answer = await trial.byoc.call(id=None, sender=None, sig=None)
    expect("the answer", (answer.status_code, answer.content), (200, b"{}"))


@check("batch.signature.hex", needs=_DIRECTLY)
async def signatures_that_pass(trial: Trial) -> None:
    await trial.byoc.register(capacity=100)
    for value in ("", "00", "0x" + "0" * 130):
        expect(f"the status for {value!r}", (await trial.byoc.call(straight=True, sig=value)).status_code, 200)


@check("batch.signature.refused", needs=_DIRECTLY)
async def signatures_that_do_not_pass(trial: Trial) -> None:
    await trial.byoc.register(capacity=100)
    for value in ("0x", "0x00"):
        expect(f"the status for {value!r}", (await trial.byoc.call(straight=True, sig=value)).status_code, 400)


@check("batch.unknown", needs=Part.BYOC)
async def an_unknown_capability(trial: Trial) -> None:
    answer = await trial.byoc.call()
    expect_that(is_not_found(answer), "400 No orchestrators found", (answer.status_code, answer.text))


@check("batch.leaked", needs=Part.BYOC)
async def a_leaked_capability(trial: Trial) -> None:
    await leak(trial)
    answer = await trial.byoc.call()
    expect_that(is_not_found(answer), "400 No orchestrators found", (answer.status_code, answer.text))


def orchestrators(**urls: str) -> str:
    """Parameters that include or exclude one orchestrator."""
    return json.dumps({"orchestrators": {name: [url] for name, url in urls.items()}})
