from typing import Any

import pytest
from face_harness import MODELS

from livepeer.adapters.cog import CogAdapter
from livepeer.adapters.cog._face import cog_openapi, face_openapi
from livepeer.core import Target


def document(write: Any, name: str) -> Any:
    capability = CogAdapter().load(Target.parse(f"{MODELS}:{name}"))
    try:
        return write(capability._model)
    finally:
        capability.teardown()


def references(node: Any) -> set[str]:
    if isinstance(node, list):
        return {found for item in node for found in references(item)}
    if isinstance(node, dict):
        own = {node["$ref"]} if isinstance(node.get("$ref"), str) else set()
        return own | {found for value in node.values() for found in references(value)}
    return set()


@pytest.mark.parametrize("write", [cog_openapi, face_openapi])
@pytest.mark.parametrize("name", ["Told", "Items", "AsyncTold"])
def test_every_reference_leads_somewhere(write: Any, name: str) -> None:
    found = document(write, name)
    schemas = {f"#/components/schemas/{name}" for name in found["components"]["schemas"]}
    assert references(found) <= schemas


def test_the_inputs_are_written_as_cog_build_does() -> None:
    schemas = document(cog_openapi, "Told")["components"]["schemas"]
    assert schemas["Input"] == {
        "title": "Input",
        "type": "object",
        "required": ["text"],
        "properties": {
            "text": {"title": "Text", "type": "string", "x-order": 0},
            "count": {
                "title": "Count",
                "type": "integer",
                "default": 1,
                "minimum": 0,
                "maximum": 5,
                "x-order": 1,
            },
            "mode": {"allOf": [{"$ref": "#/components/schemas/mode"}], "default": "say", "x-order": 2},
            "gate": {"title": "Gate", "type": "string", "default": "", "x-order": 3},
            "key": {
                "title": "Key",
                "type": "string",
                "format": "password",
                "writeOnly": True,
                "x-cog-secret": True,
                "default": None,
                "nullable": True,
                "x-order": 4,
            },
        },
    }
    assert schemas["mode"]["enum"][:2] == ["say", "fail"]


def test_a_model_that_yields_streams_in_both_documents() -> None:
    cog, ours = document(cog_openapi, "Items"), document(face_openapi, "Items")
    output = {
        "title": "Output",
        "type": "array",
        "items": {"type": "string"},
        "x-cog-array-type": "iterator",
        "x-cog-array-display": "concatenate",
    }
    assert cog["components"]["schemas"]["Output"] == ours["components"]["schemas"]["Output"] == output
    assert cog["paths"]["/predictions"]["post"]["x-cog-streaming"] is True
    assert "text/event-stream" in ours["paths"]["/predictions"]["post"]["responses"]["200"]["content"]
    assert "x-cog-streaming" not in document(cog_openapi, "Told")["paths"]["/predictions"]["post"]


def test_each_document_has_its_paths_and_its_version() -> None:
    cog, ours = document(cog_openapi, "Told"), document(face_openapi, "Told")
    common = {"/health-check", "/predictions", "/predictions/{prediction_id}/cancel"}
    assert (cog["openapi"], set(cog["paths"])) == ("3.0.2", common | {"/"})
    assert (ours["openapi"], set(ours["paths"])) == ("3.1.0", common | {"/predictions/{prediction_id}"})
    assert "nullable" not in str(ours["components"]["schemas"]["Input"])
