"""What a model tells beside its output: metrics, and the context that it is given."""

import threading

import cog
from cog import BasePredictor, current_scope


def record(metrics: object, how: str) -> None:
    match how:
        case "item":
            metrics["count"] = 3
        case "kinds":
            for name, value in {"b": True, "i": 1, "f": 0.5, "s": "x", "l": [1], "d": {"a": 1}}.items():
                metrics[name] = value
        case "replace":
            metrics["n"] = 1
            metrics["n"] = 2
        case "incr":
            metrics.record("n", 1, mode="incr")
            metrics.record("n", 2, mode="incr")
        case "incr float":
            metrics.record("n", 0.5, mode="incr")
            metrics.record("n", 0.25, mode="incr")
        case "increment":
            metrics.record("n", 1, mode="increment")
        case "append":
            metrics.record("l", "a", mode="append")
            metrics.record("l", "b", mode="append")
        case "append to value":
            metrics["l"] = "a"
            metrics.record("l", "b", mode="append")
        case "nested":
            metrics["timing.load"] = 0.5
            metrics["timing.run.first"] = 1
            metrics.record("timing.steps", 2, mode="incr")
        case "nested over value":
            metrics["timing"] = 1
            metrics["timing.load"] = 2
        case "delete":
            metrics["a"] = 1
            metrics["b"] = 2
            del metrics["a"]
            metrics["b"] = None
        case "delete nested":
            metrics["t.a"] = 1
            metrics["t.b"] = 2
            del metrics["t.a"]
        case "delete unknown":
            del metrics["nothing"]
        case "delete then retype":
            metrics["n"] = 1
            metrics.delete("n")
            metrics["n"] = "one"
        case "retype":
            metrics["n"] = 1
            metrics["n"] = "one"
        case "retype to float":
            metrics["n"] = 1
            metrics["n"] = 1.5
        case "reserved":
            metrics["predict_time"] = 1.0
        case "reserved prefix":
            metrics["cog.n"] = 1
        case "empty":
            metrics[""] = 1
        case "leading dot":
            metrics[".a"] = 1
        case "trailing dot":
            metrics["a."] = 1
        case "two dots":
            metrics["a..b"] = 1
        case "five segments":
            metrics["a.b.c.d.e"] = 1
        case "digit first":
            metrics["1a"] = 1
        case "underscore last":
            metrics["a_"] = 1
        case "two underscores":
            metrics["a__b"] = 1
        case "odd character":
            metrics["a-b"] = 1
        case "too long":
            metrics["a" * 129] = 1
        case "longest":
            metrics["a" * 128] = 1
        case "odd value":
            metrics["a"] = object()
        case "tuple value":
            metrics["a"] = (1, 2)
        case "none by record":
            metrics.record("a", None)
        case "odd mode":
            metrics.record("a", 1, mode="sideways")
        case "incr text":
            metrics.record("a", "x", mode="incr")
        case "read":
            metrics["a"] = 1
            metrics["a"]
        case "shown":
            metrics["a"] = 1


class Metrics(BasePredictor):
    def predict(self, how: str) -> str:
        scope = current_scope()
        record(scope.metrics, how)
        return repr(scope) if how == "shown" else how


class MoreMetrics(BasePredictor):
    """The other ways to reach the same."""

    def predict(self, how: str) -> str:
        match how:
            case "scope":
                current_scope().record_metric("n", 1)
                current_scope().record_metric("n", 2, mode="incr")
            case "self":
                self.record_metric("n", 1)
                self.record_metric("l", 1, "append")
            case "own scope":
                self.scope.metrics["n"] = 4
            case "emit":
                cog.emit_metric("n", 5)
            case "thread":
                scope = current_scope()
                thread = threading.Thread(target=lambda: scope.record_metric("n", 6))
                thread.start()
                thread.join()
            case "failing":
                current_scope().record_metric("n", 7)
                raise ValueError("after a metric")
        return how


class LaterMetrics(BasePredictor):
    async def predict(self, n: int) -> str:
        current_scope().record_metric("n", n)
        return "done"


class Context(BasePredictor):
    def setup(self) -> None:
        self.before = dict(current_scope().context)
        current_scope().record_metric("1 is no name", 1)

    def predict(self) -> dict:
        context = current_scope().context
        return {"type": type(context).__name__, "context": dict(context), "in setup": self.before}
