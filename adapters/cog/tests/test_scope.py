import asyncio
import io
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cog
import pytest

from livepeer.adapters.cog import CogAdapter
from livepeer.adapters.cog._capability import CogCapability
from livepeer.adapters.cog._metrics import MetricRecorder
from livepeer.adapters.cog._output_capture import OutputCapture
from livepeer.adapters.cog._scope import Scope, Source
from livepeer.core import Call, Target

Load = Callable[[str], CogCapability]
MODELS = Path(__file__).parent / "models"


class Ears:
    """Hears everything in one order."""

    def __init__(self) -> None:
        self.heard: list[tuple[Any, ...]] = []

    def on_log(self, source: Source, data: str) -> None:
        self.heard.append((source, data))

    def on_metric(self, name: str, value: Any, mode: str) -> None:
        self.heard.append((name, value, mode))


@pytest.fixture
def fresh(tmp_path: Path) -> str:
    """A model that nobody has imported yet."""
    shutil.copy(MODELS / "unit_scopes.py", tmp_path)
    return f"{tmp_path}/unit_scopes.py:Telling"


def run(capability: CogCapability, scope: Scope | None = None, **inputs: Any) -> Scope:
    scope = scope or Scope(call=Call())
    list(capability._model.run(inputs, scope))
    return scope


