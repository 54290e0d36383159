"""The first thing that a newcomer runs."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from .network import ROOT

MARK = "LIVEPEER_TEST_FAMILY"


@contextmanager
def quickstart(cwd: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the example; every process that descends from it inherits a mark, whoever its parent is by then."""
    mark = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, ROOT / "examples" / "quickstart.py"],
        cwd=cwd,
        env={**os.environ, MARK: mark},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # A shell starts its background jobs deaf to Ctrl-C, and these tests may be in one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    with process:
        try:
            yield process, mark
        finally:
            process.kill()


def family(mark: str) -> list[psutil.Process]:
    """The processes with a mark."""
    found: list[psutil.Process] = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark:
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_the_quickstart_prints_its_answers_within_30_seconds_and_leaves_nothing_running(tmp_path: Path) -> None:
    started = time.monotonic()
    with quickstart(tmp_path) as (process, mark):
        out, _ = process.communicate(timeout=30)
    assert time.monotonic() - started < 30
    assert process.returncode == 0, out
    assert "{'text': '!reepeviL ,olleH'}" in out
    (story,) = [line for line in out.splitlines() if line.startswith("   One day a traveller ")]
    assert len(story.split()) > 20
    assert "Traceback" not in out
    assert "ERROR" not in out
    assert not family(mark)
    assert not list(tmp_path.iterdir())


def test_ctrl_c_in_the_quickstart_ends_it_and_leaves_nothing_running(tmp_path: Path) -> None:
    with quickstart(tmp_path) as (process, mark):
        assert process.stdout is not None
        next(line for line in process.stdout if line.startswith("2. Two models"))
        while len(family(mark)) <= 4:
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does to all of the foreground
        out, _ = process.communicate(timeout=15)
        assert process.returncode == -signal.SIGINT, out
        assert not family(mark)
