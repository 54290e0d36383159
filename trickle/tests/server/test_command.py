"""`python -m livepeer.trickle.server`."""

import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Generator

import pytest

COMMAND = [sys.executable, "-m", "livepeer.trickle.server"]
LIMIT_SECONDS = 20


@contextlib.contextmanager
def running(*flags: str) -> Generator[tuple[subprocess.Popen[str], str]]:
    command = [*COMMAND, "--port", "0", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().rstrip("\n")
        finally:
            process.kill()


def connect(base: str) -> socket.socket:
    host, port = base.removeprefix("http://").split("/")[0].split(":")
    return socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS)


def ask(connection: socket.socket, request: str, body: str = "") -> str:
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    connection.sendall(f"{request} HTTP/1.1\r\nHost: x\r\n{length}\r\n{body}".encode())
    return connection.recv(65536).decode()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_and_a_signal_ends_it_even_while_a_reader_waits(number: signal.Signals):
    with running() as (process, base):
        assert base.startswith("http://127.0.0.1:")
        assert base.endswith("/")
        with connect(base) as reader, connect(base) as publisher:
            assert ask(publisher, "POST /ch/0", "data").startswith("HTTP/1.1 200 ")
            reader.sendall(b"GET /ch/1 HTTP/1.1\r\nHost: x\r\n\r\nGET /ch/next HTTP/1.1\r\nHost: x\r\n\r\n")
            # Its answer says that the reader's request was there before: one connection's requests are read in order.
            assert ask(publisher, "GET /ch/next").endswith("\r\n\r\n1")

            process.send_signal(number)

            out, errors = process.communicate(timeout=5)
            assert (process.returncode, out, errors) == (0, "", "")
            assert "lp-trickle-closed: terminated" in reader.recv(65536).decode()


def test_its_flags_are_the_servers_options():
    flags = ("--path", "/ai/trickle", "--no-autocreate", "--changefeed", "--idle-seconds", "0.1")
    with running(*flags, "--sweep-seconds", "60") as (_, base), connect(base) as wire:
        assert base.endswith("/ai/trickle/")
        assert ask(wire, "POST /ai/trickle/ch").startswith("HTTP/1.1 404 ")
        assert ask(wire, "GET /ai/trickle/_changes/0").endswith('{"added":["_changes"]}\r\n0\r\n\r\n')


def test_a_port_that_is_taken_is_said_in_one_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [*COMMAND, "--port", str(taken.getsockname()[1])]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("cannot listen: ")
    assert done.stderr.count("\n") == 1


def test_a_flag_that_it_does_not_know_is_an_error():
    done = subprocess.run([*COMMAND, "--nonsense"], capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)

    assert (done.returncode, done.stdout) == (2, "")


def test_a_silent_publisher_is_told_that_it_is_awaited_and_refused_when_it_sends_too_much():
    with running("--keepalive-seconds", "0.05", "--max-segment-bytes", "3") as (_, base), connect(base) as publisher:
        publisher.sendall(b"POST /ch/0 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
        received = b""
        while received.count(b"HTTP/1.1 100 Continue\r\n\r\n") < 3:
            received += publisher.recv(65536)
        publisher.sendall(b"4\r\ndata\r\n0\r\n\r\n")
        while b"HTTP/1.1 413 " not in received:
            received += publisher.recv(65536)
