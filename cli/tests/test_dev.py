import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

Run = Callable[..., subprocess.CompletedProcess[bytes]]
FREE_PORTS = ("--gateway-port", "0", "--orchestrator-port", "0", "--dashboard-port", "0")


@pytest.fixture(scope="module")
def network(start: Callable[..., Any], command: Path, targets: Path) -> Any:
    names = ("Echo", "Story", "BrokenSetup", "Picture", "Items", "Echo")
    running = start(command, "dev", *(f"{targets}:{name}" for name in names), *FREE_PORTS)
    running.wait_for("Ctrl-C ends it all")
    return running


@pytest.fixture
def gateway_url(network: Any) -> str:
    return re.search(r"gateway +(\S+)", network.text)[1]


@pytest.fixture
def orchestrator_url(network: Any) -> str:
    return re.search(r"orchestrator +(\S+)", network.text)[1]


def test_a_target_that_fails_is_shown_and_takes_no_other_down(network: Any) -> None:
    assert "targets.py:BrokenSetup: failed: setup() failed: RuntimeError: no weights" in network.text
    assert len(re.findall("registered as", network.text)) == 4


def test_a_name_that_is_taken_is_refused(network: Any) -> None:
    assert "targets.py:Echo: failed: another target has the name 'echo' already" in network.text


def test_the_printed_call_works(network: Any, command: Path) -> None:
    words = shlex.split(re.search(r"call +livepeer (call echo .*)", network.text)[1])
    result = subprocess.run([command, *words], capture_output=True, timeout=30, check=False)
    assert result.stdout == b'{"text": "hello", "number": 0, "content": ""}\n'
    assert (result.stderr, result.returncode) == (b"", 0)


def test_the_printed_curl_works(network: Any) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl")
    line = re.search(r"curl +(curl .*'\{\"text\".*)", network.text)[1]
    result = subprocess.run([*shlex.split(line), "-sS"], capture_output=True, timeout=30, check=True)
    assert result.stdout == b'{"text":"hello","number":0,"content":""}'


def test_a_stream_is_printed_as_it_comes(livepeer: Run, gateway_url: str) -> None:
    result = livepeer("call", "story", "--stream", "--gateway", gateway_url)
    assert (result.stdout, result.returncode) == (b"once upon a time\n", 0)


def test_an_orchestrator_is_called_without_a_gateway(livepeer: Run, orchestrator_url: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    result = livepeer("call", "picture", "--orch", orchestrator_url, "-o", path)
    assert result.returncode == 0
    assert path.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("nobody",), r"error: nobody: No orchestrators found"),
        (("echo",), r"error: echo: .*text: Field required"),
        (("items", "-i", "count=3", "--stream"), r"error: items: The model failed"),
    ],
)
def test_an_error_of_the_network_is_one_line(
    livepeer: Run, gateway_url: str, arguments: tuple[str, ...], line: str
) -> None:
    result = livepeer("call", *arguments, LIVEPEER_GATEWAY_URL=gateway_url)
    assert result.returncode == 1
    assert re.fullmatch(f"{line}.*\n", result.stderr.decode())


def test_ctrl_c_ends_it_all(network: Any) -> None:
    assert network.end() == 0


def test_it_ends_with_an_error_when_nothing_can_be_served(livepeer: Run, targets: Path) -> None:
    result = livepeer("dev", f"{targets}:BrokenSetup", *FREE_PORTS)
    assert b"failed: setup() failed: RuntimeError: no weights" in result.stdout
    assert result.stderr.splitlines()[-1] == b"error: no target could be served"
    assert result.returncode == 1


def test_a_port_that_is_taken_is_one_line(start: Callable[..., Any], command: Path, livepeer: Run) -> None:
    first = start(command, "dev", *FREE_PORTS)
    port = first.wait_for(r"gateway +http://127.0.0.1:(\d+)").group(1)
    result = livepeer("dev", "--gateway-port", port, "--orchestrator-port", "0", "--dashboard-port", "0")
    assert result.returncode == 1
    assert result.stderr.startswith(b"error: the network has no port: Address already in use")
    first.wait_for("Ctrl-C")
    assert first.end(signal.SIGTERM) == 0


def test_reload_serves_a_changed_target_again(
    start: Callable[..., Any], command: Path, livepeer: Run, tmp_path: Path
) -> None:
    source = "def predict(text: str) -> str:\n    return text.{}()\n"
    path = tmp_path / "shout.py"
    path.write_text(source.format("upper"))
    running = start(command, "dev", f"{path}:predict", "--reload", *FREE_PORTS)
    gateway_url = running.wait_for(r"gateway +(\S+)").group(1)
    running.wait_for("Waiting for changes")
    assert livepeer("call", "predict", "-i", "text=Ab", "--gateway", gateway_url).stdout == b"AB\n"
    path.write_text("not Python")
    running.wait_for("failed: importing shout.py failed")
    path.write_text(source.format("lower"))
    running.wait_for("registered as predict")
    assert livepeer("call", "predict", "-i", "text=Ab", "--gateway", gateway_url).stdout == b"ab\n"
    assert running.end() == 0


def test_the_dashboard_shows_what_is_served_on_both_networks(
    start: Callable[..., Any], command: Path, targets: Path
) -> None:
    running = start(command, "dev", f"{targets}:Echo", *FREE_PORTS)
    url = running.wait_for(r"dashboard +(http://127.0.0.1:\d+)").group(1)
    running.wait_for("registered as echo")
    assert b"<!doctype html>" in httpx2.get(url, trust_env=False).content.lower()
    (shown,) = httpx2.get(f"{url}/api/network", trust_env=False).json()["capabilities"]
    assert shown["card"]["name"] == "echo"
    assert {registration["network"] for registration in shown["registrations"]} == {"byoc", "live-runner"}
    assert running.end() == 0


def test_it_goes_on_when_nobody_reads_its_lines(command: Path, targets: Path) -> None:
    with subprocess.Popen(
        [command, "dev", f"{targets}:Echo", *FREE_PORTS], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().split()[1].decode()
        process.stdout.close()
        try:
            while not httpx2.get(f"{url}/api/network", trust_env=False).json()["capabilities"]:
                assert process.poll() is None
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0
        assert b"Traceback" not in process.stderr.read()
