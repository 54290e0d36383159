"""The conformance suite over each wrong adapter: what `test_adapter_conformance` runs, and expects to fail."""

from pathlib import Path

import adapters
from livepeer.conformance import AdapterConformance, Sample

pytest_plugins = ["livepeer.conformance.plugin"]

SAMPLES = Path(__file__).parents[3] / "adapters" / "pipeline" / "tests" / "samples.py"


class Kit(AdapterConformance):
    streams = streams_async = cancels = cancels_async = takes_files = gives_files = batches = mounts = runs_live = True

    echo = Sample(f"{SAMPLES}:Echo", input={"text": "hello"}, output={"text": "hello"})
    failing = Sample(f"{SAMPLES}:Failing", input={"how": "raise"}, good_input={"how": "well"})
    exiting = Sample(f"{SAMPLES}:Failing", input={"how": "exit"}, good_input={"how": "well"})
    crashing = Sample(f"{SAMPLES}:Failing", input={"how": "crash"}, good_input={"how": "well"})
    printing = slow_setup = Sample(f"{SAMPLES}:SlowSetup")
    failing_setup = Sample(f"{SAMPLES}:FailingSetup")
    broken = Sample(f"{SAMPLES.with_name('broken_sample.py')}:Model")
    streaming = Sample(f"{SAMPLES}:Streaming", input={"text": "x"}, output=["x"] * 4)
    async_streaming = Sample(f"{SAMPLES}:AsyncStreaming", input={"text": "x"}, output=["x"] * 4)
    failing_midway = Sample(f"{SAMPLES}:FailingMidway", output=[1, 2])
    blocking = Sample(f"{SAMPLES}:Blocking", input={"wait": True}, good_input={"wait": False})
    async_blocking = Sample(f"{SAMPLES}:AsyncBlocking", input={"wait": True}, good_input={"wait": False})
    file_in = Sample(f"{SAMPLES}:FileIn", input={"file": "aGVsbG8="}, output=5)
    file_out = Sample(f"{SAMPLES}:FileOut", output=b"\x89PNG", media_type="image/png")
    batching = Sample(f"{SAMPLES}:Echo", input={"text": "hello"}, output=1)
    live = Sample(f"{SAMPLES}:Living", input={"level": 3}, output={"level": 3, "name": ""})
    mounted = Sample(f"{SAMPLES}:Echo", input={"text": "hello"}, route="/about", output=b"about me")


for _name, _found in vars(adapters).items():
    if isinstance(_found, type) and issubclass(_found, adapters.Adapter):
        globals()[f"Test{_name}"] = type(f"Test{_name}", (Kit,), {"adapter": _name.lower()})


class TestKnown(Kit):
    adapter = "blind"
    xfails = {"adapter.claims": "it is blind", "adapter.claims-nothing-else": "it is not true"}  # noqa: RUF012


class TestNothing(AdapterConformance):
    adapter = "blind"
