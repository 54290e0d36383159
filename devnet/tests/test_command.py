"""`python -m livepeer.devnet`."""

import signal
import socket
import subprocess
import sys

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


def test_the_usual_ports_are_those_of_go_livepeer():
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, text=True, timeout=10)

    assert "8935" in done.stdout
    assert "9935" in done.stdout
