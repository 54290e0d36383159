import base64
import json
from pathlib import Path
from typing import Any

import pytest

from livepeer.cli._errors import UsageError
from livepeer.cli._inputs import Inputs

SCHEMA: dict[str, Any] = {
    "$defs": {"Mood": {"type": "string", "enum": ["1", "2"]}},
    "properties": {
        "text": {"type": "string"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "either": {"anyOf": [{"type": "string"}, {"type": "number"}]},
        "mood": {"$ref": "#/$defs/Mood"},
        "number": {"type": "number"},
        "address": {"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]},
    },
}


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("x=1", 1),
        ("x=true", True),
        ("x=null", None),
        ('x={"a": [1.5]}', {"a": [1.5]}),
        ('x="123"', "123"),
        ("x=some words", "some words"),
        ("x=a=b", "a=b"),
        ("x=", ""),
        ("x=NaN", "NaN"),
    ],
)
def test_a_value_is_json_if_it_reads_as_json_and_text_if_not(item: str, value: object) -> None:
    assert Inputs([item]).document() == {"x": value}


@pytest.mark.parametrize(
    ("item", "value"),
    [
        ("text=123", "123"),
        ('text="123"', "123"),
        ("text=[1]", "[1]"),
        ("maybe=123", "123"),
        ("maybe=null", None),
        ("either=3", 3),
        ("mood=1", "1"),
        ("number=3", 3),
        ("number=three", "three"),
        ("unknown=3", 3),
    ],
)
def test_a_field_that_wants_text_gets_text(item: str, value: object) -> None:
    assert Inputs([item]).document(SCHEMA) == {item.partition("=")[0]: value}


def test_a_file_becomes_a_data_uri_where_an_address_is_wanted_or_when_it_is_asked_for(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"a,1")
    uri = "data:text/csv;base64," + base64.b64encode(b"a,1").decode()
    assert Inputs([f"address=@{file}", f"text=@{file}"]).document(SCHEMA) == {
        "address": uri,
        "text": base64.b64encode(b"a,1").decode(),
    }
    assert Inputs([f"text=data:@{file}"]).document() == {"text": uri}
    assert Inputs([f"text=@{file}", "text=later"]).document(SCHEMA) == {"text": "later"}


def test_a_file_becomes_base64_and_a_whole_document_is_merged_in_order(tmp_path: Path) -> None:
    picture, document = tmp_path / "picture.png", tmp_path / "input.json"
    picture.write_bytes(b"\x00\xff")
    document.write_text(json.dumps({"text": "from the file", "steps": 3}))
    found = Inputs([f"@{document}", "text=mine", f"image=@{picture}"]).document()
    assert found == {"text": "mine", "steps": 3, "image": base64.b64encode(b"\x00\xff").decode()}
    assert Inputs(["text=mine", f"@{document}"]).document()["text"] == "from the file"


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("=1", "-i '=1' is neither name=value nor @file"),
        ("name=@nobody", "text that begins with @ goes in quotes: -i 'name=\"@nobody\"'"),
        ("@nothing.json", "-i @nothing.json: nothing.json: No such file or directory"),
    ],
)
def test_what_cannot_be_read_is_named(item: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        Inputs([item])
    assert message in str(caught.value)


def test_a_whole_document_must_be_an_object(tmp_path: Path) -> None:
    path = tmp_path / "input.json"
    for content, message in (("[1]", "holds a JSON array, not an object"), ("{", "holds no JSON document")):
        path.write_text(content)
        with pytest.raises(UsageError, match=message):
            Inputs([f"@{path}"])
