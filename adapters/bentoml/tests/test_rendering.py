"""Answers are BentoML's own, also where less is worked out for each."""

import json
from pathlib import Path
from typing import Annotated, Any, Optional

import bentoml
import numpy as np
import pandas as pd
import PIL.Image
import pytest
from bentoml.validators import ContentType, DataframeSchema, DType, Shape
from pydantic import BaseModel

from livepeer.adapters.bentoml import _sdk
from livepeer.adapters.bentoml._rendering import render

pytestmark = pytest.mark.anyio


class Point(BaseModel):
    x: int


@bentoml.service
class Outputs:
    @bentoml.api
    def tensor(self) -> Annotated[np.ndarray, Shape((2, 2)), DType("int32")]: ...  # pyright: ignore

    @bentoml.api
    def frame(self) -> Annotated[pd.DataFrame, DataframeSchema(orient="columns")]: ...  # pyright: ignore

    @bentoml.api
    def image(self) -> PIL.Image.Image: ...  # pyright: ignore

    @bentoml.api
    def file(self) -> Annotated[Path, ContentType("audio/mpeg")]: ...  # pyright: ignore

    @bentoml.api
    def points(self) -> list[Point]: ...  # pyright: ignore

    @bentoml.api
    def point(self) -> Point: ...  # pyright: ignore

    @bentoml.api
    def perhaps(self) -> Optional[Point]: ...  # noqa: UP045 - BentoML knows no other

    @bentoml.api
    def text(self) -> str: ...  # pyright: ignore

    @bentoml.api
    def raw(self) -> bytes: ...  # pyright: ignore

    @bentoml.api
    def anything(self): ...

    @bentoml.api
    def tensors(self) -> dict[str, np.ndarray]: ...  # pyright: ignore


VALUES: dict[str, Any] = {
    "tensor": [[1.5, 2], [3, 4]],
    "frame": pd.DataFrame({"x": [1, 2]}),
    "image": PIL.Image.new("RGB", (2, 2)),
    "file": Path(__file__),
    "points": [Point(x=1)],
    "point": Point(x=1),
    "perhaps": None,
    "text": "é",
    "raw": b"\xff",
    "anything": {"x": [1, None]},
    "tensors": {"x": np.ones(2)},
}


async def sent(response: Any) -> tuple[Any, bytes]:
    """The head of an answer, and its body, in however many pieces."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    await response({"type": "http", "method": "POST", "headers": []}, receive, send)
    return messages[0], b"".join(message.get("body", b"") for message in messages[1:])


@pytest.mark.parametrize("name", VALUES)
async def test_an_answer_is_the_one_that_bentoml_gives(name: str) -> None:
    spec = Outputs.apis[name].output_spec
    schema = json.dumps(Outputs.apis[name].output_spec.model_json_schema())
    for _ in range(2):
        ours = await sent(await render(spec, VALUES[name], _sdk.JSONSerde()))
        assert ours == await sent(await spec.to_http_response(VALUES[name], _sdk.JSONSerde()))
    assert json.dumps(spec.model_json_schema()) == schema
