"""Errors out of answers: which class an answer is, and what it says."""

import json
from collections.abc import Mapping
from typing import Any, cast

from ._errors import (
    BusyError,
    FieldError,
    InsufficientBalanceError,
    LivepeerError,
    ModelFailedError,
    NoOrchestratorError,
    ProtocolError,
    RefusedError,
    TimedOutError,
)
from ._events import Event
from ._exchange import Reply

_LONGEST_MESSAGE = 1000
_NO_RUNNER = "runner not found"
"""What a Live Runner orchestrator says of a runner that is gone, or whose model is being loaded again."""

_LOST_WORKER = "removing capability"
"""What a BYOC orchestrator says of a worker that it could not reach; a Live Runner one says 502."""


def error_from_reply(reply: Reply, *, orchestrator_url: str | None = None) -> LivepeerError:
    """Say what an answer that is no success means.

    The document is looked for in the body whatever its media type: both hops send errors on as ``text/plain``.
    """
    status = reply.status
    if status < 400:
        return ProtocolError(f"HTTP {status} is no answer of this network", status=status)
    text = reply.body.decode("utf-8", "replace").strip()
    problem = _document(text)
    message = _message(problem) if problem is not None else text
    details: dict[str, Any] = {
        "status": status,
        "problem": problem,
        "orchestrator_url": orchestrator_url,
        **_verdict(problem),
    }
    message = message[:_LONGEST_MESSAGE] or f"HTTP {status} without a body"
    nobody_on_byoc = status == 400 and problem is None and "no orchestrators found" in text.lower()
    if nobody_on_byoc or (status == 404 and message == _NO_RUNNER):
        return NoOrchestratorError(message, **details)
    if status == 402:
        return InsufficientBalanceError(message, **details)
    if status in (408, 504):
        return TimedOutError(message, **details)
    if status in (429, 503):
        return BusyError(message, retry_after_seconds=_retry_after_seconds(reply.headers, problem), **details)
    if status >= 500:
        if status == 502 or (status == 500 and _LOST_WORKER in text):
            details["retryable"] = True
        return ModelFailedError(message, **details)
    return RefusedError(message, fields=_fields(problem), **details)


def error_from_event(event: Event, *, orchestrator_url: str | None) -> LivepeerError:
    """Say what an ``error`` event means: ``{"error": {...}}`` around the same document."""
    document = _document(event.data.replace("\n", ""))
    problem = document.get("error") if document is not None else None
    if not isinstance(problem, dict):
        return ModelFailedError(event.data[:_LONGEST_MESSAGE], orchestrator_url=orchestrator_url)
    problem = cast("dict[str, Any]", problem)
    status = problem.get("status")
    return (TimedOutError if status == 504 else ModelFailedError)(
        _message(problem)[:_LONGEST_MESSAGE],
        status=status if isinstance(status, int) else None,
        problem=problem,
        orchestrator_url=orchestrator_url,
        **_verdict(problem),
    )


def _document(text: str) -> dict[str, Any] | None:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return cast("dict[str, Any]", document) if isinstance(document, dict) else None


def _verdict(problem: dict[str, Any] | None) -> dict[str, Any]:
    code, retryable = (problem or {}).get("code"), (problem or {}).get("retryable")
    return {
        "code": code if isinstance(code, str) else None,
        "retryable": retryable if isinstance(retryable, bool) else None,
    }


def _message(problem: dict[str, Any]) -> str:
    inner = problem.get("error")
    if isinstance(inner, dict):  # go-livepeer's own: {"error": {"message": ...}}
        return _message(cast("dict[str, Any]", inner))
    parts = [part for name in ("title", "detail", "message") if isinstance(part := problem.get(name), str) and part]
    if fields := _fields(problem):
        parts.append("; ".join(f"{field.field}: {field.reason}" if field.field else field.reason for field in fields))
    return ": ".join(dict.fromkeys(parts)) or json.dumps(problem)


def _fields(problem: dict[str, Any] | None) -> list[FieldError]:
    errors = (problem or {}).get("errors")
    if not isinstance(errors, list):
        return []
    entries = [cast("dict[str, object]", entry) for entry in cast("list[object]", errors) if isinstance(entry, dict)]
    return [FieldError(field=str(entry.get("field", "")), reason=str(entry.get("reason", ""))) for entry in entries]


def _retry_after_seconds(headers: Mapping[str, str], problem: dict[str, Any] | None) -> float | None:
    # The document first: of the worker's headers, only Content-Type and X-Metadata pass an orchestrator.
    seconds: Any = (problem or {}).get("retry_after_seconds", headers.get("Retry-After"))
    try:
        return float(seconds)
    except (TypeError, ValueError):
        return None
