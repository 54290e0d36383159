"""The command's arguments, and `serve`."""

import signal
from pathlib import Path

import pytest
from commands import run, serving

from livepeer.trickle import Publisher, Subscriber

URL = "http://127.0.0.1:1/channel"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["listen"],
        ["publish"],
        ["subscribe"],
        ["publish", "ftp://host/channel"],
        ["publish", "http://host"],
        ["subscribe", "host/channel"],
        ["publish", URL, "file", "another"],
        ["publish", URL, "--segment-bytes", "0"],
        ["publish", URL, "--segment-bytes", "1.5"],
        ["publish", URL, "--segment-seconds", "-1"],
        ["publish", URL, "--segment-seconds", "nan"],
        ["publish", URL, "--header", "no colon"],
        ["subscribe", URL, "--start", "-3"],
        ["subscribe", URL, "--start", "yesterday"],
        ["subscribe", URL, "--lag", "behind"],
        ["subscribe", URL, "--wait", "inf"],
        ["serve", "--port", "many"],
    ],
)
def test_wrong_arguments_say_what_is_wrong(arguments: list[str]):
    status, output, errors = run(*arguments)
    assert (status, output) == (2, b"")
    assert ": error: " in errors.splitlines()[-1]


@pytest.mark.parametrize("header", ["Host: x", "X: a\nb", "X y: z"])
def test_a_header_that_cannot_be_sent_fails_in_one_line(header: str):
    for name in ("publish", "subscribe"):
        status, output, errors = run(name, URL, "--header", header)
        assert (status, output) == (1, b"")
        assert errors.startswith("error: ")


@pytest.mark.parametrize("arguments", [["--help"], ["publish", "--help"], ["subscribe", "--help"]])
def test_the_help_tells_what_an_exit_status_means(arguments: list[str]):
    status, output, errors = run(*arguments)
    assert (status, errors) == (0, "")
    assert b"exit status:" in output


def test_serve_has_the_options_of_the_server():
    status, output, errors = run("serve", "--help")
    assert (status, errors) == (0, "")
    assert b"--no-autocreate" in output


def test_serve_says_what_it_needs_where_only_the_client_is_installed(tmp_path: Path):
    (tmp_path / "uvicorn.py").write_text("raise ModuleNotFoundError(name='uvicorn')")
    status, output, errors = run("serve", environment={"PYTHONPATH": str(tmp_path)})
    assert (status, output) == (1, b"")
    assert errors == "error: the server needs uvicorn: pip install 'livepeer-trickle[server]'\n"
    assert run("publish", "--help", environment={"PYTHONPATH": str(tmp_path)})[0] == 0


def test_serve_serves_until_it_is_told_to_end():
    with serving() as server:
        with Publisher(f"{server.url}/channel") as publisher, Subscriber(f"{server.url}/channel") as subscriber:
            publisher.publish(b"x")
            assert next(subscriber).read() == b"x"
        assert server.kill(signal.SIGTERM) == 0
