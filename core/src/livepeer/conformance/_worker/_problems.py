"""How a worker says no, and by which id a call is found in its log."""

import re
from collections.abc import AsyncIterator

import httpx2

from livepeer.conformance._checks import Checks, expect, expect_that
from livepeer.core import PROBLEM_MEDIA_TYPE

from ._trial import WorkerTrial
from ._worker import Part

check = Checks[WorkerTrial]()

_ID = "x-request-id"
_LEAK = re.compile(r'Traceback \(most recent|File "/|site-packages|\.py", line')
_LONGEST = 1_000


@check("problem.shape", needs=Part.READY)
async def shape(trial: WorkerTrial) -> None:
    async for answer in _errors(trial):
        expect(f"the media type of {answer.status_code}", answer.headers.get("content-type"), PROBLEM_MEDIA_TYPE)
        for name in ("title", "code", "detail"):
            expect_that(isinstance(answer.json().get(name), str), f"{name} to be a text", answer.text)


@check("problem.status", needs=Part.READY)
async def status(trial: WorkerTrial) -> None:
    async for answer in _errors(trial):
        expect_that(answer.status_code >= 400, "an error", answer.status_code)
        expect("the status in the document", answer.json().get("status"), answer.status_code)


@check("problem.request-id", needs=Part.READY)
async def request_id(trial: WorkerTrial) -> None:
    async for answer in _errors(trial):
        expect_that(bool(answer.headers.get(_ID)), "an X-Request-Id", dict(answer.headers))
        expect("the id in the document", answer.json().get("request_id"), answer.headers[_ID])


@check("problem.no-traceback", needs=Part.READY)
async def no_traceback(trial: WorkerTrial) -> None:
    async for answer in _errors(trial):
        expect_that(answer.status_code >= 400, "an error", answer.status_code)
        expect_that(_LEAK.search(answer.text) is None, "no traceback", answer.text)


@check("request-id.made", needs=Part.READY)
async def made(trial: WorkerTrial) -> None:
    ids = [(await trial.post(b"nonsense")).headers.get(_ID) for _ in range(5)]
    expect_that(all(ids), "an X-Request-Id on each answer", ids)
    expect("how many differ", len(set(ids)), len(ids))


@check("request-id.echoed", needs=Part.READY)
async def echoed(trial: WorkerTrial) -> None:
    answer = await trial.post(b"nonsense", x_request_id="conformance-1")
    expect("the id of a refused call", answer.headers.get(_ID), "conformance-1")
    if trial.input_is_known:
        answer = await trial.call(x_request_id="conformance-2")
        expect("the id of a call", answer.headers.get(_ID), "conformance-2")


@check("request-id.bounded", needs=Part.READY)
async def bounded(trial: WorkerTrial) -> None:
    answer = await trial.post(b"nonsense", x_request_id="x" * _LONGEST)
    found = answer.headers.get(_ID, "")
    expect_that(0 < len(found) < _LONGEST, "a shorter id", found)


async def _errors(trial: WorkerTrial) -> AsyncIterator[httpx2.Response]:
    """One answer for each way to be refused that needs no input."""
    yield await trial.http.get("/no-such-thing")
    yield await trial.post(b"{}", path="/no-such-thing")
    yield await trial.http.put("/health")
    yield await trial.http.get(trial.path)
    yield await trial.post(b"nonsense")
    yield await trial.post(b"a,b", content_type="text/csv")
