"""The native face of a Cog model under a real server, in a process of its own."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cog_server import Server, start_ours

MODEL = Path(__file__).parent / "models" / "unit_served.py"

Serve = Callable[..., Server]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Serves a class of `unit_served.py` as a project; `wait` for its setup."""
    started: list[Server] = []

    def serve(name: str, *, wait: bool = True) -> Server:
        project = tmp_path / "project"
        project.mkdir()
        shutil.copy(MODEL, project)
        (project / "cog.yaml").write_text(f"image: served\nrun: unit_served.py:{name}\n")
        started.append(start_ours(project, {}, wait=wait))
        return started[0]

    yield serve
    for server in started:
        server.stop()


def until(condition: Callable[[], Any]) -> Any:
    limit = time.monotonic() + 20
    while time.monotonic() < limit:
        if found := condition():
            return found
        time.sleep(0.005)
    raise AssertionError("did not come true")


def test_the_output_is_the_answer_and_metrics_are_beside_it(serve: Serve) -> None:
    answer = serve("Looping").client.post("/predict", json={})
    assert (answer.status_code, answer.json()) == (200, "done")
    assert '"asked":0.0' in answer.headers["x-metadata"]


def test_what_does_not_fit_is_named(serve: Serve) -> None:
    answer = serve("Looping").client.post("/predict", json={"seconds": "long"})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "seconds", "reason": '"long" is not of type "number"'}]


def test_a_model_that_yields_streams(serve: Serve) -> None:
    server = serve("Yielding")
    answer = server.client.post("/predict", json={"count": 2})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert [line for line in answer.text.splitlines() if line] == [
        'data: "item 0"',
        'data: "item 1"',
        "data: [DONE]",
    ]
    until(lambda: "line 1" in server.output)


def test_a_caller_that_leaves_stops_the_prediction(serve: Serve) -> None:
    server = serve("Looping")
    with pytest.raises(httpx2.TimeoutException):
        server.client.post("/predict", json={"seconds": 60}, timeout=1)
    assert (server.project / "began").exists()
    until((server.project / "stopped").exists)
    assert until(lambda: _answer(server)) == "done"


def test_both_faces_share_the_slot(serve: Serve) -> None:
    server = serve("Looping")
    later = {"prefer": "respond-async"}
    begun = server.client.put("/predictions/held", json={"input": {"seconds": 60}}, headers=later)
    assert begun.status_code == 202
    until((server.project / "began").exists)
    busy = server.client.post("/predict", json={})
    assert (busy.status_code, busy.json()["code"]) == (503, "busy")
    assert server.client.post("/predictions/held/cancel").status_code == 200
    assert until(lambda: _answer(server)) == "done"


def test_a_model_that_says_it_is_ill_shows_in_the_servers_health(serve: Serve) -> None:
    server = serve("Ill", wait=False)
    health = until(lambda: (found := server.client.get("/health").json())["status"] == "ERROR" and found)
    assert "returned False" in str(health)


def _answer(server: Server) -> Any:
    answer = server.client.post("/predict", json={})
    return answer.json() if answer.status_code == 200 else None
