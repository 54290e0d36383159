import asyncio
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cog
import pytest

from livepeer.adapters.cog import _healthcheck
from livepeer.adapters.cog._capability import CogCapability
from livepeer.adapters.cog._scope import Scope
from livepeer.adapters.cog._setup import SetupTimeoutError
from livepeer.core import Call

Load = Callable[[str], CogCapability]


def model_of(capability: CogCapability) -> Any:
    return capability._model._predict.__self__


async def finish(capability: CogCapability) -> None:
    setup = capability.setup()
    assert setup is not None
    await setup


def test_setup_runs_on_the_thread_that_asks(load: Load) -> None:
    capability = load("unit_setups.py:Plain")
    state = capability._model.setup_state
    assert (state.status, state.started_at, state.completed_at) == ("starting", None, None)
    assert capability.setup() is None
    assert state.status == "ready"
    assert state.started_at is not None
    assert state.completed_at is not None
    assert state.started_at <= state.completed_at
    assert state.logs == "loading\n"
    assert model_of(capability).thread is threading.current_thread()


def test_weights_are_what_the_environment_says(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    capability = load("unit_setups.py:Weighed")
    capability.setup()
    assert model_of(capability).weights is None
    monkeypatch.setenv("COG_WEIGHTS", "https://example.com/w.tar")
    capability.setup()
    assert model_of(capability).weights == "https://example.com/w.tar"


async def test_an_async_setup_runs_on_the_loop_of_the_predictions(load: Load) -> None:
    capability = load("unit_setups.py:Later")
    await finish(capability)
    model = capability._model
    assert (model.setup_state.status, model.setup_state.logs) == ("ready", "loading\n")
    assert model.loop is asyncio.get_running_loop()
    assert [output async for output in model.run_async({}, Scope(call=Call()))] == [True]


def test_a_sync_setup_of_an_async_model_may_run_a_loop_of_its_own(load: Load) -> None:
    capability = load("unit_setups.py:SyncForAsync")
    rest = capability.setup()
    assert rest is not None
    assert capability._model.setup_state.status == "starting"

    async def serve() -> None:
        await rest
        assert capability._model.loop is asyncio.get_running_loop()

    asyncio.run(serve())
    assert capability._model.setup_state.status == "ready"


def test_an_async_setup_of_a_sync_model_leaves_no_loop_behind(load: Load) -> None:
    capability = load("unit_setups.py:AsyncForSync")
    asyncio.run(finish(capability))
    assert capability._model.loop is None
    assert list(capability._model.run({}, Scope(call=Call()))) == [True]
    assert asyncio.run(capability._model.healthcheck()) is None


def test_a_setup_that_fails_is_told_with_its_traceback(load: Load) -> None:
    capability = load("unit_setups.py:Failing")
    with pytest.raises(RuntimeError, match="no weights here"):
        capability.setup()
    state = capability._model.setup_state
    assert (state.status, state.completed_at is None) == ("failed", False)
    assert state.logs.startswith("about to fail")
    assert state.logs.endswith("RuntimeError: no weights here\n")


async def test_an_async_setup_that_fails_is_told_with_its_traceback(load: Load) -> None:
    capability = load("unit_setups.py:FailingLater")
    with pytest.raises(RuntimeError):
        await finish(capability)
    assert capability._model.setup_state.status == "failed"
    assert capability._model.setup_state.logs.endswith("RuntimeError: no weights here\n")


def test_a_setup_that_exits_has_failed(load: Load) -> None:
    capability = load("unit_setups.py:Leaving")
    with pytest.raises(SystemExit):
        capability.setup()
    assert capability._model.setup_state.status == "failed"


def test_a_setup_past_its_limit_is_stopped(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COG_SETUP_TIMEOUT", "1")
    capability = load("unit_setups.py:Endless")
    with pytest.raises(SetupTimeoutError):
        capability.setup()
    assert capability._model.setup_state.status == "failed"
    assert "timed out after 1 seconds" in capability._model.setup_state.logs


async def test_an_async_setup_past_its_limit_is_stopped(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COG_SETUP_TIMEOUT", "1")
    capability = load("unit_setups.py:EndlessLater")
    with pytest.raises(SetupTimeoutError):
        await finish(capability)
    assert "timed out after 1 seconds" in capability._model.setup_state.logs


def test_a_setup_that_blocks_past_its_limit_has_failed_before_it_returns(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COG_SETUP_TIMEOUT", "1")
    capability = load("unit_setups.py:Stubborn")
    state = capability._model.setup_state
    seen: list[str] = []

    def let_go() -> None:
        limit = time.monotonic() + 10
        while state.status == "starting" and time.monotonic() < limit:
            time.sleep(0.001)
        seen.append(state.status)
        model_of(capability).go.set()

    thread = threading.Thread(target=let_go)
    thread.start()
    with pytest.raises(SetupTimeoutError):
        capability.setup()
    thread.join()
    assert seen == ["failed"]
    assert state.logs.count("timed out") == 1


@pytest.mark.parametrize("text", ["0", "-1", "soon", "1.5"])
def test_a_limit_that_is_none_is_ignored(
    load: Load, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    monkeypatch.setenv("COG_SETUP_TIMEOUT", text)
    capability = load("unit_setups.py:Plain")
    capability.setup()
    assert capability._model.setup_state.status == "ready"
    assert "COG_SETUP_TIMEOUT" in caplog.text


def test_a_function_needs_no_setup(load: Load) -> None:
    capability = load("unit_setups.py:function")
    assert capability.setup() is None
    assert capability.check() is None
    assert list(capability._model.run({"text": "a"}, Scope(call=Call()))) == ["A"]


@pytest.mark.parametrize(
    ("says", "reason"),
    [
        (True, None),
        (None, None),
        (0, None),
        ("yes", None),
        (False, "Healthcheck failed: user-defined healthcheck returned False"),
        (ValueError("feeling bad"), "Healthcheck failed: ValueError: feeling bad"),
        (SystemExit(1), "Healthcheck failed: SystemExit: 1"),
        (TimeoutError("theirs"), "Healthcheck failed: TimeoutError: theirs"),
        ("slow", "Healthcheck failed: user-defined healthcheck timed out after 0.3 seconds"),
    ],
)
async def test_a_model_says_itself_how_it_is(
    load: Load, monkeypatch: pytest.MonkeyPatch, says: object, reason: str | None
) -> None:
    monkeypatch.setattr(_healthcheck, "LIMIT_SECONDS", 0.3)
    capability = load("unit_setups.py:Health")
    model_of(capability).says = says
    check = capability.check()
    assert check is not None
    assert await check == reason
    model_of(capability).go.set()


@pytest.mark.parametrize("says", [False, ValueError("feeling bad"), "slow", True])
async def test_an_async_model_is_asked_on_its_own_loop(
    load: Load, monkeypatch: pytest.MonkeyPatch, says: object
) -> None:
    monkeypatch.setattr(_healthcheck, "LIMIT_SECONDS", 0.3)
    capability = load("unit_setups.py:HealthLater")
    await finish(capability)
    model_of(capability).says = says
    here = await capability._model.healthcheck()
    # The face has a loop of its own.
    elsewhere = await asyncio.to_thread(asyncio.run, capability._model.healthcheck())
    assert here == elsewhere
    assert (here is None) == (says is True)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [("", 3), ("5", 5), ("none", 3), ("0", 3)],
)
def test_the_environment_goes_before_cog_yaml(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch, environment: str, expected: int
) -> None:
    monkeypatch.setenv("COG_MAX_CONCURRENCY", environment)
    (tmp_path / "cog.yaml").write_text("run: run.py:Runner\nconcurrency:\n  max: 3\n")
    (tmp_path / "run.py").write_text(
        "from cog import BasePredictor\nclass Runner(BasePredictor):\n"
        "    async def predict(self, a: int) -> int:\n        return a\n"
    )
    capability = load(str(tmp_path))
    assert capability.operations[0].description.capacity == expected


def test_the_decorator_comes_last(tmp_path: Path, load: Load) -> None:
    if not hasattr(cog, "concurrent"):
        pytest.skip("this Cog has no @concurrent")
    (tmp_path / "run.py").write_text(
        "from cog import BasePredictor, concurrent\nclass Runner(BasePredictor):\n"
        "    @concurrent(max=4)\n    async def predict(self, a: int) -> int:\n        return a\n"
    )
    assert load(f"{tmp_path}/run.py").operations[0].description.capacity == 4


def test_a_sync_model_runs_one_at_a_time(
    load: Load, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("COG_MAX_CONCURRENCY", "4")
    assert load("unit_setups.py:Plain").operations[0].description.capacity == 1
    assert "one at a time" in caplog.text
