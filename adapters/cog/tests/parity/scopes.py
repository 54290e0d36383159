"""Cases of metrics and context."""

from typing import Any

from .asking import Prediction, failed, fails, succeeded, succeeds
from .records import Case, Difference, Model

EMIT_NOTICE = (
    "cog: emit_metric() is deprecated and will be removed in a future release. "
    "Use current_scope().record_metric(name, value) instead.\n"
)
TIME = {"predict_time": "<seconds>"}


def records(how: str, metrics: dict[str, object]) -> Case:
    return Case(name=how, ask=Prediction(input={"how": how}), cog=succeeded(how, metrics={**metrics, **TIME}))


def breaks(how: str, error: str, **more: Any) -> Case:
    return fails(how, {"how": how}, f"Prediction failed: {error}", **more)


MODELS = (
    Model(
        name="metrics",
        file="scopes.py",
        target="Metrics",
        cases=[
            records("item", {"count": 3}),
            records("kinds", {"b": True, "i": 1, "f": 0.5, "s": "x", "l": [1], "d": {"a": 1}}),
            records("replace", {"n": 2}),
            records("incr", {"n": 3}),
            records("incr float", {"n": 0.75}),
            records("append", {"l": ["a", "b"]}),
            records("append to value", {"l": ["a", "b"]}),
            records("nested", {"timing": {"load": 0.5, "run": {"first": 1}, "steps": 2}}),
            records("nested over value", {"timing": {"load": 2}}),
            records("delete", {}),
            records("delete nested", {"t": {"b": 2}}),
            records("delete unknown", {}),
            records("delete then retype", {"n": "one"}),
            breaks("retype", "TypeError: Metric 'n' has type int, cannot set to str without deleting first"),
            breaks("retype to float", "TypeError: Metric 'n' has type int, cannot set to float without deleting first"),
            breaks("reserved", "ValueError: 'predict_time' is reserved by the runtime"),
            breaks("reserved prefix", "ValueError: the 'cog.' prefix is reserved for system metrics"),
            breaks("empty", "ValueError: metric name must not be empty"),
            breaks("leading dot", "ValueError: metric name must not start with a dot"),
            breaks("trailing dot", "ValueError: metric name must not end with a dot"),
            breaks("two dots", "ValueError: metric name must not contain empty segments (consecutive dots)"),
            breaks("five segments", "ValueError: metric name must have at most 4 dot-separated segments (got 5)"),
            breaks("digit first", "ValueError: metric name segment '1a' must start with a letter"),
            breaks("underscore last", "ValueError: metric name segment 'a_' must end with a letter or digit"),
            breaks(
                "two underscores", "ValueError: metric name segment 'a__b' must not contain consecutive underscores"
            ),
            breaks("odd character", "ValueError: metric name segment 'a-b' contains invalid character '-'"),
            breaks("too long", "ValueError: metric name must be 128 characters or fewer (got 129 characters)"),
            records("longest", {"a" * 128: 1}),
            breaks(
                "odd value",
                "TypeError: Unsupported metric value type: object. Expected bool, int, float, str, list, or dict.",
            ),
            breaks(
                "tuple value",
                "TypeError: Unsupported metric value type: tuple. Expected bool, int, float, str, list, or dict.",
            ),
            breaks(
                "none by record",
                "TypeError: Unsupported metric value type: NoneType. Expected bool, int, float, str, list, or dict.",
            ),
            breaks("odd mode", "TypeError: Invalid metric mode: 'sideways'. Expected 'replace', 'incr', or 'append'."),
            records("increment", {"n": 1}),
            breaks("incr text", "TypeError: Increment mode requires int or float, got str"),
            breaks(
                "read",
                "TypeError: 'coglet._sdk.MetricRecorder' object is not subscriptable",
                ours=failed("Prediction failed: TypeError: 'MetricRecorder' object is not subscriptable"),
                because=Difference.TYPE_NAME,
            ),
            Case(
                name="shown",
                ask=Prediction(input={"how": "shown"}),
                cog=succeeded("Scope(MetricRecorder(keys=1))", metrics={"a": 1, **TIME}),
            ),
        ],
    ),
    Model(
        name="more metrics",
        file="scopes.py",
        target="MoreMetrics",
        cases=[
            records("scope", {"n": 3}),
            records("self", {"n": 1, "l": [1]}),
            records("own scope", {"n": 4}),
            Case(
                name="emit",
                ask=Prediction(input={"how": "emit"}),
                cog=succeeded("emit", metrics={"n": 5, **TIME}, logs=EMIT_NOTICE),
            ),
            records("thread", {"n": 6}),
            Case(
                name="failing",
                ask=Prediction(input={"how": "failing"}),
                cog=failed("Prediction failed: ValueError: after a metric", metrics={"n": 7, **TIME}),
            ),
        ],
    ),
    Model(
        name="metrics of an async model",
        file="scopes.py",
        target="LaterMetrics",
        cases=[
            Case(name="one", ask=Prediction(input={"n": 1}), cog=succeeded("done", metrics={"n": 1, **TIME})),
            Case(name="another", ask=Prediction(input={"n": 2}), cog=succeeded("done", metrics={"n": 2, **TIME})),
        ],
    ),
    Model(
        name="context",
        file="scopes.py",
        target="Context",
        cases=[
            succeeds("none given", {}, {"type": "dict", "context": {}, "in setup": {}}),
            Case(
                name="some given",
                ask=Prediction(input={}, fields={"context": {"user": "u", "empty": ""}}),
                cog=succeeded({"type": "dict", "context": {"user": "u", "empty": ""}, "in setup": {}}),
            ),
        ],
    ),
)
