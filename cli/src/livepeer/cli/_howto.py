"""How to call a capability: commands to paste, with example values that fit its schema."""

import base64
import json
import shlex
from typing import Any, cast

from livepeer.core import JsonSchema, OperationDescription

from ._defaults import DEFAULT_GATEWAY_URL
from ._inputs import parse_json, resolve

_TIMEOUT_SECONDS = 60
_MAX_DEPTH = 8
_TEXTS = {
    "date": "2026-01-31",
    "date-time": "2026-01-31T12:00:00Z",
    "email": "someone@example.com",
    "time": "12:00:00",
    "uri": "https://example.com",
    "uuid": "00000000-0000-4000-8000-000000000000",
}


def call_command(name: str, operation: OperationDescription, *, gateway_url: str) -> str:
    """The `livepeer call` line.

    Args:
        name: The capability's name.
        operation: Its default operation.
        gateway_url: The gateway; named only if the command would not look there by itself.
    """
    words = ["livepeer", "call", name]
    for field, value in example_input(operation.input_schema).items():
        words += ["-i", f"{field}={_written(value)}"]
    if operation.streams:
        words.append("--stream")
    return shlex.join([*words, *_gateway(gateway_url)])


def live_command(name: str, *, gateway_url: str) -> str:
    """The `livepeer live` line, for what has no operation.

    Args:
        name: The capability's name.
        gateway_url: The gateway; named only if the command would not look there by itself.
    """
    return shlex.join(["livepeer", "live", name, "--input", "clip.mp4", "--output", "out.ts", *_gateway(gateway_url)])


def curl_command(name: str, operation: OperationDescription, *, gateway_url: str) -> str:
    """The same call by curl: the job in the header `Livepeer` (BYOC contract, section 3)."""
    job = {"request": "{}", "parameters": "{}", "capability": name, "timeout_seconds": _TIMEOUT_SECONDS}
    header = base64.b64encode(json.dumps(job).encode()).decode("ascii")
    words = ["curl", "-N", f"{gateway_url}/process/request/{operation.path.lstrip('/')}"]
    words += ["-H", f"Livepeer: {header}", "-H", "Content-Type: application/json"]
    return shlex.join([*words, "-d", json.dumps(example_input(operation.input_schema))])


def _gateway(url: str) -> list[str]:
    return [] if url == DEFAULT_GATEWAY_URL else ["--gateway", url]


def example_input(schema: JsonSchema) -> dict[str, Any]:
    """A small input that fits a schema: the fields that it requires, or else its first one."""
    properties: dict[str, JsonSchema] = schema.get("properties", {})
    names: list[str] = schema.get("required", []) or list(properties)[:1]
    return {name: _example(properties.get(name, {}), schema, 0) for name in names}


def _example(node: JsonSchema, root: JsonSchema, depth: int) -> Any:
    if "$ref" in node and depth < _MAX_DEPTH:
        return _example(resolve(node["$ref"], root), root, depth + 1)
    for key in ("examples", "enum"):
        if node.get(key):
            return node[key][0]
    for key in ("default", "const"):
        if node.get(key) is not None:
            return node[key]
    for key in ("anyOf", "oneOf", "allOf"):
        if node.get(key) and depth < _MAX_DEPTH:
            return _example(cast("JsonSchema", node[key][0]), root, depth + 1)
    match node.get("type"):
        case "string":
            return _text(node)
        case "integer" | "number":
            return _number(node)
        case "boolean":
            return True
        case "array":
            items = range(node.get("minItems", 1) if depth < _MAX_DEPTH else 0)
            return [_example(node.get("items", {}), root, depth + 1) for _ in items]
        case "object":
            names: list[str] = node.get("required", []) if depth < _MAX_DEPTH else []
            return {name: _example(node["properties"][name], root, depth + 1) for name in names}
        case _:
            return None


def _text(node: JsonSchema) -> str:
    if node.get("contentEncoding") == "base64":
        return base64.b64encode(b"hello").decode("ascii")
    text = _TEXTS.get(node.get("format", ""), "hello")
    return text.ljust(node.get("minLength", 0), "o")[: node.get("maxLength")]


def _number(node: JsonSchema) -> float:
    step = 1 if node["type"] == "integer" else 0.5
    low = node.get("minimum", node["exclusiveMinimum"] + step if "exclusiveMinimum" in node else None)
    high = node.get("maximum", node["exclusiveMaximum"] - step if "exclusiveMaximum" in node else None)
    if low is None:
        return 1 if high is None else min(1, high)
    return low if high is not None and high < 1 else max(low, 1)


def _written(value: Any) -> str:
    """A value as `-i` reads it back."""
    if isinstance(value, str) and not value.startswith("@") and not _is_json(value):
        return value
    return json.dumps(value)


def _is_json(text: str) -> bool:
    try:
        parse_json(text)
    except ValueError:
        return False
    return True
