import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from livepeer.client import Gateway
from livepeer.devnet import BlockingDevNet
from livepeer.server import bind

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="module")
def gateway_url(start: Callable[..., Any], command: Path, examples: Path) -> str:
    """A network on which both examples are registered."""
    ports = ("--gateway-port", "0", "--orchestrator-port", "0", "--dashboard-port", "0")
    network = start(command, "dev", examples / "hello_world", examples / "llm_chat", *ports)
    url: str = network.wait_for(r"gateway +(\S+)").group(1)
    network.wait_for("Ctrl-C ends it all")
    return url


def test_hello_world_reverses_text(livepeer: Run, examples: Path) -> None:
    result = livepeer("predict", examples / "hello_world", "-i", "text=hello")
    assert json.loads(result.stdout) == {"text": "olleh"}


def test_hello_world_is_called_through_a_gateway(examples: Path, gateway_url: str) -> None:
    assert _script(examples / "hello_world" / "call.py", gateway_url) == "{'text': '!reepeviL ,olleH'}\n"


def test_hello_world_serves_itself(start: Callable[..., Any], examples: Path) -> None:
    try:
        bind("0.0.0.0", 5000).close()
    except OSError:
        pytest.skip("port 5000 is taken")
    with BlockingDevNet() as net:
        script = start(
            sys.executable,
            examples / "hello_world" / "main.py",
            ORCH_URL=net.orchestrator_url,
            ORCH_TOKEN=net.secret,
            LIVEPEER_CAPABILITY_URL="http://127.0.0.1:5000",
        )
        net.wait_for("hello-world", timeout_seconds=30)
        with Gateway(gateway_url=net.gateway_url) as gateway:
            assert gateway.run("hello-world", {"text": "abc"}) == {"text": "cba"}
        assert script.end() == 0
        assert not net.capabilities


def test_llm_chat_says_the_same_with_the_same_seed(livepeer: Run, examples: Path) -> None:
    inputs = ("-i", "prompt=The sea", "-i", "max_tokens=12", "-i", "seed=7")
    first, second = (livepeer("predict", examples / "llm_chat", *inputs) for _ in range(2))
    assert first.stdout == second.stdout
    assert len(re.findall(rb"[\w']+|[^\w\s]", first.stdout)) == 12


def test_llm_chat_streams_through_a_gateway(examples: Path, gateway_url: str) -> None:
    text = _script(examples / "llm_chat" / "call.py", gateway_url)
    assert len(re.findall(r"[\w']+|[^\w\s]", text)) == 40


def test_the_quickstart_shows_every_step_and_ends_well(examples: Path) -> None:
    result = subprocess.run([sys.executable, examples / "quickstart.py"], capture_output=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr.decode()
    assert "{'text': '!reepeviL ,olleH'}" in result.stdout.decode()
    assert "One day a traveller " in result.stdout.decode()
    assert b"Traceback" not in result.stderr


def _script(path: Path, gateway_url: str) -> str:
    result = subprocess.run(
        [sys.executable, path],
        capture_output=True,
        timeout=60,
        check=True,
        text=True,
        env={**os.environ, "LIVEPEER_GATEWAY_URL": gateway_url},
    )
    return result.stdout
