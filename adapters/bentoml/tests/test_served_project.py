"""A project of BentoML's under a real server, found by the server itself."""

import json
from pathlib import Path

import pytest
from edge_harness import serve_with

from livepeer.server import ProcessWorker

pytestmark = pytest.mark.anyio

BENTOFILE = """
service: app.unit_projected:Svc
name: Text_Summarizer
description: "file: about.md"
args: {who: dog}
envs: [{name: UNIT_PROJECTED, value: given}]
"""
SERVICE = """
import os
import bentoml
from pathlib import Path

arguments = bentoml.use_arguments()

@bentoml.service(resources={"gpu": 1, "gpu_type": "nvidia-l4"})
class Svc:
    def __init__(self) -> None:
        self.words = Path("words.txt").read_text()

    @bentoml.api
    def count(self, text: str) -> int:
        return len(text)

    @bentoml.api
    def say(self, number: int = 1) -> dict:
        from app.unit_projected_late import LATE
        return {"found": [self.words, arguments.who, os.environ["UNIT_PROJECTED"], LATE], "number": number}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app").mkdir()
    for name, content in {
        "bentofile.yaml": BENTOFILE,
        "about.md": "Sums up texts.",
        "words.txt": "words",
        "app/unit_projected.py": SERVICE,
        "app/unit_projected_late.py": "LATE = 'late'",
    }.items():
        (tmp_path / name).write_text(content)
    return tmp_path


async def test_a_directory_is_served_with_all_that_its_bentofile_says(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIVEPEER_BENTOML_API", "say")
    async with serve_with(ProcessWorker(str(project))) as served:
        info = (await served.client.get("/openapi.json")).json()["info"]
        assert (info["title"], info["description"]) == ("text-summarizer", "Sums up texts.")
        answer = {"found": ["words", "dog", "given", "late"], "number": 4}
        assert (await served.predict(number=4)).json() == answer
        assert (await served.client.post("/say", json={"number": 4})).json() == answer
        assert (await served.client.post("/count", json={"text": "four"})).json() == 4


async def test_a_file_of_it_and_an_api_are_served_as_well(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIVEPEER_BENTOML_ARGS", json.dumps({"who": "cat"}))
    async with serve_with(ProcessWorker(f"{project}/app/unit_projected.py:Svc.say")) as served:
        assert (await served.predict()).json() == {"found": ["words", "cat", "given", "late"], "number": 1}


@pytest.mark.parametrize(
    ("envs", "api", "reason"),
    [
        ("{name: UNIT_A}, {name: UNIT_B}", "say", "bentofile.yaml: set UNIT_A, UNIT_B in the environment"),
        ("{name: UNIT_A, value: a}", "shout", "Svc has no api 'shout'; its apis are: count, say"),
        ("{names: UNIT_A}", "say", "bentofile.yaml: envs.0.name: Field required"),
    ],
)
async def test_what_cannot_be_served_says_what_to_change(
    project: Path, monkeypatch: pytest.MonkeyPatch, envs: str, api: str, reason: str
) -> None:
    (project / "bentofile.yaml").write_text(f"service: app.unit_projected:Svc\nenvs: [{envs}]")
    monkeypatch.setenv("LIVEPEER_BENTOML_API", api)
    async with serve_with(ProcessWorker(str(project)), wait=False) as served:
        health = await served.until("ERROR")
        assert health["reason"].startswith(reason)
