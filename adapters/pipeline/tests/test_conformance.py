"""The native pipelines against every clause of the contract."""

from pathlib import Path

from livepeer.conformance import AdapterConformance, Sample

pytest_plugins = ["livepeer.conformance.plugin"]

HERE = Path(__file__).parent
MODELS = HERE / "samples.py"


class TestPipeline(AdapterConformance):
    adapter = "pipeline"
    streams = streams_async = cancels = cancels_async = takes_files = gives_files = runs_live = True

    echo = Sample(f"{MODELS}:Echo", input={"text": "hello"}, output={"text": "hello"})
    failing = Sample(f"{MODELS}:Failing", input={"how": "raise"}, good_input={"how": "well"})
    exiting = Sample(f"{MODELS}:Failing", input={"how": "exit"}, good_input={"how": "well"})
    crashing = Sample(f"{MODELS}:Failing", input={"how": "crash"}, good_input={"how": "well"})
    printing = slow_setup = Sample(f"{MODELS}:SlowSetup")
    failing_setup = Sample(f"{MODELS}:FailingSetup")
    broken = Sample(f"{HERE / 'broken_sample.py'}:Model")
    streaming = Sample(f"{MODELS}:Streaming", input={"text": "x"}, output=["x"] * 4)
    async_streaming = Sample(f"{MODELS}:AsyncStreaming", input={"text": "x"}, output=["x"] * 4)
    failing_midway = Sample(f"{MODELS}:FailingMidway", output=[1, 2])
    blocking = Sample(f"{MODELS}:Blocking", input={"wait": True}, good_input={"wait": False})
    async_blocking = Sample(f"{MODELS}:AsyncBlocking", input={"wait": True}, good_input={"wait": False})
    file_in = Sample(f"{MODELS}:FileIn", input={"file": "aGVsbG8="}, output=5)
    file_out = Sample(f"{MODELS}:FileOut", output=b"\x89PNG", media_type="image/png")
    live = Sample(f"{MODELS}:Living", input={"level": 3}, output={"level": 3, "name": ""})
