"""A schema as a form: the rule that the dashboard follows too."""

from typing import Any

import pytest

from livepeer.cli._form import form_fields, output_type
from livepeer.core import OperationDescription


def field(node: dict[str, Any], name: str = "x", **root: Any) -> Any:
    (found,) = form_fields({"type": "object", "properties": {name: node}, **root})
    return found


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        ({"type": "string"}, "text"),
        ({"type": "string", "maxLength": 200}, "text"),
        ({"type": "string", "maxLength": 201}, "textarea"),
        ({"type": "string", "contentEncoding": "base64"}, "file"),
        ({"type": "string", "contentMediaType": "image/png"}, "file"),
        ({"type": "string", "format": "uri"}, "address"),
        ({"anyOf": [{"type": "string", "format": "uri"}, {"type": "null"}]}, "address"),
        ({"type": "string", "enum": ["a", "b"]}, "select"),
        ({"const": 3}, "select"),
        ({"anyOf": [{"const": "a"}, {"enum": ["b", "c"]}, {"type": "null"}]}, "select"),
        ({"type": "boolean"}, "boolean"),
        ({"type": "integer", "minimum": 1}, "number"),
        ({"type": "number", "minimum": 0, "maximum": 1}, "range"),
        ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}, "range"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, "number"),
        ({"anyOf": [{"type": "integer"}, {"type": "string"}]}, "json"),
        ({"type": "array", "items": {"type": "string"}}, "json"),
        ({"type": "object"}, "json"),
        ({}, "json"),
    ],
)
def test_a_field_gets_the_control_that_fits_its_schema(node: dict[str, Any], expected: str) -> None:
    assert field(node).type == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("prompt", "textarea"), ("negative_prompt", "textarea"), ("context_name", "textarea"), ("contextual", "text")],
)
def test_a_name_that_says_prose_gets_room_for_it(name: str, expected: str) -> None:
    assert field({"type": "string"}, name).type == expected
    assert field({"type": "string", "maxLength": 10}, name).type == "text"


def test_references_are_followed_and_circles_end() -> None:
    colors = {"Color": {"enum": ["red", "blue"], "title": "Color"}, "Loop": {"$ref": "#/$defs/Loop"}}
    found = field({"$ref": "#/$defs/Color", "default": "red", "description": "which"}, **{"$defs": colors})
    assert (found.type, found.options, found.default, found.description) == ("select", ["red", "blue"], "red", "which")
    assert field({"$ref": "#/$defs/Loop"}, **{"$defs": colors}).type == "json"


def test_bounds_and_what_is_required_are_told() -> None:
    schema = {
        "type": "object",
        "required": ["steps"],
        "properties": {"steps": {"type": "integer", "exclusiveMinimum": 0, "maximum": 50}, "seed": {"type": "integer"}},
    }
    steps, seed = form_fields(schema)
    assert (steps.minimum, steps.maximum, steps.required) == (1, 50, True)
    assert (seed.minimum, seed.required) == (None, False)
    assert form_fields({"type": "array"}) == []


@pytest.mark.parametrize(
    ("output", "media_type", "expected"),
    [
        ({"type": "string"}, "application/json", "text"),
        ({}, "text/plain", "text"),
        ({}, "image/png", "image"),
        ({"type": "string", "contentMediaType": "audio/wav"}, "application/json", "audio"),
        ({"type": "object", "properties": {"video": {}}}, "application/json", "video"),
        ({"type": "object", "properties": {"images": {}}}, "application/json", "image"),
        ({"type": "object"}, "application/json", "json"),
    ],
)
def test_an_answer_has_a_kind(output: dict[str, Any], media_type: str, expected: str) -> None:
    operation = OperationDescription(
        name="p", path="/p", input_schema={}, output_schema=output, output_media_type=media_type
    )
    assert output_type(operation) == expected
