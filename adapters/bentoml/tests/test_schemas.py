import json
from typing import Any

import jsonschema_rs
import pytest
from bento_operations import MODELS, PNG

from livepeer.adapters.bentoml import _sdk
from livepeer.adapters.bentoml._schemas import input_schema, native_input_schema, output_media_type, output_schema

FILE = {"type": "string", "format": "uri", "contentMediaType": "application/octet-stream"}
IMAGE = {"type": "string", "format": "uri", "contentMediaType": "image/*"}
ROWS_OR_COLUMNS = [
    {"type": "array", "items": {"type": "object"}},
    {"type": "object", "additionalProperties": {"type": "array"}},
]


def api(name: str, file: str = "bento_unit_inputs.py:Inputs") -> Any:
    return _sdk.load(file, str(MODELS)).apis[name]


def taken(name: str) -> dict[str, Any]:
    return input_schema(api(name).input_spec)


def given(name: str, file: str = "bento_unit_outputs.py:Outputs") -> dict[str, Any]:
    return output_schema(api(name, file))


@pytest.mark.parametrize(
    "file",
    ["bento_unit_inputs.py:Inputs", "bento_unit_outputs.py:Outputs", "bento_unit_streams.py:Streams"],
)
def test_every_schema_is_valid_json_schema(file: str) -> None:
    for method in _sdk.load(file, str(MODELS)).apis.values():
        for schema in (input_schema(method.input_spec), output_schema(method)):
            jsonschema_rs.meta.validate(schema)
            assert "$schema" not in schema
            json.dumps(schema)
            _refuse_dialect(schema)


def _refuse_dialect(node: Any) -> None:
    if isinstance(node, dict):
        assert node.get("type") not in ("file", "tensor", "dataframe", "bytes"), node
        for value in node.values():
            _refuse_dialect(value)
    elif isinstance(node, list):
        for item in node:
            _refuse_dialect(item)


def test_named_parameters_are_the_properties_of_a_document() -> None:
    schema = taken("bounded")
    assert schema["required"] == ["size", "words"]
    assert schema["properties"]["size"] == {"type": "integer", "minimum": 1, "maximum": 8, "title": "Size"}
    assert schema["properties"]["words"]["minItems"] == 1
    assert schema["properties"]["title"]["description"] == "What it is called"
    assert schema["properties"]["title"]["default"] == "untitled"


def test_null_is_said_where_it_is_taken() -> None:
    branches = taken("union")["properties"]["either"]["anyOf"]
    assert branches == [{"type": "integer"}, {"type": "string"}, {"type": "null"}]
    assert given("perhaps")["anyOf"][1] == {"type": "null"}


def test_a_recursive_model_refers_to_itself() -> None:
    tree = taken("tree")["$defs"]["Tree"]
    assert tree["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}
    assert given("tree", "bento_unit_inputs.py:Inputs")["title"] == "Tree"


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("root_text", {"type": "string"}),
        ("root_list", {"type": "array", "items": {"type": "integer"}}),
        ("root_dict", {"type": "object", "additionalProperties": True}),
        ("root_bytes", {"type": "string", "contentEncoding": "base64"}),
        ("root_path", {**FILE, "contentMediaType": "text/*"}),
        ("root_image", IMAGE),
        ("root_array", {"type": "array"}),
        ("root_default", {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}),
    ],
)
def test_a_root_input_is_the_whole_document(name: str, schema: dict[str, Any]) -> None:
    assert taken(name) == schema


def test_files_are_addresses_wherever_they_are() -> None:
    properties = taken("files")["properties"]
    assert properties["path"] == {**FILE, "title": "Path"}
    assert properties["paths"]["items"] == FILE
    assert properties["named"]["additionalProperties"] == FILE
    assert taken("image")["properties"]["mask"]["anyOf"] == [IMAGE, {"type": "null"}]
    assert taken("nested")["$defs"]["Documented"]["properties"]["document"] == {**FILE, "title": "Document"}


def test_on_its_own_route_files_are_parts_and_bytes_are_text() -> None:
    properties = native_input_schema(api("files").input_spec)["properties"]
    assert properties["path"] == {"title": "Path", "type": "string", "contentMediaType": "application/octet-stream"}
    assert "format" not in properties["paths"]["items"]
    assert native_input_schema(api("raw").input_spec)["properties"]["content"] == {"title": "Content", "type": "string"}


def test_a_default_that_is_a_path_of_this_machine_is_not_told() -> None:
    schema = taken("defaulted")
    assert "/etc" not in json.dumps(schema)
    assert "required" not in schema


def test_inputs_go_by_alias_and_answers_by_name() -> None:
    assert "numberOfPages" in taken("nested")["$defs"]["Documented"]["properties"]
    assert set(given("model")["$defs"]["Point"]["properties"]) == {"x", "label", "nearest"}


def test_arrays_are_nested_lists_with_type_and_shape_as_notes() -> None:
    properties = taken("arrays")["properties"]
    assert properties["free"] == {"title": "Free", "type": "array"}
    assert properties["fixed"] == {
        "title": "Fixed",
        "type": "array",
        "items": {"type": "array", "items": {"type": "number"}},
        "x-dtype": "float32",
        "x-shape": [2, 3],
    }
    assert properties["bits"]["x-dtype"] == "uint8"


def test_tables_come_by_rows_or_by_columns() -> None:
    properties = taken("tables")["properties"]
    assert properties["rows"]["anyOf"] == ROWS_OR_COLUMNS
    assert properties["columns"]["x-columns"] == ["x", "y"]
    assert [given("rows"), given("columns")] == ROWS_OR_COLUMNS


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("text", "application/json"),
        ("anything", "application/json"),
        ("raw", "application/octet-stream"),
        ("typed_raw", "image/gif"),
        ("path", "application/octet-stream"),
        ("unnamed_path", "audio/mp3"),
        ("image", "image/*"),
    ],
)
def test_an_answer_of_bytes_has_its_media_type(name: str, media_type: str) -> None:
    assert output_media_type(api(name, "bento_unit_outputs.py:Outputs")) == media_type
    if media_type != "application/json":
        assert given(name) == {"type": "string", "contentMediaType": media_type}


def test_the_output_of_a_stream_is_one_item() -> None:
    streams = "bento_unit_streams.py:Streams"
    assert given("texts", streams) == {"type": "string"}
    assert given("steps", streams)["required"] == ["index"]
    assert given("arrays", streams) == {"type": "array"}


def test_a_type_without_a_schema_is_any_value() -> None:
    assert taken("callback")["properties"]["handler"]["anyOf"] == [{}, {"type": "null"}]


def test_what_a_service_takes_fits_its_schema() -> None:
    documents = {
        "files": {"path": PNG, "paths": [PNG], "named": {"a": PNG}, "count": 1},
        "arrays": {"free": [1], "fixed": [[1, 2, 3], [4, 5, 6]], "bits": [1]},
        "tables": {"rows": [{"a": 1}], "columns": {"x": [1], "y": [2]}},
        "tree": {"tree": {"name": "a", "children": [{"name": "b"}]}},
    }
    for name, document in documents.items():
        jsonschema_rs.validate(taken(name), document)
