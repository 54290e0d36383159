"""The adapter against every clause of the contract."""

from pathlib import Path

from livepeer.conformance import AdapterConformance, Sample

pytest_plugins = ["livepeer.conformance.plugin"]

HERE = Path(__file__).parent
SAMPLES = HERE / "samples.py"


class TestTemplate(AdapterConformance):
    adapter = "template"
    streams = mounts = True

    echo = Sample(f"{SAMPLES}:Echo", input={"text": "hello"}, output="hello")
    failing = Sample(f"{SAMPLES}:Troubled", input={"how": "fail"}, good_input={"how": "well"})
    exiting = Sample(f"{SAMPLES}:Troubled", input={"how": "exit"}, good_input={"how": "well"})
    crashing = Sample(f"{SAMPLES}:Troubled", input={"how": "crash"}, good_input={"how": "well"})
    printing = slow_setup = Sample(f"{SAMPLES}:Slow")
    failing_setup = Sample(f"{SAMPLES}:Unloadable")
    broken = Sample(f"{HERE / 'broken_sample.py'}:Anything")
    streaming = Sample(f"{SAMPLES}:Streaming", input={"text": "x"}, output=["x"] * 4)
    failing_midway = Sample(f"{SAMPLES}:FailingMidway", output=[1, 2])
    mounted = Sample(f"{SAMPLES}:Paged", input={"text": "x"}, route="/about", output=b"about me")
