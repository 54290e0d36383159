"""`python -m livepeer.devnet`."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

COMMAND = [sys.executable, "-W", "error", "-m", "livepeer.devnet"]
ANY_PORTS = ["--orchestrator-port", "0", "--gateway-port", "0"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_what_it_serves_and_ends_cleanly(stop: signal.Signals):
    command = [*COMMAND, *ANY_PORTS, "--secret", "mine"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        banner, orchestrator, gateway, secret = [process.stdout.readline().strip() for _ in range(4)]
        assert "offchain only" in banner
        assert secret.split() == ["secret", "mine"]
        answer = httpx2.post(
            orchestrator.split()[1] + "/capability/unregister", headers={"Authorization": "mine"}, trust_env=False
        )
        assert answer.status_code == 200
        assert httpx2.get(gateway.split()[1], trust_env=False).status_code == 404
        process.send_signal(stop)
        _, errors = process.communicate(timeout=10)

    assert (process.returncode, errors) == (0, "")


def test_a_taken_port_ends_the_command_with_a_reason():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, *ANY_PORTS, "--gateway-port", port], capture_output=True, text=True, timeout=10
        )

    assert done.returncode == 1
    assert done.stderr.startswith("cannot listen: ")
    assert done.stderr.count("\n") == 1


def test_the_command_asks_for_payment_and_registers_a_document_if_told_to(tmp_path: Path):
    document = {"label": "a", "runner_url": "http://127.0.0.1:9", "health_url": "/", "app": "a"}
    document |= {"price_info": {"price": 1}}
    file = tmp_path / "runners.json"
    file.write_text(json.dumps({"runners": [document]}))
    command = [*COMMAND, *ANY_PORTS, "--paid", "--network", "live-runner", "--runners", str(file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        _, orchestrator, _, signer = [process.stdout.readline().split() for _ in range(4)]
        assert httpx2.post(signer[1] + "/sign-orchestrator-info", trust_env=False).status_code == 200
        assert httpx2.post(orchestrator[1] + "/capability/register", trust_env=False).status_code == 404
        assert httpx2.get(orchestrator[1] + "/discovery", trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=10)

    assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(("text", "reason"), [(None, "cannot read: "), ("{", "cannot register ")])
def test_a_document_that_is_missing_or_wrong_ends_the_command_with_a_reason(
    tmp_path: Path, text: str | None, reason: str
):
    file = tmp_path / "runners.json"
    if text is not None:
        file.write_text(text)

    done = subprocess.run([*COMMAND, *ANY_PORTS, "--runners", str(file)], capture_output=True, text=True, timeout=10)

    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith(reason)


def test_the_usual_ports_are_those_of_go_livepeer():
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=10)

    assert "8935" in done.stdout
    assert "9935" in done.stdout
