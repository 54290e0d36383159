"""`subscribe`, to pipes and files, and both commands together."""

import os
import signal
from pathlib import Path

import pytest
from commands import command, run
from raw_posts import break_off, delete, post
from scripted_servers import NOT_FOUND, Do, missing, scripted, segment

from livepeer.trickle import JSONLWriter, Publisher


def test_bytes_are_written_as_they_come(url: str):
    with Publisher(url) as publisher, command("subscribe", url) as subscribe:
        writer = publisher.segment()
        writer.write(b"one")
        assert subscribe.take(3) == b"one"
        writer.write(b"two")
        assert subscribe.take(3) == b"two"
        publisher.segment().write(b"three")
        assert subscribe.take(5) == b"three"
        publisher.close()
        assert subscribe.end() == (0, b"", "")


def test_a_file_comes_through_both_commands_whole(url: str, tmp_path: Path):
    data = os.urandom(3_000_000)
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(data)
    with (
        command("publish", url, "--segment-seconds", "60") as publish,
        command("subscribe", url, "--start", "0", "--wait", "10", "--output", str(target)) as subscribe,
    ):
        publish.give(source.read_bytes())
        while not target.exists() or target.stat().st_size < len(data):
            assert subscribe.poll() is None
        assert publish.end() == (0, b"", "")
        assert subscribe.end() == (0, b"", "")
    assert target.read_bytes() == data


@pytest.mark.parametrize(("start", "expected"), [("0", b"abc"), ("1", b"bc"), ("earliest", b"abc"), ("current", b"c")])
def test_it_begins_where_it_is_told_to(url: str, start: str, expected: bytes):
    post(url, b"a", b"b", b"c")
    with command("subscribe", url, "--start", start) as subscribe:
        assert subscribe.take(len(expected)) == expected
        delete(url)
        assert subscribe.end() == (0, b"", "")


def test_a_gap_is_said_and_is_in_the_status(url: str):
    post(url, *(b"%d" % number for number in range(8)))
    with command("subscribe", url, "--start", "0", "--lag", "earliest") as subscribe:
        assert subscribe.take(5) == b"34567"
        delete(url)
        status, output, errors = subscribe.end()
    assert (status, output) == (3, b"")
    assert errors.splitlines() == ["missed segments 0 to 2: gone from the server before they were read"]


@pytest.mark.parametrize("options", [(), ("--lines", "--lag", "latest")])
def test_what_was_missed_at_the_end_is_said_and_is_in_the_status(options: tuple[str, ...]):
    script = {"-2": [segment(0, b"0\n")], "1": [missing(1, latest=9)], "8": [NOT_FOUND]}
    with scripted(script) as server:
        status, output, errors = run("subscribe", server.url, *options)
    assert (status, output) == (3, b"0\n")
    assert errors.splitlines() == ["missed 8 segments more: the channel ended, or began anew, before they were read"]


def test_a_gap_fails_if_that_is_wanted(url: str):
    post(url, *(b"%d" % number for number in range(8)))
    status, output, errors = run("subscribe", url, "--start", "0", "--lag", "fail")
    assert (status, output) == (1, b"")
    assert errors.startswith("error: segments 0 to 7 ")
    assert len(errors.splitlines()) == 1


def test_a_segment_that_broke_off_is_said_and_is_in_the_status(url: str):
    break_off(url, 0, b"one")
    post(url, b"two", first=1)
    with command("subscribe", url, "--start", "0") as subscribe:
        assert subscribe.take(6) == b"onetwo"
        delete(url)
        status, output, errors = subscribe.end()
    assert (status, output) == (3, b"")
    assert "3 bytes" in errors


def test_it_ends_quietly_when_nobody_reads_any_more(url: str):
    with Publisher(url) as publisher, command("subscribe", url) as subscribe:
        writer = publisher.segment()
        writer.write(b"one")
        assert subscribe.take(3) == b"one"
        assert subscribe.stdout
        subscribe.stdout.close()
        writer.write(b"two")
        assert subscribe.wait(10) == 0
        assert subscribe.stderr
        assert subscribe.stderr.read() == b""


def test_a_slow_pipe_that_does_not_block_loses_nothing(url: str):
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    data = os.urandom(900_000)
    with Publisher(url) as publisher, os.fdopen(reading, "rb") as pipe, command("subscribe", url, stdout=writing):
        os.close(writing)
        publisher.segment().write(data)
        assert pipe.read(len(data)) == data


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_quietly(url: str, number: signal.Signals, status: int):
    post(url, b"one")
    with command("subscribe", url) as subscribe:
        assert subscribe.take(3) == b"one"
        subscribe.send_signal(number)
        assert subscribe.end() == (status, b"", "")


def test_messages_are_written_as_lines(url: str):
    with JSONLWriter(url) as writer, command("subscribe", url, "--lines") as subscribe:
        for message, line in (
            ({"a": [1, None]}, b'{"a":[1,null]}\n'),
            ("ö", '"ö"\n'.encode()),
            ("\ud800", b'"\\ud800"\n'),
        ):
            writer.write(message)
            assert subscribe.take_line() == line
        writer.close()
        assert subscribe.end() == (0, b"", "")


def test_lines_that_are_no_messages_are_said_and_left_out(url: str):
    post(url, b'{"keep":"alive"}\n1\noops\n1e999\n2\n', b"3")
    with command("subscribe", url, "--lines", "--start", "0") as subscribe:
        assert subscribe.take(6) == b"1\n2\n3\n"
        delete(url)
        status, output, errors = subscribe.end()
    assert (status, output) == (3, b"")
    assert ["no JSON" in line for line in errors.splitlines()] == [True, True]


def test_headers_go_to_the_server():
    with scripted({"-2": [segment(0, b"x")], "1": [Do.DROP]}) as server:
        with command("subscribe", server.url, "--header", "Authorization: Bearer x") as subscribe:
            assert subscribe.take(1) == b"x"
        assert all(b"authorization: bearer x" in head.lower() for head in server.heads)


def test_what_fails_says_so_in_one_line(url: str, tmp_path: Path):
    for arguments in ((url,), (url, "--lines"), (url, "--output", str(tmp_path))):
        status, output, errors = run("subscribe", *arguments)
        assert (status, output) == (1, b"")
        assert errors.startswith("error: ")
        assert len(errors.splitlines()) == 1
