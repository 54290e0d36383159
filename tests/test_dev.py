"""The first command of the README, as a person runs it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def run_dev(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, ROOT / "dev.py", *arguments], check=False, capture_output=True, text=True)


def test_the_demo_shows_the_answer_of_a_call_and_of_a_streamed_call() -> None:
    ran = run_dev("demo")
    assert ran.returncode == 0, ran.stderr
    assert "{'text': '!reepeviL ,olleH'}" in ran.stdout
    assert "One day a traveller " in ran.stdout


def test_an_unknown_command_is_told_what_there_is() -> None:
    ran = run_dev("build")
    assert ran.returncode == 2
    assert "demo" in ran.stderr
    assert "test" in ran.stderr
