import base64
import json
import shlex
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from livepeer.cli._howto import call_command, curl_command, example_input
from livepeer.cli._inputs import Inputs
from livepeer.core import FunctionOperation

GATEWAY_URL = "http://127.0.0.1:9935"


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class Box(BaseModel):
    size: Size
    weight: Annotated[float, Field(gt=2)]


def everything(
    text: Annotated[str, Field(min_length=8)],
    short: Annotated[str, Field(max_length=3)],
    steps: Annotated[int, Field(ge=10, le=20)],
    share: Annotated[float, Field(lt=0.5)],
    content: bytes,
    box: Box,
    boxes: list[Box],
    tags: Annotated[list[str], Field(min_length=2)],
    maybe: str | None,
    quoted: Annotated[str, Field(examples=["12 o'clock", "x"])],
    looks_like_json: Annotated[str, Field(examples=["123"])],
    optional: int = 3,
) -> Iterator[str]:
    del text, short, steps, share, content, box, boxes, tags, maybe, quoted, looks_like_json
    yield str(optional)


def optional_only(count: int = 3, other: str = "") -> int:
    return count + len(other)


@pytest.mark.parametrize("function", [everything, optional_only])
def test_the_example_values_fit_the_schema_that_they_are_made_from(function: object) -> None:
    assert callable(function)
    operation = FunctionOperation(function)
    operation.decode(json.dumps(example_input(operation.description.input_schema)).encode())


def test_the_call_line_reads_back_as_the_example() -> None:
    description = FunctionOperation(everything).description
    words = shlex.split(call_command("it", description, gateway_url=GATEWAY_URL))
    assert words[:3] == ["livepeer", "call", "it"]
    assert words[-1] == "--stream"
    items = [words[place + 1] for place, word in enumerate(words) if word == "-i"]
    assert Inputs(items).document() == example_input(description.input_schema)


def test_the_call_line_names_a_gateway_that_the_command_would_not_find() -> None:
    line = call_command("it", FunctionOperation(optional_only).description, gateway_url="http://127.0.0.1:1")
    assert line == "livepeer call it -i count=3 --gateway http://127.0.0.1:1"


def test_the_curl_line_carries_the_job_in_its_header() -> None:
    words = shlex.split(curl_command("it", FunctionOperation(optional_only).description, gateway_url=GATEWAY_URL))
    assert words[:3] == ["curl", "-N", f"{GATEWAY_URL}/process/request/predict"]
    header = next(word for word in words if word.startswith("Livepeer: ")).removeprefix("Livepeer: ")
    job = json.loads(base64.b64decode(header))
    assert job == {"request": "{}", "parameters": "{}", "capability": "it", "timeout_seconds": 60}
