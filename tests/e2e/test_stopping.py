"""An edge that is told to stop (contract, section 1): it withdraws, lets what runs end, and ends well."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from edge_harness import Marks, eventually

from livepeer.devnet import BlockingDevNet

from .network import ROOT, SERVE, calling, serving, target

pytestmark = pytest.mark.anyio


async def test_an_edge_told_to_stop_withdraws_first_and_answers_what_runs(
    net: BlockingDevNet, marks: Marks, gate: str
) -> None:
    answers: list[str] = []
    async with serving(net, target("Held")) as edge, calling(net, "gateway") as caller:

        async def call() -> None:
            answers.append(await caller.run_async("held", {"gate": gate, "looks": True}))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call)
            await marks.wait(gate, "entered")
            edge.process.terminate()
            await eventually(lambda: "held" not in net.capabilities, "withdrawn")
            assert not answers
            marks.go(gate)
        assert answers == ["done"]
        assert await edge.end() == 0


async def test_an_edge_told_to_stop_ends_its_stream_well(net: BlockingDevNet, marks: Marks, gate: str) -> None:
    async with serving(net, target("AsyncStepping")) as edge, calling(net, "orchestrator") as caller:
        marks.go(f"{gate}-0")
        async with caller.stream_async("async-stepping", {"gate": gate, "count": 2}) as events:
            assert (await anext(events)).json() == 0
            edge.process.terminate()
            await eventually(lambda: "async-stepping" not in net.capabilities, "withdrawn")
            marks.go(f"{gate}-1")
            assert (await anext(events)).json() == 1
            assert await anext(events, None) is None
        assert await edge.end() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_an_edge_told_to_stop_while_it_starts_stops() -> None:
    command = [*SERVE, str(ROOT / "examples" / "hello_world"), "--host", "127.0.0.1", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as edge:
        try:
            while not catches(edge.pid, signal.SIGTERM):
                assert edge.poll() is None
            os.kill(edge.pid, signal.SIGTERM)
            assert edge.wait(5) in (0, -signal.SIGTERM)
        finally:
            edge.kill()


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    caught = next(line for line in status.splitlines() if line.startswith("SigCgt:"))
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)
