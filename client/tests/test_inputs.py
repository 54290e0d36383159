"""What an input becomes on the wire."""

import base64
import dataclasses
import datetime
import enum
import io
import json
import pathlib
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from livepeer.client import InputError, LivepeerError
from livepeer.client._inputs import encode_input

DATA = bytes(range(256))
TEXT = base64.b64encode(DATA).decode()


class Color(enum.Enum):
    RED = "red"


@dataclasses.dataclass
class Point:
    x: int
    mask: bytes


class Model:
    """What pydantic's models have in common with others."""

    def model_dump(self, *, mode: str) -> Mapping[str, Any]:
        assert mode == "python"
        return {"mask": DATA, "color": Color.RED}


def sent(value: object) -> Any:
    body, media_type = encode_input(value)
    assert media_type == "application/json"
    return json.loads(body)


def test_binary_values_inside_an_input_become_base64(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(DATA)
    value = {"a": DATA, "b": [bytearray(DATA), (memoryview(DATA),)], "c": {"d": path, "e": io.BytesIO(DATA)}}
    assert sent(value) == {"a": TEXT, "b": [TEXT, [TEXT]], "c": {"d": TEXT, "e": TEXT}}


def test_models_and_dataclasses_become_objects() -> None:
    assert sent(Model()) == {"mask": TEXT, "color": "red"}
    assert sent({"points": [Point(1, DATA)]}) == {"points": [{"x": 1, "mask": TEXT}]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {}),
        ([None], [None]),
        ("text", "text"),
        (MappingProxyType({"ß": 1.5}), {"ß": 1.5}),
        ([True, 2**70], [True, 2**70]),
        (datetime.date(2026, 2, 3), "2026-02-03"),
        (datetime.datetime(2026, 2, 3, tzinfo=datetime.UTC), "2026-02-03T00:00:00+00:00"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
    ],
)
def test_plain_values_are_sent_as_json(value: object, expected: object) -> None:
    assert sent(value) == expected


def test_text_is_sent_as_compact_utf_8() -> None:
    assert encode_input({"ß": [1, 2]})[0] == '{"ß":[1,2]}'.encode()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"a": {"b": [0, {1, 2}]}}, r"input\.a\.b\[1\] is a set"),
        ({"a": {1: 2}}, r"input\.a has the key 1"),
        ({"a": [float("nan")]}, r"input\.a\[0\] is nan"),
        ({"a": Point}, r"input\.a is a type"),
        (
            {"a": [Point(1, DATA), dataclasses.replace(Point(1, DATA), mask=object())]},
            r"input\.a\[1\]\.mask is a object",
        ),
        ({"a": pathlib.Path("/does/not/exist")}, r"input\.a is a file that cannot be read"),
        ({"a": io.StringIO("text")}, r"input\.a is a file opened as text"),
        ({"a": "\ud800"}, r"input holds text that is not Unicode"),
        (object(), "input is a object"),
    ],
)
def test_a_value_without_json_form_is_named_by_its_path(value: object, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        encode_input(value)
    assert isinstance(caught.value, TypeError)
    assert isinstance(caught.value, LivepeerError)
    assert caught.value.code == "input_not_json"


def test_an_input_that_holds_itself_is_refused() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(InputError, match="holds itself"):
        encode_input(loop)
