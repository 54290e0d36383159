"""`publish`, from pipes and files."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from commands import Command, command, run, serving
from raw_posts import delete
from scripted_servers import Do, ScriptedServer, next_is, scripted
from trickle_servers import running_server
from trustme import CA

from livepeer.trickle import ChannelNotFoundError, JSONLReader, SegmentReader, Subscriber

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
def stalled() -> Iterator[ScriptedServer]:
    """A server that makes a channel, and never reads what is published to it."""
    done = threading.Event()
    with scripted({"c": [OK], "next": [next_is(0)], "0": [(done, Do.DROP)], "1": [(done, Do.DROP)]}) as server:
        yield server
        done.set()


def segments(url: str, count: int) -> list[bytes]:
    with Subscriber(url, start=0) as subscriber:
        return [next(subscriber).read() for _ in range(count)]


def give_for_ever(publish: Command, data: bytes) -> None:
    """Write until the command has ended."""
    with suppress(BrokenPipeError):
        while publish.poll() is None:
            publish.give(data)


def test_bytes_are_published_as_they_come(url: str):
    with (
        command("publish", url, "--segment-seconds", "60") as publish,
        Subscriber(url, start=0, wait_seconds=10) as subscriber,
    ):
        publish.give(b"one")
        segment = next(subscriber)
        assert next(segment) == b"one"
        publish.give(b"two")
        assert next(segment) == b"two"
        assert publish.end() == (0, b"", "")
        assert list(segment) == []
        assert list(subscriber) == []


def test_a_file_is_cut_into_segments_of_the_wanted_length(url: str, tmp_path: Path):
    file = tmp_path / "file"
    data = bytes(range(250)) * 10
    file.write_bytes(data)
    assert run("publish", url, str(file), "--segment-bytes", "1000", "--keep") == (0, b"", "")
    assert segments(url, 3) == [data[:1000], data[1000:2000], data[2000:]]


def test_a_segment_ends_with_its_time(url: str):
    with (
        command("publish", url, "--segment-seconds", "0.001", "--keep") as publish,
        Subscriber(url, start=0, wait_seconds=10) as subscriber,
    ):
        publish.give(b"one")
        first = next(subscriber)
        assert next(first) == b"one"
        publish.give(b"two")
        assert list(first) == []
        assert next(next(subscriber)) == b"two"


def test_the_channel_is_deleted_at_the_end_unless_it_is_kept(url: str):
    assert run("publish", url, given=b"x") == (0, b"", "")
    with Subscriber(url) as subscriber, pytest.raises(ChannelNotFoundError):
        next(subscriber)
    assert run("publish", url, "--keep", given=b"x") == (0, b"", "")
    assert segments(url, 1) == [b"x"]


def test_no_bytes_make_no_segment(url: str):
    assert run("publish", url, "--keep") == (0, b"", "")
    assert run("publish", url, "--keep", given=b"x") == (0, b"", "")
    assert segments(url, 1) == [b"x"]


def test_type_and_headers_go_to_the_server(stalled: ScriptedServer):
    flags = ["--content-type", "audio/ogg", "--header", "Authorization: Bearer x", "--header", "X-Empty:"]
    assert run("publish", stalled.url, *flags)[0] == 0
    assert b"Expect-Content: audio/ogg" in stalled.heads[0]
    assert {"c", "next"} <= set(stalled.asked)
    assert all(b"authorization: bearer x" in head.lower() and b"x-empty:" in head.lower() for head in stalled.heads)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_segment_well(url: str, number: signal.Signals, status: int):
    with command("publish", url) as publish, Subscriber(url, start=0, wait_seconds=10) as subscriber:
        publish.give(b"one")
        segment = next(subscriber)
        assert next(segment) == b"one"
        publish.send_signal(number)
        assert publish.wait(10) == status
        assert list(segment) == []
        assert list(subscriber) == []
        assert publish.end() == (status, b"", "")


def test_a_signal_ends_it_in_five_seconds_when_the_server_stalls(stalled: ScriptedServer):
    with command("publish", stalled.url, "/dev/zero") as publish:
        stalled.wait_until_asked("1")
        begun = time.monotonic()
        publish.send_signal(signal.SIGTERM)
        status, _, errors = publish.end()
    assert status == 143
    assert "lost" in errors or "stopped before the server had everything" in errors
    assert time.monotonic() - begun < 7


def test_a_second_signal_ends_it_at_once(stalled: ScriptedServer):
    with command("publish", stalled.url, "/dev/zero") as publish:
        stalled.wait_until_asked("1")
        begun = time.monotonic()
        publish.send_signal(signal.SIGTERM)
        publish.send_signal(signal.SIGINT)
        assert publish.end()[0] in (130, 143)
    assert time.monotonic() - begun < 3


def test_a_channel_that_is_deleted_fails_in_one_line(url: str):
    with command("publish", url) as publish, Subscriber(url, start=0, wait_seconds=10) as subscriber:
        publish.give(b"one")
        assert next(next(subscriber)) == b"one"
        delete(url)
        give_for_ever(publish, b"two")
        status, output, errors = publish.end()
    assert (status, output) == (1, b"")
    assert errors.splitlines()[-1].startswith(f"error: the channel at {url} was deleted")


def test_what_a_dead_server_took_with_it_is_said_and_the_rest_goes_on():
    with serving() as process:
        url = f"{process.url}/channel"
        with command("publish", url, "--segment-seconds", "60") as publish:
            publish.give(b"x" * 900_000)  # More than is kept to be sent again.
            with Subscriber(url, start=0, wait_seconds=10) as subscriber:
                read_bytes(next(subscriber), 900_000)
            process.kill()
            process.start()
            publish.give(b"after")
            with Subscriber(url, start="earliest", wait_seconds=10) as subscriber:
                assert next(next(subscriber)) == b"after"
            status, output, errors = publish.end()
    assert (status, output) == (3, b"")
    assert "segment 0 was lost (900" in errors


def read_bytes(segment: SegmentReader, count: int) -> None:
    while count:
        count -= len(next(segment))


def test_each_line_is_a_message(url: str):
    with command("publish", url, "--lines", "--keep") as publish:
        with JSONLReader(url, start=0, wait_seconds=10) as reader:
            publish.give(b'{"a": 1}\n')
            assert next(reader) == {"a": 1}
            publish.give(b'"b')
            publish.give('ö"\n\n[2]'.encode())
            assert next(reader) == "bö"
        assert publish.end() == (0, b"", "")
    assert segments(url, 1) == ['{"a":1}\n"bö"\n[2]\n'.encode()]


def test_a_line_that_is_no_json_is_said_and_left_out(url: str):
    status, output, errors = run("publish", url, "--lines", "--keep", given=b"1\noops\n1e999\n2\n")
    assert (status, output) == (3, b"")
    assert "no JSON" in errors.splitlines()[0]
    assert "'oops'" in errors.splitlines()[0]
    assert "no JSON form" in errors.splitlines()[1]
    assert segments(url, 1) == [b"1\n2\n"]


def test_lines_rotate_as_bytes_do(url: str):
    assert run("publish", url, "--lines", "--keep", "--segment-bytes", "4", given=b"1\n2\n3\n") == (0, b"", "")
    assert segments(url, 2) == [b"1\n2\n", b"3\n"]


def test_a_certificate_of_nobodys_needs_insecure(tmp_path: Path):
    certificate = CA().issue_cert("localhost", "127.0.0.1")
    pem = tmp_path / "server.pem"
    certificate.private_key_and_cert_chain_pem.write_to_path(str(pem))
    with running_server(ssl_certfile=str(pem), ssl_keyfile=str(pem)) as server:
        url = f"{server.base_url}/channel"
        status, _, errors = run("publish", url, given=b"x")
        assert status == 1
        assert "--insecure" in errors
        assert run("publish", url, "--insecure", "--keep", given=b"x") == (0, b"", "")
        with Subscriber(url, verify=False) as subscriber:
            assert next(subscriber).read() == b"x"


def test_what_cannot_be_reached_or_read_fails_in_one_line(url: str, tmp_path: Path):
    for arguments, reason in {
        ("http://127.0.0.1:1/channel",): "cannot be reached",
        (url, str(tmp_path / "none")): "No such file",
        (url, str(tmp_path)): "directory",
        (url + "/not/here",): "there is no channel",
    }.items():
        status, output, errors = run("publish", *arguments)
        assert (status, output) == (1, b"")
        assert errors.startswith("error: ")
        assert len(errors.splitlines()) == 1
        assert reason in errors
