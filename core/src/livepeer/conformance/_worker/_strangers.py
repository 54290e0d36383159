"""What a worker keeps from strangers, and what it does not."""

from livepeer.conformance._checks import Checks, expect, expect_that

from ._trial import WorkerTrial
from ._worker import Part

check = Checks[WorkerTrial]()


@check("strangers.operator")
async def operator(trial: WorkerTrial) -> None:
    for path in ("/metrics", "/hardware/info"):
        expect(f"the status of {path}", (await trial.http.get(path)).status_code, 404)


@check("strangers.stream-start", needs=Part.READY)
async def stream_start(trial: WorkerTrial) -> None:
    answer = await trial.post(b"{}", path="/stream/start")
    expect_that(400 <= answer.status_code < 500, "a refusal", answer.status_code)
    expect("the state afterwards", await trial.status(), "IDLE")


@check("strangers.documents")
async def documents(trial: WorkerTrial) -> None:
    for path in ("/", "/health", "/schema", "/openapi.json", "/capabilities", "/version"):
        expect(f"the status of {path}", (await trial.stranger.get(path)).status_code, 200)


@check("token.missing", needs=(Part.READY, Part.TOKEN))
async def no_token(trial: WorkerTrial) -> None:
    for path in (trial.path, "/run", "/", "/no-such-thing"):
        answer = await trial.stranger.post(path, json={})
        expect(f"the status of {path}", answer.status_code, 401)
        expect(f"WWW-Authenticate of {path}", answer.headers.get("www-authenticate"), "Bearer")


@check("token.wrong", needs=(Part.READY, Part.TOKEN))
async def wrong_token(trial: WorkerTrial) -> None:
    right = trial.worker.token or ""
    for value in (right, "Bearer", f"Bearer {right}x", f"Bearer x{right}", f"Basic {right}"):
        answer = await trial.stranger.post(trial.path, json={}, headers={"authorization": value})
        expect("the status for a wrong token", answer.status_code, 401)


@check("token.only", needs=Part.READY)
async def only_the_token(trial: WorkerTrial) -> None:
    answers = [
        await trial.post(b"nonsense"),
        await trial.post(b"a,b", content_type="text/csv"),
        await trial.post(b"{}", path="/no-such-thing"),
        await trial.http.get(trial.path),
        await trial.http.put("/health"),
    ]
    for answer in answers:
        expect_that(400 <= answer.status_code != 401, "another error than 401", answer.status_code)
