"""What the served OpenAPI document says, held against what the server does."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from jsonschema import Draft202012Validator

from .program import Program, told

HOOKS = Path(__file__).with_name("hooks.py")
MOST_EXAMPLES = 150

NOT_CHECKED = {
    # pydantic reads "3" as 3 and 1 as true: the schema says what to send, and the server bears a little more.
    "Rich": ["negative_data_rejection"],
    "Binary": ["negative_data_rejection"],
    # In OpenAPI 3.1 a schema describes a stream's whole text; schemathesis holds it against each event.
    "Streaming": ["negative_data_rejection", "response_schema_conformance"],
}


def test_every_answer_is_as_the_document_says(program: Program, seed: int, tmp_path: Path) -> None:
    command = (
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{program.url}/openapi.json", "--no-color"),
        *("--seed", str(seed), "--max-examples", str(MOST_EXAMPLES), "--phases", "examples,coverage,fuzzing"),
        *("--request-timeout", "5", "--continue-on-failure", "--exclude-checks", ",".join(NOT_CHECKED[program.model])),
    )
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": str(HOOKS)}
    ran = subprocess.run(
        command, cwd=tmp_path, env=environment, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert ran.returncode == 0, ran.stdout
    health = program.wait_until_idle()
    assert (health["slots"]["in_use"], health["slots"]["waiting"]) == (0, 0)
    assert told(program.log()) == []


@pytest.mark.parametrize("program", ["Streaming"], indirect=True)
def test_every_event_is_as_the_document_says(program: Program) -> None:
    document = httpx2.get(f"{program.url}/openapi.json", trust_env=False).json()
    content = document["paths"]["/predict"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    validator = Draft202012Validator({**content["schema"]["x-event-schema"], "components": document["components"]})
    items = ["", "[DONE]", "data: x\n\n", "é" * 70_000, 0, -(2**70), {"width": 1}]
    answer = httpx2.post(f"{program.url}/predict", json={"items": items}, trust_env=False)
    events = _events(answer.text)
    assert events == [*items[:-1], {"width": 1, "height": 480}]
    for event in events:
        validator.validate(event)
    assert not validator.is_valid(None)


def _events(text: str) -> list[Any]:
    """The data of each event but the last, which says that there are no more."""
    *events, last, rest = text.split("\n\n")
    assert (last, rest) == ("data: [DONE]", "")
    return [json.loads("".join(line.removeprefix("data: ") for line in event.split("\n"))) for event in events]
