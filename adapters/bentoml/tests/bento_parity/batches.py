"""Cases of apis that batch, and of tasks."""

from typing import Any

import httpx2
from bentoml_server import Server

from .asking import JSON, answer, call, got, sent, until
from .records import Answer, Case

UNKNOWN = "0" * 32
VERBS = {"status": "GET", "get": "GET", "retry": "POST", "cancel": "PUT"}
KNOWN = {"cancel": 400}
"""What BentoML answers of an unknown task, but for 404."""
DONE = ("completed", "failed")

BATCHES = (
    call("a batch", "/doubled", {"numbers": [1, 2, 3]}),
    call("a batch of one", "/doubled", {"numbers": [1]}),
    call("a batch past the limit", "/doubled", {"numbers": list(range(20))}),
    call("an empty batch", "/doubled", {"numbers": []}),
    call("a batch that is no list", "/doubled", {"numbers": 1}, 400),
    call("a batch with a fault", "/doubled", {"numbers": [1, "a"]}, 400),
    call("no batch", "/doubled", status=400),
    call("an async batch", "/lengths", {"texts": ["a", "bcd"]}),
    call("a batch of arrays", "/norms", {"vectors": [[1.5, -2], [-3, 4]]}),
    sent("a root batch", "/rooted", b"[1,2]", JSON),
    call("a batch that fails", "/batch_fails", {"numbers": [1]}, 400),
    call("a batch that comes back short", "/batch_short", {"numbers": [1, 2]}),
    call("a batch with a context", "/batch_with_context", {"numbers": [1, 2]}),
    call("a batch of two arguments", "/batch_two_arguments", {"numbers": [1]}, 500),
)


def submit(server: Server, path: str, **document: Any) -> httpx2.Response:
    return server.client.post(f"{path}/submit", json=document)


def wait(server: Server, path: str, task: dict[str, str]) -> httpx2.Response:
    """The status once it is done."""
    return until(
        lambda: server.client.get(f"{path}/status", params={"task_id": task["task_id"]}),
        lambda response: response.json().get("status") in DONE,
    )


def task(path: str, **document: Any) -> Any:
    """Submit, wait, get, submit again, and get that."""

    def ask(server: Server) -> list[Answer]:
        answers: list[httpx2.Response] = []
        submitted = submit(server, path, **document)
        for _ in range(2):
            known = {"task_id": submitted.json()["task_id"]}
            answers += [submitted, wait(server, path, known), server.client.get(f"{path}/get", params=known)]
            submitted = server.client.post(f"{path}/retry", params=known)
        return [answer(each) for each in answers]

    return ask


def early(server: Server) -> list[Answer]:
    """Ask for all of a task before it is done."""
    submitted = submit(server, "/slowly", number=1)
    known = {"task_id": submitted.json()["task_id"]}
    answers = [
        submitted,
        server.client.get("/slowly/status", params=known),
        server.client.get("/slowly/get", params=known),
        server.client.post("/slowly/retry", params=known),
        server.client.post("/let_go", json={}),
        wait(server, "/slowly", known),
        server.client.get("/slowly/get", params=known),
    ]
    return [answer(each) for each in answers]


def cancel_done(server: Server) -> list[Answer]:
    known = {"task_id": submit(server, "/squared", number=2).json()["task_id"]}
    wait(server, "/squared", known)
    return [answer(server.client.put("/squared/cancel", params=known))]


TASKS = (
    call("a task, called", "/squared", {"number": 3}),
    call("a task, called at fault", "/squared", {"number": "a"}, 400),
    Case(name="a task", ask=task("/squared", number=3), status=200),
    Case(name="a task at fault", ask=task("/squared", number="a"), status=None),
    Case(name="a task that fails", ask=task("/jobs/failing"), status=None),
    Case(name="a task that refuses", ask=task("/jobs/failing", kind="invalid"), status=None),
    Case(name="a task asked for early", ask=early, status=None),
    *(got(f"{verb} of no task", f"/squared/{verb}", 400, method=method) for verb, method in VERBS.items()),
    *(
        got(f"{verb} of an unknown task", f"/squared/{verb}?task_id={UNKNOWN}", KNOWN.get(verb, 404), method=method)
        for verb, method in VERBS.items()
    ),
    Case(name="cancel of a task that is done", ask=cancel_done, status=400),
    got("status by POST", "/squared/status", 405, method="POST"),
    got("submit by GET", "/squared/submit", 405),
    got("submit what is no task", "/add/submit", 404, method="POST"),
)
CASES = (*BATCHES, *TASKS)
