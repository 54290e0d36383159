"""Live pipelines as targets: found, described, refused, and served without PyAV where that will do."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from livepeer.core import Target, TargetError, describe, find_adapter
from livepeer.runner import LiveCapability, LivePipeline, Pipeline, PipelineAdapter
from livepeer.runner._live.pipeline import overrides

MODEL = '''
from livepeer.runner import LivePipeline

class NightVision(LivePipeline):
    """Sees in the dark."""

    version = "2.0"
    capacity = 3
    gpu = "8GB"

    def process_video(self, frame):
        return frame
'''


def test_a_file_with_a_live_pipeline_is_a_target(tmp_path: Path) -> None:
    path = tmp_path / "a_live_pipeline.py"
    path.write_text(MODEL)
    target = Target.parse(str(path))
    adapter = find_adapter(target)
    assert isinstance(adapter, PipelineAdapter)
    description = describe(adapter.load(target))
    info = description.info
    assert (info.name, info.version, info.description, info.gpu) == (
        "night-vision",
        "2.0",
        "Sees in the dark.",
        "8GB",
    )
    assert description.operations == ()
    assert description.live is not None
    assert description.live.capacity == 3
    assert adapter.manifest(target).name == "night-vision"


def test_a_live_class_is_a_target_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "two_live_pipelines.py"
    path.write_text(MODEL + MODEL.replace("NightVision", "DayVision"))
    target = Target.parse(f"{path}:DayVision")
    assert find_adapter(target).load(target).info.name == "day-vision"


def test_what_livepeer_yaml_says_of_it_wins(tmp_path: Path) -> None:
    (tmp_path / "live_from_yaml.py").write_text(MODEL)
    (tmp_path / "livepeer.yaml").write_text("target: live_from_yaml.py\nname: other\ncapacity: 5\n")
    capability = PipelineAdapter().load(Target.parse(str(tmp_path)))
    assert isinstance(capability, LiveCapability)
    assert (capability.info.name, capability.live.description.capacity) == ("other", 5)


def test_a_file_with_a_live_and_another_pipeline_asks_which(tmp_path: Path) -> None:
    path = tmp_path / "a_live_and_another.py"
    path.write_text(
        MODEL + "\nfrom livepeer.runner import Pipeline\nclass Other(Pipeline):\n    def predict(self): ...\n"
    )
    with pytest.raises(TargetError, match="2 pipelines"):
        PipelineAdapter().load(Target.parse(str(path)))


def hook(self: Any, *_: Any) -> None: ...


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ({"predict": hook}, "a Pipeline of its own"),
        ({"process_video": hook, "generate_video": hook}, "process_video and generate_video"),
        ({"process_audio": hook, "generate_audio": hook}, "process_audio and generate_audio"),
        ({"capacity": 0}, "at least 1"),
        ({"heartbeat_seconds": 0}, "heartbeat_seconds"),
        ({"heartbeat_seconds": None}, "heartbeat_seconds"),
        ({"stop_seconds": -1}, "stop_seconds"),
        ({"watchdog_seconds": "30"}, "watchdog_seconds"),
        ({"name": "no spaces please"}, "name"),
    ],
)
def test_what_cannot_be_a_live_pipeline_says_what_to_change(members: dict[str, Any], words: str) -> None:
    with pytest.raises(TargetError, match=words):
        LiveCapability(type("Odd", (LivePipeline,), members))


def test_the_watchdog_may_be_off() -> None:
    LiveCapability(type("Calm", (LivePipeline,), {"watchdog_seconds": None}))


def test_a_hook_counts_as_overridden_wherever_it_comes_from() -> None:
    inherited = type("Inherited", (type("Base", (LivePipeline,), {"process_video": hook}),), {})
    assert overrides(inherited(), "process_video")
    assert not overrides(inherited(), "process_audio")
    assigned = LivePipeline()
    assigned.process_audio = lambda frame: None  # type: ignore[method-assign]
    assert overrides(assigned, "process_audio")
    assert not overrides(LivePipeline(), "process_video")


def test_setup_and_teardown_are_the_pipelines_own() -> None:
    class Loading(LivePipeline):
        def setup(self) -> str:
            return "set up"

        async def teardown(self) -> str:
            return "torn down"

    capability = LiveCapability(Loading())
    assert capability.setup() == "set up"
    torn_down = capability.teardown()
    torn_down.close()
    assert issubclass(LivePipeline, Pipeline)


WITHOUT_AV = """
import sys
sys.modules["av"] = sys.modules["numpy"] = None  # as if they were not installed
import asyncio
from livepeer.core import Call, SessionStart
from livepeer.runner import LiveCapability, LivePipeline

class Quiet(LivePipeline):
    def on_stream_start(self, params):
        print("started with", params)

async def main():
    live = LiveCapability(Quiet).live
    reports = live.run(SessionStart(stream_id="data", params=1), Call())
    print((await anext(reports)).state)
    await reports.aclose()
    media = live.run(SessionStart(stream_id="media", subscribe_url="http://127.0.0.1:1/in"), Call())
    try:
        await anext(media)
    except Exception as error:
        print(error)

asyncio.run(main())
"""


def test_without_the_extra_a_stream_of_data_runs_and_one_of_media_says_what_to_install() -> None:
    done = subprocess.run([sys.executable, "-c", WITHOUT_AV], capture_output=True, text=True, timeout=60, check=True)
    started, state, error = done.stdout.splitlines()
    assert (started, state) == ("started with 1", "running")
    assert error.endswith("pip install livepeer-runner[live]")


def test_neither_the_runner_nor_its_adapter_imports_what_media_takes() -> None:
    code = "import livepeer.runner, sys; print([name for name in ('av', 'numpy') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"
