"""Which paths and methods a worker answers."""

import httpx2

from livepeer.conformance._checks import Checks, expect, expect_that

from ._trial import WorkerTrial
from ._worker import Part

check = Checks[WorkerTrial]()

_NO_JSON = b'{"half": '
_READS = {"GET", "HEAD"}


@check("routes.run", needs=Part.READY)
async def run(trial: WorkerTrial) -> None:
    await _expect_the_operation(trial, "/run")


@check("routes.root", needs=Part.READY)
async def root(trial: WorkerTrial) -> None:
    await _expect_the_operation(trial, "/")


@check("routes.name", needs=Part.READY)
async def name(trial: WorkerTrial) -> None:
    await _expect_the_operation(trial, f"/{trial.name}")


@check("routes.slash", needs=Part.READY)
async def final_slash(trial: WorkerTrial) -> None:
    for path in (trial.path, "/run", f"/{trial.name}"):
        await _expect_the_operation(trial, f"{path}/")


@check("routes.unknown", needs=Part.READY)
async def unknown(trial: WorkerTrial) -> None:
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE"):
        answer = await trial.http.request(method, "/no-such-thing/at-all")
        expect(f"the status of {method}", answer.status_code, 404)


@check("routes.get", needs=Part.READY)
async def get(trial: WorkerTrial) -> None:
    answer = await trial.http.get(trial.path)
    expect("the status", answer.status_code, 405)
    expect_that("POST" in _allowed(answer), "POST in Allow", answer.headers.get("allow"))


@check("routes.post", needs=Part.READY)
async def post(trial: WorkerTrial) -> None:
    for path in ("/health", "/schema", "/openapi.json"):
        answer = await trial.post(b"{}", path=path)
        expect(f"the status of POST {path}", answer.status_code, 405)
        expect_that(_allowed(answer) >= _READS, "GET and HEAD in Allow", answer.headers.get("allow"))


@check("routes.methods", needs=Part.READY)
async def methods(trial: WorkerTrial) -> None:
    for path, allowed in {"/health": _READS, trial.path: {"POST"}}.items():
        for method in ("PUT", "PATCH", "DELETE"):
            answer = await trial.http.request(method, path)
            expect(f"the status of {method} {path}", answer.status_code, 405)
            expect_that(_allowed(answer) >= allowed, f"{allowed} in Allow", answer.headers.get("allow"))


@check("routes.traversal")
async def traversal(trial: WorkerTrial) -> None:
    for path in (
        "/docs/../../../../etc/passwd",
        "/docs/%2e%2e/%2e%2e/__init__.py",
        "/docs//etc/passwd",
        "//etc/passwd",
    ):
        async with trial.wire() as wire:
            await wire.send(trial.head("GET", path, wire.host))
            answer = await wire.answer()
        expect(f"the status of {path}", answer.status, 404)


async def _expect_the_operation(trial: WorkerTrial, path: str) -> None:
    """Only an operation says of half a document that it cannot be read; a good input, where one is known, is served."""
    answer = await trial.post(_NO_JSON, path=path)
    expect(f"the status of {path} for a body that is no JSON", answer.status_code, 400)
    if trial.input_is_known:
        answer = await trial.call(path=path)
        expect(f"the status of {path}", answer.status_code, 200)


def _allowed(answer: httpx2.Response) -> set[str]:
    return {method.strip() for method in answer.headers.get("allow", "").split(",")}
