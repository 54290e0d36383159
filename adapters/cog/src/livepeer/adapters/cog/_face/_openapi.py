"""The documents about `/predictions`: ours, and the one that `cog build` puts into an image."""

from collections.abc import Mapping
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from ._health import installed_version
from ._schemas import cog_schemas, face_schemas

if TYPE_CHECKING:
    from livepeer.adapters.cog._model import CogModel
    from livepeer.core import JsonSchema

_ID = {
    "name": "prediction_id",
    "in": "path",
    "required": True,
    "schema": {"title": "Prediction Id", "type": "string"},
}


def face_openapi(model: "CogModel") -> "JsonSchema":
    """An OpenAPI 3.1 document of `/predictions`, its variants, and `/health-check`."""
    predict = _predict()
    predict["responses"] |= {
        "202": _response("The prediction is under way", "PredictionResponse"),
        "409": _response("Every prediction slot is busy", "PredictionResponse"),
        "503": _response("Setup has not finished", "PredictionResponse"),
    }
    if model.output.streams:
        predict["responses"]["200"]["content"]["text/event-stream"] = {"schema": {"type": "string"}}
    put = {**deepcopy(predict), "summary": "Predict, once for each id", "parameters": [_ID]}
    put["operationId"] = "predict_predictions__prediction_id__put"
    paths = {**_paths(predict), "/predictions/{prediction_id}": {"put": put}}
    return _document("3.1.0", paths, face_schemas(model))


def cog_openapi(model: "CogModel") -> "JsonSchema":
    """The OpenAPI 3.0.2 document that `cog build` would write, by which Cog's own server checks inputs."""
    predict = _predict()
    if model.output.streams:
        predict["x-cog-streaming"] = True
    root = {"summary": "Root", "operationId": "root__get", "responses": {"200": _response("Successful Response")}}
    return _document("3.0.2", {"/": {"get": root}, **_paths(predict)}, cog_schemas(model))


def _document(version: str, paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> "JsonSchema":
    return {
        "openapi": version,
        "info": {"title": "Cog", "version": installed_version("cog")},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _paths(predict: "JsonSchema") -> "JsonSchema":
    health = {
        "summary": "Healthcheck",
        "operationId": "healthcheck_health_check_get",
        "responses": {"200": _response("Successful Response")},
    }
    cancel = {
        "summary": "Cancel",
        "operationId": "cancel_predictions__prediction_id__cancel_post",
        "parameters": [_ID],
        "responses": {"200": _response("Successful Response"), "422": _invalid()},
    }
    return {
        "/health-check": {"get": health},
        "/predictions": {"post": predict},
        "/predictions/{prediction_id}/cancel": {"post": cancel},
    }


def _predict() -> "JsonSchema":
    return {
        "summary": "Predict",
        "description": "Run a single prediction on the model",
        "operationId": "predict_predictions_post",
        "requestBody": {"content": {"application/json": {"schema": _ref("PredictionRequest")}}},
        "responses": {"200": _response("Successful Response", "PredictionResponse"), "422": _invalid()},
    }


def _invalid() -> "JsonSchema":
    return _response("Validation Error", "HTTPValidationError")


def _response(description: str, component: str | None = None) -> "JsonSchema":
    schema = {} if component is None else _ref(component)
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _ref(component: str) -> "JsonSchema":
    return {"$ref": f"#/components/schemas/{component}"}