def test_lines_are_the_predictions_and_pass_on(load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    scope = run(load("unit_scopes.py:Telling"), how="print")
    assert scope.logs == "one two\nodd\nnot ended"
    assert capsys.readouterr() == ("one two\nnot ended", "odd\n")


def test_a_handler_that_was_made_at_the_import_is_heard(load: Load, fresh: str) -> None:
    assert run(load(fresh), how="logging").logs == "by a handler of the import\n"


def test_a_handler_of_an_import_of_before_is_still_heard(load: Load, fresh: str) -> None:
    assert CogAdapter().claims(Target.parse(fresh))
    load(fresh).teardown()
    assert run(load(fresh), how="logging").logs == "by a handler of the import\n"


def test_a_flush_tells_what_has_not_ended(load: Load) -> None:
    ears = Ears()
    run(load("unit_scopes.py:Telling"), Scope(call=Call(), listener=ears), how="flush")
    assert ears.heard == [("stdout", "pro"), ("stdout", "gress\n")]


def test_a_thread_of_the_model_tells_the_only_scope_there_is(load: Load) -> None:
    scope = run(load("unit_scopes.py:Telling"), how="thread")
    assert (scope.logs, scope.metrics) == ("from a thread\n", {"threads": 1})


def test_setup_is_heard_apart_and_its_metrics_are_ignored(load: Load) -> None:
    capability = load("unit_scopes.py:Telling")
    capability.setup()
    assert capability._model.setup_state.logs == "in setup\n"
    assert run(capability, how="flush").logs == "progress\n"


def test_the_context_is_the_requests(load: Load) -> None:
    capability = load("unit_scopes.py:Telling")
    scope = Scope(call=Call(), context={"who": "me"})
    assert list(capability._model.run({"how": "context"}, scope)) == ["{'who': 'me'}"]


def test_metrics_nest_add_up_and_are_told(load: Load) -> None:
    ears = Ears()
    scope = run(load("unit_scopes.py:Telling"), Scope(call=Call(), listener=ears), how="metrics")
    assert scope.metrics == {"timing": {"load": 0.5}, "tokens": 5, "tags": ["a"]}
    assert ears.heard == [
        ("timing.load", 0.5, "replace"),
        ("tokens", 2, "increment"),
        ("tokens", 3, "increment"),
        ("tags", "a", "append"),
        ("gone", 1, "replace"),
        ("gone", None, "replace"),
    ]


def test_figures_go_into_the_answers_metadata(load: Load) -> None:
    call = Call()
    load("unit_scopes.py:Telling").operations[0].invoke({"how": "metrics"}, call)
    assert call.metrics == {"timing.load": 0.5, "tokens": 5}


def test_outside_of_a_prediction_nothing_is_told(load: Load) -> None:
    load("unit_scopes.py:Telling")
    cog.current_scope().record_metric("n", 1)
    assert dict(cog.current_scope().context) == {}


def test_what_a_stream_tells_comes_between_its_items(load: Load) -> None:
    scope = Scope(call=Call())
    steps = [(item, scope.logs, dict(scope.metrics)) for item in load("unit_scopes.py:Streaming")._model.run({}, scope)]
    assert steps == [
        (0, "line 0\n", {"n": 0}),
        (1, "line 0\nline 1\n", {"n": 1}),
        (2, "line 0\nline 1\nline 2\n", {"n": 2}),
    ]


async def test_predictions_at_the_same_time_are_told_apart(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COG_MAX_CONCURRENCY", "2")
    capability = load("unit_scopes.py:Together")
    setup = capability.setup()
    assert setup is not None
    await setup
    scopes = {name: Scope(call=Call()) for name in ("a", "b")}

    async def predict(name: str) -> list[Any]:
        return [output async for output in capability._model.run_async({"name": name}, scopes[name])]

    async with asyncio.timeout(10):
        await asyncio.gather(predict("a"), predict("b"))
    for name, scope in scopes.items():
        assert scope.logs == f"{name} begins\n{name} ends\n"
        assert scope.metrics == {"name": name}


async def test_what_a_task_writes_after_its_prediction_is_not_told(load: Load) -> None:
    capability = load("unit_scopes.py:Lingering")
    scope = Scope(call=Call())
    assert [item async for item in capability._model.run_async({}, scope)] == ["done"]
    predictor = capability._model._predict.__self__
    predictor.go.set()
    await predictor.task
    assert scope.logs == ""


@pytest.mark.parametrize(
    ("key", "value", "mode", "error"),
    [
        ("", 1, None, "metric name must not be empty"),
        (".a", 1, None, "must not start with a dot"),
        ("a.", 1, None, "must not end with a dot"),
        ("a..b", 1, None, "must not contain empty segments"),
        ("a.b.c.d.e", 1, None, "at most 4 dot-separated segments"),
        ("1a", 1, None, "must start with a letter"),
        ("_a", 1, None, "must start with a letter"),
        ("é", 1, None, "must start with a letter"),
        ("a_", 1, None, "must end with a letter or digit"),
        ("a__b", 1, None, "must not contain consecutive underscores"),
        ("a-b", 1, None, "contains invalid character '-'"),
        ("a\n", 1, None, "contains invalid character"),
        ("a" * 129, 1, None, "128 characters or fewer"),
        ("predict_time", 1, None, "reserved by the runtime"),
        ("cog.n", 1, None, "reserved for system metrics"),
        ("a", object(), None, "Unsupported metric value type: object"),
        ("a", None, None, "Unsupported metric value type: NoneType"),
        ("a", 1, "sideways", "Invalid metric mode: 'sideways'"),
        ("a", "x", "incr", "Increment mode requires int or float, got str"),
        ("a", True, "incr", "Increment mode requires int or float, got bool"),
    ],
)
def test_cogs_rules_for_metrics_hold(key: str, value: Any, mode: str | None, error: str) -> None:
    values: dict[str, Any] = {}
    with pytest.raises((TypeError, ValueError), match=error):
        MetricRecorder(values, Ears().on_metric).record(key, value, mode)
    assert values == {}


def test_a_metric_keeps_its_type_until_it_is_deleted() -> None:
    values: dict[str, Any] = {}
    metrics = MetricRecorder(values, Ears().on_metric)
    metrics["n"] = 1
    with pytest.raises(TypeError, match="has type int, cannot set to float without deleting first"):
        metrics["n"] = 1.5
    metrics["n"] = None
    metrics["n"] = "one"
    assert (values, repr(metrics)) == ({"n": "one"}, "MetricRecorder(keys=1)")


def test_an_increment_that_is_refused_leaves_the_type_open() -> None:
    metrics = MetricRecorder({}, Ears().on_metric)
    with pytest.raises(TypeError):
        metrics.record("n", "x", "incr")
    metrics["n"] = 1


def test_a_nested_metric_takes_the_place_of_a_plain_one() -> None:
    values: dict[str, Any] = {}
    metrics = MetricRecorder(values, Ears().on_metric)
    metrics["t"] = 1
    metrics["t.a"] = 2
    metrics["l"] = "one"
    metrics.record("l", "two", "append")
    assert values == {"t": {"a": 2}, "l": ["one", "two"]}


def test_the_streams_are_put_back_after_the_last_user(monkeypatch: pytest.MonkeyPatch) -> None:
    original = io.StringIO()
    monkeypatch.setattr(sys, "stdout", original)
    capture = OutputCapture()
    capture.install()
    capture.install()
    capture.remove()
    assert sys.stdout is not original
    print("passed on")
    assert sys.stdout.getvalue() == "passed on\n"  # type: ignore[attr-defined]
    capture.remove()
    assert sys.stdout is original


def test_a_stream_that_somebody_else_put_there_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    capture = OutputCapture()
    capture.install()
    monkeypatch.setattr(sys, "stdout", theirs := io.StringIO())
    capture.remove()
    assert sys.stdout is theirs


def test_cogs_own_scope_is_back_after_the_last_user(load: Load) -> None:
    import coglet

    native = coglet._sdk.current_scope
    one, two = load("unit_scopes.py:Telling"), load("unit_scopes.py:Streaming")
    one.teardown()
    assert coglet._sdk.current_scope is not native
    two.teardown()
    assert coglet._sdk.current_scope is native
