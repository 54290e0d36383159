"""A model that can be asked whether it is well, and is."""

import threading
from itertools import pairwise
from typing import Any

import anyio
import pytest
from edge_harness import Marks, eventually
from mount_harness import ServeMounts

pytestmark = pytest.mark.anyio

CHECKED = pytest.mark.parametrize("name", ["Checked", "CheckedAsync", "CheckedApart"])


def says(marks: Marks, text: str) -> None:
    """Let the model say this from now on; at once, for a check reads it at any time."""
    draft = marks.folder / "check.draft"
    draft.write_text(text)
    draft.rename(marks.folder / "check.says")


def checks(marks: Marks) -> list[str]:
    try:
        return (marks.folder / "check.log").read_text().split()
    except FileNotFoundError:
        return []


@CHECKED
async def test_a_model_that_is_well_is_asked_again_and_again(
    name: str, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts(name) as served:
        await eventually(lambda: len(checks(marks)) >= 6)
        assert (await served.health())["status"] == "IDLE"
        assert (await served.client.post("/predict", json={"a": 1})).json() == {"a": 1}
    at_the_end = checks(marks)
    assert at_the_end == ["begin", "end"] * (len(at_the_end) // 2)


@CHECKED
@pytest.mark.parametrize(("text", "reason"), [("too hot", "too hot"), ("raise", "RuntimeError: it broke")])
async def test_a_model_that_is_unwell_is_an_error_until_it_is_well_again(
    name: str, text: str, reason: str, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts(name) as served:
        says(marks, text)
        health = await served.until("ERROR")
        assert health["reason"] == reason
        assert (await served.client.get("/healthz")).status_code == 503
        refused = await served.client.post("/predict", json={})
        assert (refused.status_code, refused.json()["code"]) == (503, "not_ready")
        assert reason in refused.json()["detail"]
        assert (await served.client.get("/app/print")).status_code == (200 if name == "CheckedApart" else 404)
        says(marks, "")
        assert "reason" not in await served.until("IDLE")
        assert (await served.client.post("/predict", json={"a": 1})).json() == {"a": 1}


@CHECKED
async def test_a_model_that_is_not_ready_for_now_is_loading_until_it_is(
    name: str, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts(name) as served:
        says(marks, "not ready")
        health = await served.until("LOADING")
        assert health["reason"] == "warming up"
        refused = await served.client.post("/predict", json={})
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert "warming up" in refused.json()["detail"]
        says(marks, "too hot")
        await served.until("ERROR")
        says(marks, "")
        assert "reason" not in await served.until("IDLE")
        assert (await served.client.post("/predict", json={"a": 1})).json() == {"a": 1}


async def test_another_reason_is_told_too(serve_mounts: ServeMounts, marks: Marks) -> None:
    async with serve_mounts("Checked") as served:
        for reason in ("one", "another"):
            says(marks, reason)
            await eventually(lambda reason=reason: served.worker.reason == reason)


@CHECKED
async def test_a_check_that_hangs_says_unwell_and_no_second_one_begins(
    name: str, serve_mounts: ServeMounts, marks: Marks
) -> None:
    async with serve_mounts(name) as served:
        (marks.folder / "check.hangs").touch()
        health = await served.until("ERROR")
        assert health["reason"] == "check() has not answered within 0.3 s"
        before = checks(marks)
        assert before.count("begin") - before.count("end") <= 1
        (marks.folder / "check.hangs").unlink()
        marks.go("check")
        await served.until("IDLE")
        assert (await served.client.post("/predict", json={"a": 1})).json() == {"a": 1}
    found = checks(marks)
    assert all(first != second for first, second in pairwise(found))


async def test_a_model_is_checked_while_its_calls_run(serve_mounts: ServeMounts, marks: Marks) -> None:

    async with serve_mounts("Checked") as served, anyio.create_task_group() as tasks:
        answers: list[Any] = []

        async def call() -> None:
            answers.append((await served.client.post("/predict", json={"gate": "call"})).json())

        tasks.start_soon(call)
        await marks.wait("call", "entered")
        says(marks, "too hot")
        await served.until("ERROR")
        marks.go("call")
        await eventually(lambda: bool(answers))
        assert answers == [{"gate": "call"}]  # what runs already goes on


@pytest.mark.parametrize("worker_kind", ["inline"])
async def test_a_model_without_a_check_costs_no_thread(serve_mounts: ServeMounts) -> None:
    async with serve_mounts("Beside"):
        names = {thread.name for thread in threading.enumerate()}
        assert not names & {"livepeer-check", "livepeer-mounts"}
    async with serve_mounts("Apart"):
        names = {thread.name for thread in threading.enumerate()}
        assert "livepeer-check" not in names
        assert "livepeer-mounts" in names
