"""The document about what a service has beside its apis: tasks, probes and BentoML's own schema."""

from collections.abc import Iterator
from typing import Any

from livepeer.core import JsonSchema

from . import _sdk

_ID = {"name": "task_id", "in": "query", "required": True, "schema": {"type": "string"}}

_STATUSES = ["in_progress", "completed", "failed", "canceled"]

_ROW = {
    "type": "object",
    "properties": {
        "task_id": {"type": "string"},
        "status": {"type": "string", "enum": _STATUSES},
        "created_at": {"type": "string", "format": "date-time"},
        "executed_at": {"type": ["string", "null"], "format": "date-time"},
    },
    "required": ["task_id", "status"],
}

_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}

_UNKNOWN = {"404": "There is no such task."}


def service_openapi(service: Any) -> JsonSchema:
    """An OpenAPI 3.1 document of what BentoML itself serves beside the apis of a service."""
    return {
        "openapi": "3.1.0",
        "info": {"title": service.name, "version": _sdk.VERSION},
        "paths": dict(_paths(service)),
        "components": {"schemas": {"Task": _ROW, "Error": _ERROR}},
    }


def _paths(service: Any) -> Iterator[tuple[str, JsonSchema]]:
    for method in service.apis.values():
        if method.is_task:
            yield from _task_paths(method.name, _sdk.join_paths(service.path_prefix, method.route))
    for probe, meaning in (("livez", "Whether the service is alive"), ("readyz", "Whether the service is ready")):
        answers = {"200": {"description": "It is."}, "503": {"description": "It is not."}}
        yield _sdk.join_paths(service.path_prefix, probe), {"get": {"summary": meaning, "responses": answers}}
    schema = {
        "summary": "The apis, as BentoML's clients read them",
        "responses": {"200": {"description": "A document"}},
    }
    yield "/schema.json", {"get": schema}


def _task_paths(name: str, path: str) -> Iterator[tuple[str, JsonSchema]]:
    early = {"400": "The task has not ended."}
    again = _operation(name, "retry", "Run a task again", {**early, **_UNKNOWN})
    cancel = {"202": "Its code cannot be stopped: it is canceled when that ends.", "409": "The task has ended."}
    submit = _operation(name, "submit", f"Run {name} behind the answer, with what POST {path} takes", {})
    del submit["parameters"]
    yield f"{path}/submit", {"post": submit}
    yield f"{path}/status", {"get": _operation(name, "status", "Where a task stands", _UNKNOWN)}
    result = _operation(name, "get", "The answer of a task", {**early, **_UNKNOWN, "409": "The task was canceled."})
    result["responses"]["200"] = {"description": f"What POST {path} answers"}
    yield f"{path}/get", {"get": result}
    yield f"{path}/retry", {"post": again}
    yield f"{path}/cancel", {"put": _operation(name, "cancel", "Stop a task", {**cancel, **_UNKNOWN})}


def _operation(name: str, action: str, summary: str, others: dict[str, str]) -> JsonSchema:
    answers = {status: _answer(text, "Task" if status < "300" else "Error") for status, text in others.items()}
    return {
        "operationId": f"{name}_{action}",
        "summary": summary,
        "parameters": [_ID],
        "responses": {"200": _answer("The task", "Task"), **answers},
    }


def _answer(description: str, component: str) -> JsonSchema:
    schema = {"$ref": f"#/components/schemas/{component}"}
    return {"description": description, "content": {"application/json": {"schema": schema}}}
