"""Serving from Python: a class, an instance or a function, from a script or inside another program."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from starlette.testclient import TestClient

from livepeer.runner import Pipeline, make_app
from livepeer.server import bind

SCRIPT = """
import os
from livepeer.runner import Pipeline, serve
import helper_beside_script

class Sized(Pipeline):
    def __init__(self, size: int = 1) -> None:
        self.size = size

    def setup(self) -> None:
        self.ready = helper_beside_script.value

    def predict(self, text: str) -> list[object]:
        return [text * self.size, self.ready, os.getpid()]

def double(text: str) -> list[object]:
    return [text * 2, "ok", os.getpid()]

if __name__ == "__main__":
    serve({what}, host="127.0.0.1", port={port})
"""


def free_port() -> int:
    with bind("127.0.0.1", 0) as sock:
        return sock.getsockname()[1]


@contextmanager
def script(folder: Path, what: str, code: str = SCRIPT) -> Iterator[tuple[subprocess.Popen[bytes], httpx2.Client]]:
    port = free_port()
    (folder / "helper_beside_script.py").write_text("value = 'ok'\n")
    path = folder / "my_script.py"
    path.write_text(code.replace("{what}", what).replace("{port}", str(port)))
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    process = subprocess.Popen([sys.executable, str(path)], cwd=elsewhere, stderr=subprocess.PIPE)
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=10) as client:
            yield process, client
    finally:
        process.kill()
        process.communicate()


def until_ready(process: subprocess.Popen[bytes], client: httpx2.Client) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        assert process.poll() is None, process.stderr and process.stderr.read().decode()
        try:
            health = client.get("/health").json()
        except httpx2.TransportError:
            continue
        assert health["status"] != "ERROR", health
        if health["status"] == "IDLE":
            return
    raise AssertionError("not ready in 20 s")


@pytest.mark.parametrize(
    ("what", "answer"),
    [("Sized", "ab"), ("Sized(3)", "ababab"), ("double", "abab"), ("Sized(2), worker='inline'", "abab")],
)
def test_a_script_serves_what_it_defines(tmp_path: Path, what: str, answer: str) -> None:
    with script(tmp_path, what) as (process, client):
        until_ready(process, client)
        text, ready, pid = client.post("/predict", json={"text": "ab"}).json()
        assert (text, ready) == (answer, "ok")
        assert (pid == process.pid) == ("inline" in what)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("what", "words"),
    [("(lambda text: text)", "no name that another process could find"), ("Sized(open(os.devnull))", "setup()")],
)
def test_what_cannot_be_carried_says_what_to_change(tmp_path: Path, what: str, words: str) -> None:
    with script(tmp_path, what) as (process, _):
        _, error = process.communicate(timeout=20)
        assert process.returncode == 1
        assert words in error.decode()


class Greeter(Pipeline):
    def predict(self, name: str) -> str:
        return f"hello {name} from {os.getpid()}"


def test_an_application_can_be_embedded() -> None:
    with TestClient(make_app(Greeter)) as client:
        while client.get("/health").json()["status"] == "LOADING":
            pass
        answer = client.post("/predict", json={"name": "you"})
        assert answer.json() == f"hello you from {os.getpid()}"


def test_two_applications_live_in_one_process() -> None:
    with TestClient(make_app(Greeter)) as one, TestClient(make_app(Greeter())) as two:
        for client in (one, two):
            while client.get("/health").json()["status"] == "LOADING":
                pass
            assert client.post("/predict", json={"name": "you"}).status_code == 200
