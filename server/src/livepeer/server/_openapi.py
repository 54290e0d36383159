"""The served OpenAPI 3.1 document: the operations as they are, the contract's own routes, the one error shape."""

import copy
from typing import Any

from livepeer.core import (
    BINARY_MEDIA_TYPE,
    JSON_MEDIA_TYPE,
    PROBLEM_MEDIA_TYPE,
    SSE_MEDIA_TYPE,
    Description,
    HealthState,
    JsonSchema,
    OperationDescription,
    Problem,
)

from ._openapi_live import live_paths
from ._openapi_mounts import take_in

JsonObject = dict[str, Any]

_REFUSALS = {
    "400": "The body is no JSON",
    "401": "Missing or wrong bearer token",
    "410": "The session that the call belongs to has ended",
    "413": "The body is over the limit",
    "415": "The body has another media type",
    "422": "A field does not fit the schema; `errors` names it",
    "500": "The model failed, or its process ended",
    "503": "Not ready, or every slot is taken; see `Retry-After`",
    "504": "The call took longer than the server allows",
}


def openapi_document(description: Description, *, needs_token: bool) -> JsonObject:
    """Describe what is served.

    Args:
        description: What the host said of the capability.
        needs_token: Whether POSTs need the bearer token.
    """
    schemas: JsonObject = {}
    paths: JsonObject = {}
    for operation in description.operations:
        paths[operation.path] = {"post": _operation(operation, schemas, needs_token=needs_token)}
    if description.live is not None:
        params = _component("LiveParams", description.live.params_schema, schemas)
        paths |= live_paths(params, _refusals(), needs_token=needs_token)
    paths |= _fixed_paths(schemas)
    problem = _adopt(Problem.model_json_schema(mode="serialization"), "", schemas)
    schemas["Problem"] = problem
    components: JsonObject = {"schemas": schemas}
    if needs_token:
        components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for mount in description.mounts:
        if mount.openapi is not None:
            take_in(mount.openapi, paths, components, needs_token=needs_token)
    info = description.info
    return {
        "openapi": "3.1.0",
        "info": {"title": info.name, "version": info.version, "description": info.description},
        "paths": paths,
        "components": components,
    }


def _operation(operation: OperationDescription, schemas: JsonObject, *, needs_token: bool) -> JsonObject:
    title = operation.name.title().replace("_", "").replace("-", "")
    document = _component(f"{title}Input", operation.input_schema, schemas)
    content: JsonObject = {media_type: {"schema": document} for media_type in operation.input_media_types}
    if JSON_MEDIA_TYPE in content and "properties" in operation.input_schema:
        content["multipart/form-data"] = {"schema": _form(operation.input_schema, schemas, title)}
    required = bool(operation.input_schema.get("required"))
    found: JsonObject = {
        "operationId": operation.name,
        "summary": operation.summary.partition("\n")[0] or operation.name,
        "description": operation.summary,
        "requestBody": {"required": required, "content": content},
        "responses": {"200": _answer(operation, schemas, title), **_refusals()},
    }
    if needs_token:
        found["security"] = [{"bearer": []}]
    return found


def _answer(operation: OperationDescription, schemas: JsonObject, title: str) -> JsonObject:
    if operation.streams:
        event = _component(f"{title}Event", operation.output_schema, schemas)
        return {
            "description": "Server-sent events. The data of each is one JSON value; the last one is `[DONE]`. "
            "An error after the first event is an event of the type `error`, whose data has the key `error`.",
            "content": {
                SSE_MEDIA_TYPE: {
                    "schema": {
                        "type": "string",
                        "contentMediaType": SSE_MEDIA_TYPE,
                        "description": "The schema of one event's data is in `x-event-schema`.",
                        "x-event-schema": event,
                    }
                }
            },
        }
    if operation.output_media_type != JSON_MEDIA_TYPE:
        return {"description": "The bytes themselves", "content": {operation.output_media_type: {}}}
    output = _component(f"{title}Output", operation.output_schema, schemas)
    return {"description": "The answer", "content": {JSON_MEDIA_TYPE: {"schema": output}}}


def _refusals() -> JsonObject:
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": text, "content": content} for status, text in _REFUSALS.items()}


def _fixed_paths(schemas: JsonObject) -> JsonObject:
    schemas["Health"] = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"type": "string", "enum": [state.value for state in HealthState]}},
    }
    health = {JSON_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Health"}}}
    anything = {JSON_MEDIA_TYPE: {"schema": {"type": "object"}}}
    return {
        "/health": _get("health", "The state, always with status 200", health),
        "/healthz": _get("healthz", "200 if a call would be served, else 503", anything, also="503"),
        "/schema": _get("schema", "JSON Schema of the default operation", anything),
        "/capabilities": _get("capabilities", "What is offered here, and its price", anything),
        "/version": _get("version", "Which version of what this is", anything),
    }


def _get(name: str, summary: str, content: JsonObject, also: str | None = None) -> JsonObject:
    responses: JsonObject = {"200": {"description": summary, "content": content}}
    if also is not None:
        responses[also] = {"description": "Not now", "content": content}
    return {"get": {"operationId": name, "summary": summary, "responses": responses}}


def _component(name: str, schema: JsonSchema, schemas: JsonObject) -> JsonObject:
    schemas[name] = _adopt(schema, name, schemas)
    return {"$ref": f"#/components/schemas/{name}"}


def _adopt(schema: JsonSchema, prefix: str, schemas: JsonObject) -> JsonSchema:
    """A schema whose own definitions have moved to the document's components."""
    found = copy.deepcopy(schema)
    definitions: JsonObject = found.pop("$defs", {})
    for name, definition in definitions.items():
        schemas[prefix + name] = _repoint(definition, prefix)
    return _repoint(found, prefix)


def _repoint(node: Any, prefix: str) -> Any:
    if isinstance(node, list):
        return [_repoint(item, prefix) for item in node]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(node, dict):
        return node
    found: JsonObject = {str(key): _repoint(value, prefix) for key, value in node.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    reference = found.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/$defs/"):
        found["$ref"] = f"#/components/schemas/{prefix}{reference.removeprefix('#/$defs/')}"
    return found


def _form(schema: JsonSchema, schemas: JsonObject, title: str) -> JsonSchema:
    """The same document as a form: a base64 string becomes a file."""
    form = _adopt(schema, f"{title}Input", schemas)
    for field in form["properties"].values():
        if field.pop("contentEncoding", None) == "base64":
            field["contentMediaType"] = field.get("contentMediaType", BINARY_MEDIA_TYPE)
            field.pop("default", None)
        if field.get("type") == "array":
            # A form says that a list is empty by not naming it, which a required one may not do.
            field["minItems"] = max(1, field.get("minItems", 0))
    return form
