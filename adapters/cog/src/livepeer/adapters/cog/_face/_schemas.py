"""The schemas of `/predictions`, under Cog's names."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from livepeer.adapters.cog._model import CogModel
    from livepeer.core import JsonSchema

_REF = "#/components/schemas/"


def cog_schemas(model: "CogModel") -> "JsonSchema":
    """Every schema that the paths refer to, in the words of OpenAPI 3.0."""
    return {"Input": model.inputs.cog_schema, "Output": model.output.cog_schema, **model.inputs.cog_choices, **_FIXED}


def face_schemas(model: "CogModel") -> "JsonSchema":
    """The same as JSON Schema (2020-12), as OpenAPI 3.1 has it, for what is really taken and given."""
    choices = model.inputs.cog_choices
    properties = {
        name: _referring(name, field) if name in choices and "enum" in field else field
        for name, field in model.inputs.schema["properties"].items()
    }
    inputs = {**model.inputs.schema, "properties": properties}
    return {"Input": inputs, "Output": _output(model), **choices, **_FIXED}


def _referring(name: str, field: "JsonSchema") -> "JsonSchema":
    """Choices stand apart, where a form finds them."""
    rest = {key: value for key, value in field.items() if key not in ("enum", "type", "title")}
    return {**rest, "allOf": [{"$ref": _REF + name}]}


def _output(model: "CogModel") -> "JsonSchema":
    output = model.output
    if not output.streams:
        return {**output.schema, "title": "Output"}
    marks = {key: value for key, value in output.cog_schema.items() if key.startswith("x-cog-array-")}
    return {"title": "Output", "type": "array", "items": output.schema, **marks}


def _object(title: str, properties: "JsonSchema", **more: Any) -> "JsonSchema":
    return {"title": title, "type": "object", "properties": properties, **more}


def _field(title: str, kind: str = "string", **more: Any) -> "JsonSchema":
    return {"title": title, "type": kind, **more}


_INPUT = {"$ref": f"{_REF}Input"}
_FIXED: "JsonSchema" = {
    "PredictionRequest": _object("PredictionRequest", {"id": _field("Id"), "input": _INPUT}),
    "PredictionResponse": _object(
        "PredictionResponse",
        {
            "input": _INPUT,
            "output": {"$ref": f"{_REF}Output"},
            "id": _field("Id"),
            "version": _field("Version"),
            "created_at": _field("Created At", format="date-time"),
            "started_at": _field("Started At", format="date-time"),
            "completed_at": _field("Completed At", format="date-time"),
            "status": _field("Status"),
            "error": _field("Error"),
            "logs": _field("Logs"),
            "metrics": _field("Metrics", "object"),
        },
    ),
    "Status": _field(
        "Status",
        description="An enumeration.",
        enum=["starting", "processing", "succeeded", "canceled", "failed"],
    ),
    "HTTPValidationError": _object(
        "HTTPValidationError",
        {"detail": _field("Detail", "array", items={"$ref": f"{_REF}ValidationError"})},
    ),
    "ValidationError": _object(
        "ValidationError",
        {
            "loc": _field("Location", "array", items={"anyOf": [{"type": "string"}, {"type": "integer"}]}),
            "msg": _field("Message"),
            "type": _field("Error Type"),
        },
        required=["loc", "msg", "type"],
    ),
}
