"""The routes of live sessions in the served OpenAPI document (contract, section 5)."""

from typing import Any

from ._live_origins import CHANNEL_FIELDS

JsonObject = dict[str, Any]

_SUMMARIES = {
    "start": "Begin a live session on trickle channels; the answer comes when it runs",
    "params": "Give a live session other params",
    "stop": "End a live session; nothing happens if it does not run",
}
_OWN_REFUSALS = {
    "403": "No orchestrator's request, or a channel that is not the orchestrator's",
    "409": "It runs already",
}


def live_paths(params: JsonObject, refusals: JsonObject, *, needs_token: bool) -> JsonObject:
    """The three routes.

    Args:
        params: Reference to the schema of the params.
        refusals: How any call may be refused, by status.
        needs_token: Whether POSTs need the bearer token.
    """
    bodies: dict[str, JsonObject | None] = {"start": _start(params), "params": params, "stop": None}
    return {
        f"/stream/{name}": {"post": _route(name, body, refusals, needs_token=needs_token)}
        for name, body in bodies.items()
    }


def _start(params: JsonObject) -> JsonObject:
    channels: JsonObject = {field: {"type": ["string", "null"], "format": "uri"} for field in CHANNEL_FIELDS}
    return {"type": "object", "properties": {**channels, "params": {"anyOf": [params, {"type": "null"}]}}}


def _route(name: str, body: JsonObject | None, refusals: JsonObject, *, needs_token: bool) -> JsonObject:
    content = refusals["500"]["content"]
    own = {status: {"description": text, "content": content} for status, text in _OWN_REFUSALS.items()}
    unknown = {"404": {"description": "No such session runs", "content": content}}
    return {
        "operationId": f"stream_{name}",
        "summary": _SUMMARIES[name],
        "parameters": [
            {"name": "X-Stream-Id", "in": "header", "required": name == "start", "schema": {"type": "string"}}
        ],
        **({"requestBody": {"content": {"application/json": {"schema": body}}}} if body is not None else {}),
        "responses": {
            "200": {"description": "It is so", "content": {"application/json": {"schema": {}}}},
            **refusals,
            **(own if name == "start" else unknown),
        },
        **({"security": [{"bearer": []}]} if needs_token else {}),
    }
